// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "arch/noc_spec.hpp"
#include "base/ids.hpp"

namespace loom::noc {

inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// Position of a router in a grid.
struct Coord {
    std::uint16_t x = 0;
    std::uint16_t y = 0;
    std::uint16_t z = 0;
    std::uint16_t operator[](unsigned d) const { return d == 0 ? x : d == 1 ? y : z; }
    bool operator==(const Coord&) const = default;
};

/// What kind of link and which way: counted and priced apart.
enum LinkKind : std::uint16_t {
    kLinkX,
    kLinkXMinus,
    kLinkY,
    kLinkYMinus,
    kLinkZ,
    kLinkZMinus,
    kLinkOther,
    kLinkBridge,
    kLinkKinds
};
/// The other way of the same link.
constexpr LinkKind opposite(LinkKind k) {
    return k < kLinkOther ? static_cast<LinkKind>(k ^ 1u) : k;
}
/// Without the way: kLinkX of both directions of x.
constexpr LinkKind axis(LinkKind k) {
    return k < kLinkOther ? static_cast<LinkKind>(k & ~1u) : k;
}

/// One direction of a link, seen from the router that sends.
struct Channel {
    std::uint32_t peer = kNone;   ///< router; kNone: no link at this port
    std::uint16_t peer_port = 0;  ///< where it arrives; credits go back from there
    LinkKind kind = kLinkX;
    std::uint32_t latency = 1;  ///< cycles
    std::uint64_t flit_ps = 0;  ///< time that a flit takes the link; 0: one cycle
};

/// Routers, links and where endpoints are attached, as data. Router ports 0..link_ports()-1 are for
/// links (grids: +x, -x, +y, -y, +z, -z, then diagonals), the rest for endpoints. Core e sits at router
/// e / cores_per_router; the endpoint n_cores() is the host port.
class Topology {
  public:
    Topology(std::uint32_t routers, unsigned link_ports) : link_ports_(link_ports) {
        channels_.resize(std::size_t{routers} * link_ports);
        coords_.resize(routers);
    }

    std::uint32_t n_routers() const { return static_cast<std::uint32_t>(coords_.size()); }
    unsigned link_ports() const { return link_ports_; }
    const Channel& channel(std::uint32_t router, unsigned port) const {
        return channels_[std::size_t{router} * link_ports_ + port];
    }
    Channel& channel(std::uint32_t router, unsigned port) {
        return channels_[std::size_t{router} * link_ports_ + port];
    }
    /// Joins two ports, both ways; `kind` is that of the way from a to b.
    void connect(std::uint32_t a, unsigned port_a, std::uint32_t b, unsigned port_b, LinkKind kind,
                 std::uint32_t latency, std::uint64_t flit_ps = 0);

    /// Endpoints: `per` cores at each of the first `core_routers` routers, and the host.
    void attach_cores(std::uint32_t core_routers, std::uint32_t per, std::uint32_t host_router);
    std::uint32_t n_cores() const { return n_cores_; }
    std::uint32_t n_endpoints() const { return n_cores_ + 1; }
    std::uint32_t cores_per_router() const { return per_; }
    unsigned max_ports() const { return link_ports_ + per_ + 1; }
    /// Ports in use or not, local ones included.
    unsigned n_ports(std::uint32_t router) const {
        return link_ports_ + (router < core_routers_ ? per_ : 0) + (router == host_router_ ? 1 : 0);
    }
    std::uint32_t router_of(std::uint32_t endpoint) const {
        return endpoint == n_cores_ ? host_router_ : endpoint / per_;
    }
    unsigned port_of(std::uint32_t endpoint) const {
        return link_ports_ + (endpoint != n_cores_           ? endpoint % per_
                              : host_router_ < core_routers_ ? per_
                                                             : 0);
    }

    /// Grids: routers per dimension; empty for other graphs.
    std::vector<std::uint32_t> grid;
    bool wraps = false;      ///< torus
    bool diagonals = false;  ///< triangular: ports 4 and 5 lead to (+1, +1) and (-1, -1)
    std::string name;
    std::uint32_t local_latency = 1;
    std::string auto_routing = "up_down";  ///< the routing function that `auto` stands for
    bool root_is_last = false;             ///< a tree numbered from its leaves
    Coord coord(std::uint32_t router) const { return coords_[router]; }
    void set_coord(std::uint32_t router, Coord c) { coords_[router] = c; }
    std::uint32_t router_at(Coord c) const;

    std::string router_name(std::uint32_t router) const;
    std::string port_name(unsigned port) const;

    /// Links from every router to `to`, by breadth-first search; kNone where there is no way.
    std::vector<std::uint32_t> distances_to(std::uint32_t to) const;
    /// Shortest distance; closed form on grids without faults or bridges, else by search (cached).
    std::uint32_t distance(std::uint32_t from, std::uint32_t to) const;
    bool regular = false;  ///< a grid with all of its links: closed forms hold
    /// Dead routers have no links, and their endpoints reach nobody.
    bool dead(std::uint32_t router) const { return !dead_.empty() && dead_[router]; }
    void kill(std::uint32_t router) {
        dead_.resize(n_routers());
        dead_[router] = true;
    }
    std::uint32_t longest_latency() const;

  private:
    unsigned link_ports_;
    std::uint32_t core_routers_ = 0, per_ = 1, n_cores_ = 0, host_router_ = 0;
    std::vector<Channel> channels_;
    std::vector<Coord> coords_;
    std::vector<bool> dead_;  ///< [router], or empty
    mutable std::vector<std::vector<std::uint32_t>> distance_cache_;
};

/// Builds the topology of a specification, dead links and routers taken out. `period`: router clock
/// in ps; `host`: position of the host port's router. Throws ConfigError for what is not possible.
Topology make_topology(const arch::NocSpec& spec, double period, const std::vector<std::uint64_t>& host);

}  // namespace loom::noc
