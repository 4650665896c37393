// SPDX-License-Identifier: Apache-2.0
// Construction, reset and reports; what happens in a cycle is in router_cycle.cpp.
#include "noc/router_array.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace loom::noc {
namespace {

bool default_allocation(const arch::RouterSpec& r) {
    const arch::RouterSpec usual;
    return r.vc_allocator == usual.vc_allocator && r.switch_allocator == usual.switch_allocator &&
           r.arbiter == usual.arbiter;
}

}  // namespace

RouterArray::RouterArray(Fabric& fabric, const Topology& topology, const Routing& routing,
                         const RouterRules& rules)
    : fabric_(fabric),
      topology_(topology),
      routing_(routing),
      rules_(rules),
      link_ports_(topology.link_ports()),
      n_ports_(topology.max_ports()),
      n_vcs_(fabric.vcs),
      n_local_(n_ports_ * n_vcs_),
      all_vcs_(fabric.all_vcs()),
      // traversal of switch and output register
      switch_delay_(rules.asynchronous ? 0 : static_cast<unsigned>(rules.spec.switch_cycles) + 1),
      generic_(!default_allocation(rules.spec)),
      speculative_(rules.pipeline.speculative),
      one_mask_(fabric.classes == 1 && !routing.uses_halves && !routing.uses_escape),
      loss_rng_(rules.loss_seed, 77) {
    const std::size_t routers = topology.n_routers();
    block_bytes_ = (inputs_at(n_ports_, n_local_) + n_local_ * sizeof(InputVc) + 7) / 8 * 8;
    blocks_.reset(new (std::align_val_t{64}) std::byte[routers * block_bytes_]);
    for (std::uint32_t r = 0; r < routers; ++r) {
        const View v = view(r);
        std::construct_at(&v.router);
        std::uninitialized_default_construct_n(v.ports, n_ports_);
        std::uninitialized_default_construct_n(v.outputs, n_local_);
        std::uninitialized_default_construct_n(v.inputs, n_local_);
    }
    active_.resize(routers);
    if (routing.several || fabric.sets != nullptr) routes_.resize(routers * n_local_);
    if (generic_) {
        allocators_.resize(routers);
        find_arbiter(rules.spec.arbiter);
    }
    const auto set_slow = [&](std::uint32_t r, unsigned port, double ps) {
        if (ps <= 0) return;
        slow_links_.resize(routers * n_ports_);
        slow_links_[std::size_t{r} * n_ports_ + port].flit_ps = static_cast<std::uint64_t>(ps);
    };
    for (std::uint32_t r = 0; r < routers; ++r) {
        router(r).x = topology.coord(r).x;
        router(r).y = topology.coord(r).y;
        for (unsigned d = 0; d < link_ports_; ++d) {
            const Channel& c = topology.channel(r, d);
            Port& p = port(r, d);
            p.peer = c.peer;
            p.flit_delay = switch_delay_ + c.latency;
            p.credit_delay = c.latency + kCreditDelay;
            p.peer_vc = c.peer_port * n_vcs_;
            p.kind = c.kind;
            set_slow(r, d, static_cast<double>(c.flit_ps));
        }
    }
    for (std::uint32_t e = 0; e < topology.n_endpoints(); ++e) {
        Port& p = port(topology.router_of(e), topology.port_of(e));
        p.peer = e;
        // the latency to the core is that of its link
        p.flit_delay = std::max(switch_delay_, 1u);
        p.credit_delay = 1 + kCreditDelay;
        if (!rules.asynchronous) continue;
        double ps = rules.spec.async.handshake_local;
        if (ps <= 0) ps = rules.spec.async.handshake_x;
        if (ps > rules.period) set_slow(topology.router_of(e), topology.port_of(e), ps);
    }
    for (unsigned i = 0; i < n_local_; ++i) port_of_.push_back(static_cast<std::uint16_t>(i / n_vcs_));
    va_winner_.assign(n_local_, kNone);
    va_requests_.resize(n_local_);
    input_bids_.resize(n_ports_);
    output_bids_.resize(n_ports_);
    for (std::uint32_t r = 0; r < routers; ++r) reset_router(r);
    usual_delay_ = usual_delay();
    plain_xy_ = routing.plain_xy && routes_.empty();
    local_delay_ = std::max(switch_delay_, 1u);
    plain_ = routes_.empty() && !generic_ && rules.loss <= 0 && slow_links_.empty() && usual_delay_ != 0 &&
             n_local_ <= 64;
    const bool mesh = n_ports_ == 6 && link_ports_ == 4 && plain_xy_ && one_mask_ && speculative_ &&
                      rules.pipeline.route_cycles == 0;
    if (mesh && (n_vcs_ == 1 || n_vcs_ == 4)) shape_ = n_vcs_;
}

/// Delay of a flit over every link, or 0 when they differ.
std::uint32_t RouterArray::usual_delay() const {
    std::uint32_t delay = 0;
    for (std::uint32_t r = 0; r < topology_.n_routers(); ++r) {
        for (unsigned d = 0; d < link_ports_; ++d) {
            const Port& p = port(r, d);
            if (p.peer == kNone) continue;
            if (delay != 0 && p.flit_delay != delay) return 0;
            delay = p.flit_delay;
        }
    }
    return delay != 0 ? delay : switch_delay_ + 1;
}

void RouterArray::reset_router(std::uint32_t r) {
    const View v = view(r);
    for (unsigned i = 0; i < n_ports_; ++i) {
        Port& p = v.ports[i];
        p.held = 0;
        p.credit = all_vcs_;
        p.sa_input_pointer = p.sa_output_pointer = p.vc_offset = 0;
        if (!slow_links_.empty()) slow_links_[std::size_t{r} * n_ports_ + i].free_ps = 0;
    }
    for (unsigned i = 0; i < n_local_; ++i) {
        v.inputs[i].va_pointer = 0;
        v.outputs[i] = {static_cast<std::uint16_t>(fabric_.buffer), 0, 0};
    }
}

/// The flit that was sent last is damaged: drawn by its number since the last reset.
bool RouterArray::is_lost(std::uint32_t r, unsigned port) const {
    const std::size_t at = std::size_t{r} * n_ports_ + port;
    const std::uint64_t number = this->port(r, port).flits - (flits_before_.empty() ? 0 : flits_before_[at]);
    return loss_rng_.bernoulli(rules_.loss, (std::uint64_t{r} << 8) | port,
                               static_cast<std::uint32_t>(number));
}

void RouterArray::reset() {
    if (rules_.loss > 0) flits_before_.resize(topology_.n_routers() * n_ports_);
    for (std::size_t i = 0; i < flits_before_.size(); ++i)
        flits_before_[i] =
            port(static_cast<std::uint32_t>(i / n_ports_), static_cast<unsigned>(i % n_ports_)).flits;
    for (const std::uint32_t r : touched_) {
        reset_router(r);
        if (generic_ && allocators_[r].vc != nullptr) {
            allocators_[r].vc->reset();
            allocators_[r].output->reset();
        }
        router(r).flags &= ~std::uint32_t{kTouched};
    }
    touched_.clear();
}

std::vector<PortUse> RouterArray::port_use(std::uint32_t router) const {
    std::vector<PortUse> use;
    for (unsigned p = 0; p < topology_.n_ports(router); ++p) {
        const Port& out = port(router, p);
        if (out.peer == kNone) continue;
        use.push_back({topology_.port_name(p), p < link_ports_ ? out.peer : kNone, out.flits});
    }
    return use;
}

void RouterArray::describe(std::vector<std::string>& lines, std::size_t limit) const {
    for (std::size_t i = 0; i < topology_.n_routers() * n_local_ && lines.size() < limit; ++i) {
        const auto r = static_cast<std::uint32_t>(i / n_local_);
        const InputVc& v = input(r, static_cast<unsigned>(i % n_local_));
        if (v.queue.empty()) continue;
        const Port& out = port(r, v.out_port);
        std::string why = "waits for a virtual channel of";
        if (v.state == State::Active) {
            why = (out.credit >> v.out_vc & 1u) != 0
                      ? fmt::format("may go on over virtual channel {} of", v.out_vc)
                      : fmt::format("waits for a credit of virtual channel {} of", v.out_vc);
        }
        const Packet& p = fabric_.packets[fabric_.flits[v.queue.front].packet].packet;
        const unsigned local = static_cast<unsigned>(i % n_local_);
        lines.push_back(
            fmt::format("router {} port {} vc {}: {} flits; packet from endpoint {} to {}{} {} port {}",
                        topology_.router_name(r), topology_.port_name(local / n_vcs_), local % n_vcs_,
                        v.queue.size(fabric_.flits), index(p.source),
                        p.destination.kind == Destination::Kind::Set ? "set " : "", p.destination.value, why,
                        topology_.port_name(v.out_port)));
    }
}

}  // namespace loom::noc
