// SPDX-License-Identifier: Apache-2.0
#include "noc/topology/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"

namespace loom::noc {

void Topology::connect(std::uint32_t a, unsigned port_a, std::uint32_t b, unsigned port_b, LinkKind kind,
                       std::uint32_t latency, std::uint64_t flit_ps) {
    channel(a, port_a) = {b, static_cast<std::uint16_t>(port_b), kind, latency, flit_ps};
    channel(b, port_b) = {a, static_cast<std::uint16_t>(port_a), opposite(kind), latency, flit_ps};
}

void Topology::attach_cores(std::uint32_t core_routers, std::uint32_t per, std::uint32_t host_router) {
    core_routers_ = core_routers;
    per_ = per;
    n_cores_ = core_routers * per;
    host_router_ = host_router;
}

std::uint32_t Topology::router_at(Coord c) const {
    std::uint32_t r = 0;
    for (std::size_t d = grid.size(); d-- > 0;) r = r * grid[d] + c[static_cast<unsigned>(d)];
    return r;
}

std::string Topology::router_name(std::uint32_t router) const {
    const Coord c = coord(router);
    switch (grid.size()) {
        case 2:
            return fmt::format("({}, {})", c.x, c.y);
        case 3:
            return fmt::format("({}, {}, {})", c.x, c.y, c.z);
        default:
            return fmt::format("{}", router);
    }
}

std::string Topology::port_name(unsigned port) const {
    static constexpr std::array<const char*, 6> names{"+x", "-x", "+y", "-y", "+z", "-z"};
    if (port >= link_ports_) return fmt::format("local {}", port - link_ports_);
    if (diagonals && port >= 4) return port == 4 ? "+x+y" : "-x-y";
    if (!grid.empty() && port < names.size()) return names[port];
    return fmt::format("link {}", port);
}

std::vector<std::uint32_t> Topology::distances_to(std::uint32_t to) const {
    // links exist both ways
    std::vector<std::uint32_t> distance(n_routers(), kNone), queue{to};
    distance[to] = 0;
    for (std::size_t i = 0; i < queue.size(); ++i) {
        for (unsigned p = 0; p < link_ports_; ++p) {
            const std::uint32_t peer = channel(queue[i], p).peer;
            if (peer == kNone || distance[peer] != kNone) continue;
            distance[peer] = distance[queue[i]] + 1;
            queue.push_back(peer);
        }
    }
    return distance;
}

std::uint32_t Topology::distance(std::uint32_t from, std::uint32_t to) const {
    if (regular && !diagonals) {
        const Coord a = coord(from), b = coord(to);
        std::uint32_t sum = 0;
        for (unsigned d = 0; d < grid.size(); ++d) {
            const auto delta = static_cast<std::uint32_t>(std::abs(int{a[d]} - int{b[d]}));
            sum += wraps ? std::min(delta, grid[d] - delta) : delta;
        }
        return sum;
    }
    if (distance_cache_.empty()) distance_cache_.resize(n_routers());
    if (distance_cache_[to].empty()) distance_cache_[to] = distances_to(to);
    return distance_cache_[to][from];
}

std::uint32_t Topology::longest_latency() const {
    std::uint32_t longest = local_latency;
    for (const Channel& c : channels_) longest = c.peer == kNone ? longest : std::max(longest, c.latency);
    return longest;
}

}  // namespace loom::noc
