// SPDX-License-Identifier: Apache-2.0
#include "training/many_core/near_memory_arithmetic.hpp"

#include <algorithm>

#include "training/many_core/bits.hpp"
#include "training/many_core/geometry.hpp"

namespace loom::training {

using arch::ZeroRule;

NearMemoryArithmetic::NearMemoryArithmetic(const arch::ChipSpec& chip) {
    const arch::CoreSpec& core = chip.kind(0);
    room_.cores = chip.n_cores();
    room_.memory_bits = core.synapse.memory;
    room_.max_neurons = core.soma.max_neurons;
}

Cycles NearMemoryArithmetic::take_spike(TrainingView& view, std::uint32_t b, std::uint32_t f,
                                        std::size_t element, std::size_t, bool zero) {
    const Block& block = view.placement.blocks[b];
    const Feed& feed = view.placement.feeds[f];
    const arch::LinearWork& l = view.linear(feed);
    const std::size_t group = element % l.shape.in_c / l.shape.group_inputs();
    const std::size_t channels =
        group_channels(l.shape, group, block.first_channel, block.last_channel).size();
    if (channels == 0) return 0;
    std::uint64_t n = 0;
    each_output(l.shape, element / l.shape.in_c, [&](std::size_t q, std::size_t) {
        if (q >= block.first_position && q < block.last_position) n += channels;
    });
    PhaseRecord& r = view.of_linear(feed.linear);
    // Every spike is a packet: behind pooling it adds a share of the weight, which the address generator
    // shifts.
    const ZeroCost cost = zero_cost(view.sparsity.spikes, zero ? 0 : n, n);
    r.counts[feed.values ? &TrainingCounters::mac : &TrainingCounters::ac] += cost.operations;
    r.counts.gated += cost.gated;
    r.counts.weight_read += view.weights_moved(view.words(n));
    r.counts.spike_write += feed.values ? view.room.membrane_bits : 1;
    r.counts.membrane_read += cost.operations;
    r.counts.membrane_write += cost.operations;
    r.busy += cost.operations;
    return std::max(view.on_lanes(n), view.to_read(view.words(n)));
}

void NearMemoryArithmetic::sums(TrainingView& view, std::uint32_t b, std::size_t,
                                std::vector<CoreSums>& sums) {
    sums.push_back({0, view.placement.blocks[b].neurons()});
}

Cycles NearMemoryArithmetic::errors_back(TrainingView& view, std::uint32_t b, std::uint32_t f,
                                         std::size_t t) {
    const Block& block = view.placement.blocks[b];
    const Feed& feed = view.placement.feeds[f];
    const arch::LinearWork& l = view.linear(feed);
    const arch::LinearShape& s = l.shape;
    const auto errors = l.error.row(t, view.sample);
    const auto wanted = l.wanted.row(t, view.sample);
    PhaseRecord& r = view.of_linear(feed.linear);
    Cycles cycles = 0;
    const auto back = [&](std::size_t q, std::size_t group, const ChannelSpan& channels) {
        const std::uint64_t g =
            ones_between(errors, q * s.out_c + channels.first, q * s.out_c + channels.last);
        const std::uint64_t rows = view.sparsity.errors == ZeroRule::Skip ? g : channels.size();
        if (rows == 0) return;
        std::uint64_t open = 0, all = 0;
        each_input(s, q, [&](std::size_t p, std::size_t) {
            const std::size_t first = p * s.in_c + group * s.group_inputs();
            open += ones_between(wanted, first, first + s.group_inputs());
            all += s.group_inputs();
        });
        const ZeroCost each = zero_cost(view.sparsity.derivative, open, all);
        const std::uint64_t working = view.sparsity.errors == ZeroRule::Dense ? rows : g;
        r.counts.mac += working * each.operations;
        r.counts.gated += working * each.gated + (rows - working) * each.slots;
        r.counts.weight_read += view.weights_moved(rows * view.words(each.slots));
        r.counts.error_read += rows;
        r.busy += working * each.operations;
        cycles += rows * std::max(view.on_lanes(each.slots), view.to_read(view.words(each.slots)));
    };
    for (std::size_t q = block.first_position; q < block.last_position; ++q)
        each_group(s, block.first_channel, block.last_channel,
                   [&](std::size_t group, const ChannelSpan& channels) { back(q, group, channels); });
    return cycles;
}

CoreJob NearMemoryArithmetic::update(TrainingView& view, std::uint32_t b, std::uint32_t f) {
    const Feed& feed = view.placement.feeds[f];
    const arch::LinearWork& l = view.linear(feed);
    const std::uint64_t w = weights_of(l, view.placement.blocks[b]);
    PhaseRecord& r = view.of_linear(feed.linear);
    r.counts.weight_read += view.weights_moved(view.words(w));
    r.counts.weight_write += view.weights_moved(view.words(w));
    return {.ready = 0, .cycles = view.on_lanes(count_optimiser(view, feed.linear, w)), .tail = 0};
}

}  // namespace loom::training
