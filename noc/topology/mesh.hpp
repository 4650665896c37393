// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sim/arch/chip_spec.hpp"
#include "sim/base/ids.hpp"

namespace loom::noc {

/// Ports of a router: the four directions first, then the local ports.
enum Direction : unsigned { kPlusX = 0, kMinusX = 1, kPlusY = 2, kMinusY = 3, kFirstLocal = 4 };

/// Position of a router.
struct Coord {
    std::uint16_t x = 0;
    std::uint16_t y = 0;
    bool operator==(const Coord&) const = default;
};

/// The port at the other end of the links of a direction (what leaves by +x arrives at -x).
constexpr unsigned opposite(unsigned direction) {
    return direction ^ 1u;
}

/// The pair of links between two routers, seen from one of them.
struct Neighbour {
    std::uint32_t router = 0;
    std::uint32_t latency = 0;  ///< cycles, in both ways; 0: there is no link (edge of the mesh)
};

/// A two-dimensional mesh as data: routers, links and where endpoints are attached.
class Mesh {
  public:
    /// Throws ConfigError when the spec is not a possible mesh.
    explicit Mesh(const arch::ChipSpec& spec);

    std::uint32_t n_routers() const { return size_x_ * size_y_; }
    std::uint32_t n_cores() const { return n_routers() * cores_per_router_; }
    /// Cores and the host port.
    std::uint32_t n_endpoints() const { return n_cores() + 1; }
    /// Ports of the largest router (the one with the host).
    unsigned max_ports() const { return kFirstLocal + cores_per_router_ + 1; }
    unsigned n_ports(std::uint32_t router) const {
        return kFirstLocal + cores_per_router_ + (router == host_router_ ? 1 : 0);
    }

    Coord coord(std::uint32_t router) const {
        return {static_cast<std::uint16_t>(router % size_x_), static_cast<std::uint16_t>(router / size_x_)};
    }
    const Neighbour& neighbour(std::uint32_t router, unsigned direction) const {
        return neighbours_[router * 4 + direction];
    }
    std::uint32_t router_of(std::uint32_t endpoint) const {
        return endpoint == n_cores() ? host_router_ : endpoint / cores_per_router_;
    }
    unsigned port_of(std::uint32_t endpoint) const {
        return kFirstLocal + (endpoint == n_cores() ? cores_per_router_ : endpoint % cores_per_router_);
    }
    std::uint32_t latency_x() const { return latency_x_; }
    std::uint32_t latency_y() const { return latency_y_; }
    std::uint32_t local_latency() const { return local_latency_; }

  private:
    std::uint32_t size_x_ = 0, size_y_ = 0;
    std::uint32_t cores_per_router_ = 1;
    std::uint32_t host_router_ = 0;
    std::uint32_t latency_x_ = 1, latency_y_ = 1, local_latency_ = 1;
    std::vector<Neighbour> neighbours_;
};

/// "+x", "-x", "+y", "-y", "local 0", ...
std::string port_name(unsigned port);

}  // namespace loom::noc
