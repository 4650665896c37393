// SPDX-License-Identifier: Apache-2.0
#include "noc/vc/router_array.hpp"

#include <fmt/format.h>

namespace loom::noc {

RouterArray::RouterArray(Fabric& fabric, const Topology& topology, const Routing& routing,
                         const RouterRules& rules)
    : state_(fabric, topology, routing, rules), cycle_(make_plain_cycle(state_)) {
    if (cycle_ == nullptr) cycle_ = make_general_cycle(state_);
}

void RouterArray::reset() {
    cycle_->reset();
    state_.reset();
}

std::vector<PortUse> RouterArray::port_use(std::uint32_t router) const {
    std::vector<PortUse> use;
    for (unsigned p = 0; p < state_.topology.n_ports(router); ++p) {
        const RouterState::Port& out = state_.port(router, p);
        if (out.peer == kNone) continue;
        use.push_back({state_.topology.port_name(p), p < state_.link_ports ? out.peer : kNone, out.flits});
    }
    return use;
}

void RouterArray::describe(std::vector<std::string>& lines, std::size_t limit) const {
    for (std::size_t i = 0; i < state_.topology.n_routers() * state_.n_local && lines.size() < limit; ++i) {
        const auto r = static_cast<std::uint32_t>(i / state_.n_local);
        const RouterState::InputVc& v = state_.input(r, static_cast<unsigned>(i % state_.n_local));
        if (v.queue.empty()) continue;
        const RouterState::Port& out = state_.port(r, v.out_port);
        std::string why = "waits for a virtual channel of";
        if (v.phase == RouterState::Phase::Active) {
            why = (out.credit >> v.out_vc & 1u) != 0
                      ? fmt::format("may go on over virtual channel {} of", v.out_vc)
                      : fmt::format("waits for a credit of virtual channel {} of", v.out_vc);
        }
        const Packet& p = state_.fabric.packets[state_.fabric.flits[v.queue.front].packet].packet;
        const unsigned local = static_cast<unsigned>(i % state_.n_local);
        lines.push_back(
            fmt::format("router {} port {} vc {}: {} flits; packet from endpoint {} to {}{} {} port {}",
                        state_.topology.router_name(r), state_.topology.port_name(local / state_.n_vcs),
                        local % state_.n_vcs, v.queue.size(state_.fabric.flits), index(p.source),
                        p.destination.kind == Destination::Kind::Set ? "set " : "", p.destination.value, why,
                        state_.topology.port_name(v.out_port)));
    }
}

}  // namespace loom::noc
