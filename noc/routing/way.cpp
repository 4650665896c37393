// SPDX-License-Identifier: Apache-2.0
#include "noc/routing/way.hpp"

#include <algorithm>
#include <bit>

namespace loom::noc {

std::vector<Step> way_of(const Routing& routing, std::uint32_t from, std::uint32_t to) {
    const Topology& t = routing.topology();
    std::vector<Step> way;
    PacketRecord p;
    address(t, from, to, p);
    p.packet.source = EndpointId{from};
    std::uint32_t router = t.router_of(from);
    unsigned in_port = t.port_of(from), in_vc = routing.vcs() - 1;
    while (way.size() <= 2 * t.n_routers()) {
        const Route route = routing({router, in_port, in_vc, p});
        if (route.ports == 0 && route.escape_port == kNoPort) break;
        const bool escapes = route.ports == 0;
        const auto port = escapes ? route.escape_port : static_cast<unsigned>(std::countr_zero(route.ports));
        way.push_back({router, static_cast<std::uint16_t>(in_port), static_cast<std::uint16_t>(port),
                       route.vcs == kHighHalf});
        if (port >= t.link_ports()) return way;
        const Channel& c = t.channel(router, port);
        router = c.peer;
        in_port = c.peer_port;
        in_vc = escapes || route.vcs == kLowHalf || route.vcs == kEscapeVc ? 0 : routing.vcs() - 1;
    }
    return {};
}

WayCost cost_of(const Topology& topology, const std::vector<Step>& way) {
    WayCost cost;
    cost.found = !way.empty();
    for (const Step& s : way) {
        if (s.port >= topology.link_ports()) break;
        const Channel& c = topology.channel(s.router, s.port);
        ++cost.hops;
        cost.latency += c.latency;
        cost.longest = std::max<Cycles>(cost.longest, c.latency);
        cost.slowest = std::max(cost.slowest, c.flit_ps);
    }
    return cost;
}

}  // namespace loom::noc
