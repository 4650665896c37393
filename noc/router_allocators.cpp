// SPDX-License-Identifier: Apache-2.0
// A cycle in routers with other allocators than the default ones.
#include <algorithm>
#include <bit>

#include "noc/router_inline.hpp"

namespace loom::noc {

/// Other allocators than the default: requests are collected, matched and committed.
bool RouterArray::evaluate_generic(Step& c, const View& r) {
    Port* const ports = r.ports;
    Allocators& allocators = allocators_[r.id];
    if (allocators.vc == nullptr) {
        AllocatorShape shape{n_local_, n_local_, find_arbiter(rules_.spec.arbiter),
                             static_cast<unsigned>(rules_.spec.iterations)};
        allocators.vc = make_allocator("vc_allocator", rules_.spec.vc_allocator, shape);
        shape.inputs = shape.outputs = n_ports_;
        allocators.output = make_allocator("switch_allocator", rules_.spec.switch_allocator, shape);
    }
    bool work = false;
    vc_requests_.clear();
    output_requests_.clear();
    output_request_vc_.clear();
    const auto want = [&](unsigned local, const InputVc& v, bool low, std::uint32_t age) {
        // of the VCs of an input port that want the same output, one is kept
        const unsigned in = local / n_vcs_, vc = local % n_vcs_;
        for (std::size_t i = 0; i < output_requests_.size(); ++i) {
            AllocationRequest& q = output_requests_[i];
            if (q.in != in || q.out != v.out_port) continue;
            const bool better = q.low != low ? q.low
                                : rules_.spec.arbiter == "age" && q.age != age
                                    ? age > q.age
                                    : rr_distance(vc, ports[in].vc_offset, n_vcs_) <
                                          rr_distance(output_request_vc_[i], ports[in].vc_offset, n_vcs_);
            if (better) {
                q.low = low;
                q.age = age;
                output_request_vc_[i] = vc;
            }
            return;
        }
        output_requests_.push_back({static_cast<std::uint16_t>(in), v.out_port, low, age});
        output_request_vc_.push_back(vc);
    };
    for (std::uint64_t busy = r.router.busy; busy != 0; busy &= busy - 1) {
        const auto in_port = static_cast<unsigned>(std::countr_zero(busy));
        for (std::uint64_t in_vcs = ports[in_port].occupied; in_vcs != 0; in_vcs &= in_vcs - 1) {
            const auto in_vc = static_cast<unsigned>(std::countr_zero(in_vcs));
            const unsigned local = in_port * n_vcs_ + in_vc;
            InputVc& v = r.inputs[local];
            const std::uint32_t age = c.now32() - c.packets[c.flits[v.queue.front].packet].packet.entered;
            if (v.state == State::Active) {
                const Port& out = ports[v.out_port];
                if ((out.credit >> v.out_vc & 1u) == 0 || next_flit(c, r, local, v) == kNone) continue;
                work = true;
                if (!link_busy(r, v.out_port, c.now)) want(local, v, false, age);
            } else if (v.state == State::Drop) {
                drop_front(c, r, in_port, in_vc);
                work = true;
            } else if (static_cast<std::int32_t>(v.ready - c.now32()) > 0) {
                work = true;
            } else {
                std::uint64_t free = free_vcs(ports[v.out_port], v);
                if (v.several && !choose_port(r, local, v, free)) continue;
                if (free == 0) continue;
                work = true;
                for (std::uint64_t f = free; f != 0; f &= f - 1) {
                    const unsigned out = v.out_port * n_vcs_ + static_cast<unsigned>(std::countr_zero(f));
                    vc_requests_.push_back(
                        {static_cast<std::uint16_t>(local), static_cast<std::uint16_t>(out), false, age});
                }
                const Port& out = ports[v.out_port];
                if (rules_.pipeline.speculative && (free & out.credit) != 0 &&
                    !link_busy(r, v.out_port, c.now))
                    want(local, v, true, age);
            }
        }
    }
    // the switch is matched before the VCs of this cycle are known, and committed after them
    vc_grants_.clear();
    if (!vc_requests_.empty()) allocators.vc->allocate(vc_requests_, vc_grants_);
    grants_.clear();
    if (!output_requests_.empty()) allocators.output->allocate(output_requests_, grants_);
    for (const auto& g : vc_grants_) {
        InputVc& v = r.inputs[g.in];
        give_vc(r, v, g.out - v.out_port * n_vcs_);
    }
    for (const auto& g : grants_) {
        const auto q = std::find_if(output_requests_.begin(), output_requests_.end(),
                                    [&](const auto& x) { return x.in == g.in && x.out == g.out; });
        const unsigned vc = output_request_vc_[static_cast<std::size_t>(q - output_requests_.begin())];
        ports[g.in].vc_offset = static_cast<std::uint16_t>(rr_next(vc, n_vcs_));
        const InputVc& v = r.inputs[g.in * n_vcs_ + vc];
        if (v.state != State::Active || (ports[g.out].credit >> v.out_vc & 1u) == 0) continue;  // in vain
        send(c, r, g.in, vc);
    }
    return work && r.router.busy != 0;
}

}  // namespace loom::noc
