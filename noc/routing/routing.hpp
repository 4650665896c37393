// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "noc/flits.hpp"
#include "noc/topology/topology.hpp"

namespace loom::noc {

/// A part of the virtual channels of a port (of one message class).
enum VcClass : std::uint8_t { kAnyVc, kLowHalf, kHighHalf, kEscapeVc, kAdaptiveVcs, kVcClasses };

inline constexpr unsigned kNoPort = 255;

/// Where a head may (any of, adaptive) or must (all of, multicast) go on. No port: there is no way.
struct Route {
    std::uint64_t ports = 0;
    VcClass vcs = kAnyVc;
    bool all = false;
    std::uint8_t escape_port = kNoPort;  ///< taken with kEscapeVc when no other candidate is free
};

struct RouteQuery {
    std::uint32_t router;
    unsigned in_port;  ///< a local one at the source
    unsigned in_vc;    ///< within its message class
    PacketRecord& packet;
};

/// A routing function on a topology. Called once per head and router through a plain function pointer.
class Routing {
  public:
    using Function = Route (*)(const Routing&, const RouteQuery&);

    Routing(const Topology& topology, unsigned vcs, Function function)
        : topology_(topology), vcs_(vcs), function_(function) {}
    virtual ~Routing() = default;

    Route operator()(const RouteQuery& q) const { return function_(*this, q); }
    const Topology& topology() const { return topology_; }
    unsigned vcs() const { return vcs_; }  ///< of a message class

    bool several = false;      ///< gives more than one candidate
    bool minimal = true;       ///< every hop brings a packet nearer
    bool uses_source = false;  ///< depends on where the packet came from
    bool uses_halves = false;  ///< VCs in two halves (dateline)
    bool plain_xy = false;     ///< x, then y on a whole mesh of two dimensions
    bool uses_escape = false;  ///< VC 0 is the escape channel
    /// Depends on coordinates alone, so that small grids stand for large ones, and dead links only take
    /// candidates away.
    bool by_coordinates = false;
    bool safe = false;  ///< free of deadlock on any graph by construction (up*/down*)

    /// Bit of a port if its link is there.
    std::uint64_t link(std::uint32_t router, unsigned port) const {
        return topology_.channel(router, port).peer == kNone ? 0 : std::uint64_t{1} << port;
    }

    /// The packet is at its router: to its core.
    Route arrived(const RouteQuery& q) const {
        return {topology_.dead(q.router) ? 0 : std::uint64_t{1} << q.packet.port};
    }

  protected:
    const Topology& topology_;
    unsigned vcs_;
    Function function_;
};

/// Builds the routing named in the specification ("auto": the one that the topology names). Throws ConfigError
/// for unknown names and for topologies that it is not made for.
std::unique_ptr<Routing> make_routing(const arch::NocSpec& spec, const Topology& topology, unsigned vcs);

/// A packet that comes in by a link goes on by another: what trees do beyond the ways of single packets.
struct Turn {
    std::uint32_t router;
    std::uint16_t in_port, out_port;
    auto operator<=>(const Turn&) const = default;
};

/// Looks for a cycle of channels that wait for each other (Dally and Seitz 1987); with an escape channel
/// among its channels only, which must always be among the candidates (Duato 1993). Empty: none. Otherwise
/// the cycle, for the user. Exact by enumeration of all pairs; large grids are represented by smaller ones
/// of the same parity. ConfigError when there are too many pairs.
std::string deadlock_cycle(const arch::NocSpec& spec, const Topology& topology, const Routing& routing);
/// The same on the topology as it is, with further turns; no large grids.
std::string deadlock_cycle(const Topology& topology, const Routing& routing, std::span<const Turn> extra);

/// Tori: whether a packet goes up in a dimension where both ways are equally long; drawn per packet.
bool ring_coin(const PacketRecord& packet, unsigned dimension);

/// Fills what routing needs to know of a packet from endpoint `from` to endpoint `to`.
void address(const Topology& topology, std::uint32_t from, std::uint32_t to, PacketRecord& record);
/// The same by positions of the routers and the local port at the destination.
inline void address(Coord from, std::uint32_t to_router, Coord to, std::uint16_t port, PacketRecord& record) {
    record.router = to_router;
    record.port = port;
    record.at = to;
    record.from = from;
    record.dx = static_cast<std::int16_t>(record.at.x - record.from.x);
    record.dy = static_cast<std::int16_t>(record.at.y - record.from.y);
}

}  // namespace loom::noc
