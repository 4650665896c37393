// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "noc/vc/general_cycle.hpp"

namespace loom::noc {

std::unique_ptr<RouterCycle> make_general_cycle(RouterState& state) {
    if (state.rules.has_default_allocators()) return std::make_unique<GeneralCycle>(state);
    return std::make_unique<MatchedCycle>(state);
}

MatchedCycle::MatchedCycle(RouterState& state)
    : GeneralCycle(state),
      by_age_(find_arbiter(state.rules.spec.arbiter) == ArbiterKind::Age),
      allocators_(state.topology.n_routers()) {}

void MatchedCycle::reset() {
    GeneralCycle::reset();
    for (const std::uint32_t r : state_.touched) {
        if (allocators_[r].vc == nullptr) continue;
        allocators_[r].vc->reset();
        allocators_[r].output->reset();
    }
}

MatchedCycle::Allocators& MatchedCycle::allocators_of(std::uint32_t router) {
    Allocators& allocators = allocators_[router];
    if (allocators.vc != nullptr) return allocators;
    const arch::RouterSpec& spec = state_.rules.spec;
    AllocatorShape shape{state_.n_local, state_.n_local, find_arbiter(spec.arbiter),
                         static_cast<unsigned>(spec.iterations)};
    allocators.vc = make_allocator("vc_allocator", spec.vc_allocator, shape);
    shape.inputs = shape.outputs = state_.n_ports;
    allocators.output = make_allocator("switch_allocator", spec.switch_allocator, shape);
    return allocators;
}

/// An input VC wants its output. Of the VCs of an input port that want the same one, one is kept.
void MatchedCycle::request_output(const View& r, unsigned local, const InputVc& v, bool low,
                                  std::uint32_t age) {
    const unsigned n_vcs = state_.n_vcs, in = local / n_vcs, vc = local % n_vcs;
    const unsigned first = r.ports[in].vc_offset;
    for (std::size_t i = 0; i < output_requests_.size(); ++i) {
        AllocationRequest& q = output_requests_[i];
        if (q.in != in || q.out != v.out_port) continue;
        const bool better = q.low != low              ? q.low
                            : by_age_ && q.age != age ? age > q.age
                                                      : rr_distance(vc, first, n_vcs) <
                                                            rr_distance(output_request_vc_[i], first, n_vcs);
        if (better) {
            q.low = low;
            q.age = age;
            output_request_vc_[i] = vc;
        }
        return;
    }
    output_requests_.push_back({static_cast<std::uint16_t>(in), v.out_port, low, age});
    output_request_vc_.push_back(vc);
}

/// What an input VC with flits asks for in this cycle. True: there is something to do in the next one, too.
bool MatchedCycle::request(Step& c, const View& r, unsigned in_port, unsigned in_vc) {
    const unsigned local = in_port * state_.n_vcs + in_vc;
    InputVc& v = r.inputs[local];
    const std::uint32_t age = c.now32() - c.packets[c.flits[v.queue.front].packet].packet.entered;
    if (v.phase == Phase::Active) {
        const Port& out = r.ports[v.out_port];
        if ((out.credit >> v.out_vc & 1u) == 0 || next_flit(c, r, local, v) == kNone) return false;
        if (!link_busy(r, v.out_port, c.now)) request_output(r, local, v, false, age);
        return true;
    }
    if (v.phase == Phase::Drop) {
        drop_front(c, r, in_port, in_vc);
        return true;
    }
    if (static_cast<std::int32_t>(v.ready - c.now32()) > 0) return true;
    std::uint64_t free = state_.free_vcs(r.ports[v.out_port], v);
    if (v.several && !choose_port(r, local, v, free)) return false;
    if (free == 0) return false;
    for (std::uint64_t f = free; f != 0; f &= f - 1) {
        const unsigned out = v.out_port * state_.n_vcs + static_cast<unsigned>(std::countr_zero(f));
        vc_requests_.push_back(
            {static_cast<std::uint16_t>(local), static_cast<std::uint16_t>(out), false, age});
    }
    const bool has_credit = (free & r.ports[v.out_port].credit) != 0;
    if (state_.rules.pipeline.speculative && has_credit && !link_busy(r, v.out_port, c.now))
        request_output(r, local, v, true, age);
    return true;
}

bool MatchedCycle::evaluate_router(Step& c, const View& r) {
    bool work = false;
    vc_requests_.clear();
    output_requests_.clear();
    output_request_vc_.clear();
    for (std::uint64_t busy = r.router.busy; busy != 0; busy &= busy - 1) {
        const auto in_port = static_cast<unsigned>(std::countr_zero(busy));
        for (std::uint64_t vcs = r.ports[in_port].occupied; vcs != 0; vcs &= vcs - 1)
            work |= request(c, r, in_port, static_cast<unsigned>(std::countr_zero(vcs)));
    }
    commit(c, r);
    return work && r.router.busy != 0;
}

/// The switch is matched before the VCs of this cycle are known, and committed after them.
void MatchedCycle::commit(Step& c, const View& r) {
    Allocators& allocators = allocators_of(r.id);
    vc_grants_.clear();
    if (!vc_requests_.empty()) allocators.vc->allocate(vc_requests_, vc_grants_);
    grants_.clear();
    if (!output_requests_.empty()) allocators.output->allocate(output_requests_, grants_);
    for (const auto& g : vc_grants_) {
        InputVc& v = r.inputs[g.in];
        give_vc(r, v, g.out - v.out_port * state_.n_vcs);
    }
    for (const auto& g : grants_) {
        const auto q = std::find_if(output_requests_.begin(), output_requests_.end(),
                                    [&](const auto& x) { return x.in == g.in && x.out == g.out; });
        const unsigned vc = output_request_vc_[static_cast<std::size_t>(q - output_requests_.begin())];
        r.ports[g.in].vc_offset = static_cast<std::uint16_t>(rr_next(vc, state_.n_vcs));
        const InputVc& v = r.inputs[g.in * state_.n_vcs + vc];
        if (v.phase != Phase::Active || (r.ports[g.out].credit >> v.out_vc & 1u) == 0) continue;  // in vain
        send(c, r, g.in, vc);
    }
}

}  // namespace loom::noc
