// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/exchange.hpp"

namespace loom::training {

void Exchange::move_kernels(bool gradients) {
    const TrainingView& view = at_.view;
    bool any = false;
    for (std::size_t k = 0; k < view.placement.shared.size(); ++k) {
        const Destinations::Sharers& s = at_.ways.kernel(k);
        if (s.copies.empty()) continue;
        any = true;
        const Block& owner = view.placement.blocks[view.placement.shared[k].owner];
        for (const std::uint32_t f : view.population_of(owner).feeds) {
            const std::uint64_t weights = weights_of(view.linear(view.feed(f)), owner);
            using What = KernelMessage::What;
            if (gradients)
                for (const std::uint32_t core : s.copies)
                    at_.send_values(core, s.to_owner, KernelMessage{f, What::Gradients, weights},
                                    view.room.gradient_bits);
            else
                at_.send_values(s.owner, s.to_copies, KernelMessage{f, What::Weights, weights},
                                view.room.weight_bits);
        }
    }
    if (any) at_.runner.run();
}

void Exchange::move_parameters(bool gradients) {
    const TrainingView& view = at_.view;
    bool any = false;
    for (std::size_t p = 0; p < view.placement.populations.size(); ++p) {
        const Destinations::Sharers& s = at_.ways.neurons(p);
        if (s.copies.empty()) continue;
        any = true;
        ItemMessage message{view.neuron_items[p], ItemMessage::What::Sums,
                            view.work->neurons[p].parameters()};
        if (gradients) {
            for (const std::uint32_t core : s.copies)
                at_.send_values(core, s.to_owner, message, view.room.gradient_bits);
        } else {
            message.what = ItemMessage::What::Results;
            at_.send_values(s.owner, s.to_copies, message, view.room.gradient_bits);
        }
    }
    if (any) at_.runner.run();
}

}  // namespace loom::training
