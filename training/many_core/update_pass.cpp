// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/update_pass.hpp"

namespace loom::training {

void UpdatePass::run() {
    exchange_.gather();
    update_kernels();
    update_parameters();
    at_.runner.run();
    exchange_.spread();
}

void UpdatePass::update_kernels() {
    TrainingView& view = at_.view;
    for (const SharedKernel& kernel : view.placement.shared) {
        const Block& owner = view.placement.blocks[kernel.owner];
        for (const std::uint32_t f : view.population_of(owner).feeds)
            at_.add_job(owner.core, at_.arithmetic.update(view, kernel.owner, f), view.item_of_feed(f));
    }
}

/// Norms' parameters where their statistics are made; those of neurons (a leak, a width) in the first block.
void UpdatePass::update_parameters() {
    const TrainingView& view = at_.view;
    for (const SharedKernel& kernel : view.placement.shared) {
        const Block& owner = view.placement.blocks[kernel.owner];
        const Population& pop = view.population_of(owner);
        for (const PlacedElement& placed : pop.elements)
            update(owner.core, placed.item,
                   part_of(view.work->elements[placed.element].parameters, owner.first_channel,
                           owner.channels(), pop.channels));
    }
    for (std::size_t p = 0; p < view.work->neurons.size(); ++p)
        update(at_.ways.neurons(p).owner, view.neuron_items[p], view.work->neurons[p].parameters());
}

void UpdatePass::update(std::uint32_t core, std::uint32_t item, std::uint64_t values) {
    if (values == 0) return;
    TrainingView& view = at_.view;
    const std::uint64_t moved = view.weights_moved(view.words(values));
    view.of_item(item).counts.weight_read += moved;
    view.of_item(item).counts.weight_write += moved;
    at_.add_job(core, {.cycles = view.on_lanes(count_optimiser_of(view, item, values))}, item);
}

}  // namespace loom::training
