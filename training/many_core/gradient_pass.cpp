// SPDX-License-Identifier: Apache-2.0
// Operations are those of the reference's section 5.
#include "training/many_core/gradient_pass.hpp"

#include "training/many_core/geometry.hpp"

namespace loom::training {
namespace {

using arch::ZeroRule;

/// Input positions [first, last) that output positions [first, last) see, whole rows.
std::pair<std::size_t, std::size_t> inputs_of(const arch::LinearShape& s, std::size_t first,
                                              std::size_t last) {
    const auto rows = s.window.rows.inputs_seen(first / s.out_w, (last - 1) / s.out_w + 1, s.in_h);
    return {rows.first * s.in_w, rows.end * s.in_w};
}

}  // namespace

void GradientPass::run(const Round& round) {
    TrainingView& view = at_.view;
    for (const Block& block : view.placement.blocks)
        for (const std::uint32_t f : view.population_of(block).feeds) {
            Cycles cycles = 0;
            for (std::size_t i = 0; i < round.pairs(); ++i)
                cycles += gradient_of(block, view.feed(f), round.pair_at(i));
            at_.add_job(block.core, {.cycles = cycles}, view.item_of_feed(f));
        }
    at_.runner.run();
}

Cycles GradientPass::gradient_of(const Block& block, const Feed& feed, const Pair& pair) {
    TrainingView& view = at_.view;
    view.sample = pair.sample;
    const arch::LinearWork& l = view.linear(feed);
    const arch::LinearShape& s = l.shape;
    const auto inputs = (view.work->traces ? l.trace : l.input).row(pair.t, pair.sample);
    const auto errors = l.error.row(pair.t, pair.sample);
    PhaseRecord& r = view.of_linear(feed.linear);
    if (l.bias)
        for (std::size_t q = block.first_position; q < block.last_position; ++q)
            r.counts.add +=
                ones_between(errors, q * s.out_c + block.first_channel, q * s.out_c + block.last_channel);
    nonzero_.assign(s.out_h * s.out_w, 0);
    Cycles cycles = 0;
    const auto [first_input, last_input] = inputs_of(s, block.first_position, block.last_position);
    const auto position = [&](std::size_t p, std::size_t group, const ChannelSpan& channels) {
        const std::size_t first = p * s.in_c + group * s.group_inputs();
        const std::uint64_t x = ones_between(inputs, first, first + s.group_inputs());
        const std::uint64_t rows = view.sparsity.spikes == ZeroRule::Skip ? x : s.group_inputs();
        if (rows == 0) return;
        std::uint64_t useful = 0, all = 0;
        each_output(s, p, [&](std::size_t q, std::size_t) {
            if (q < block.first_position || q >= block.last_position) return;
            useful += nonzero_[q];
            all += channels.size();
        });
        const ZeroCost each = zero_cost(view.sparsity.errors, useful, all);
        const std::uint64_t working = view.sparsity.spikes == ZeroRule::Dense ? rows : x;
        r.counts[l.binary_input && !view.work->traces ? &TrainingCounters::ac : &TrainingCounters::mac] +=
            working * each.operations;
        r.counts.gated += working * each.gated + (rows - working) * each.slots;
        r.counts.spike_read += rows;
        r.counts.error_read += rows * each.slots;
        r.counts.gradient_read += working * each.operations;
        r.counts.gradient_write += working * each.operations;
        r.busy += working * each.operations;
        cycles += rows * view.on_lanes(each.slots);
    };
    each_group(s, block.first_channel, block.last_channel,
               [&, from = first_input, to = last_input](std::size_t group, const ChannelSpan& channels) {
                   for (std::size_t q = block.first_position; q < block.last_position; ++q)
                       nonzero_[q] =
                           ones_between(errors, q * s.out_c + channels.first, q * s.out_c + channels.last);
                   for (std::size_t p = from; p < to; ++p) position(p, group, channels);
               });
    return cycles;
}

}  // namespace loom::training
