// SPDX-License-Identifier: Apache-2.0
// Kernels of which several cores have a copy: their gradients are summed where they are updated.
#include "training/many_core/many_core_engine.hpp"

namespace loom::training {
namespace {

constexpr std::size_t kGradients = 0, kWeights = 1;

}  // namespace

void ManyCoreEngine::exchange(bool gradients) {
    bool any = false;
    for (std::size_t k = 0; k < kernel_sharers_.size(); ++k) {
        const Sharers& s = kernel_sharers_[k];
        if (s.copies.empty()) continue;
        any = true;
        const Block& owner = view_.placement.blocks[view_.placement.shared[k].owner];
        for (const std::uint32_t f : view_.placement.populations[owner.population].feeds) {
            const arch::LinearWork& l = view_.linear(view_.placement.feeds[f]);
            const std::uint64_t weights =
                (l.shape.weights() / l.shape.out_c + (l.bias ? 1 : 0)) * owner.channels();
            if (!gradients) send_values(s.owner, s.to_copies, f, weights, kWeights, view_.room.weight_bits);
            if (!gradients) continue;
            for (const std::uint32_t core : s.copies)
                send_values(core, s.to_owner, f, weights, kGradients, view_.room.gradient_bits);
        }
    }
    if (any) run_step();
}

Cycles ManyCoreEngine::arrive_exchange(const Packet& packet) {
    PhaseRecord& r = view_.of_linear(view_.placement.feeds[packet.tag].linear);
    const std::uint64_t n = packet.axon;
    if (static_cast<std::size_t>(packet.payload) == kWeights) {
        count(r, Event::WeightWrite) += view_.weights_moved(view_.words(n));
        return view_.to_read(view_.words(n));
    }
    count(r, Event::Add) += n;
    count(r, Event::GradientRead) += n;
    count(r, Event::GradientWrite) += n;
    r.busy += n;
    return view_.on_lanes(n);
}

}  // namespace loom::training
