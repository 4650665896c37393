// SPDX-License-Identifier: Apache-2.0
// Operations are those of the reference's section 5.
#include "training/many_core/forward_pass.hpp"

#include <algorithm>

#include "training/accelerator/neuron_counts.hpp"

namespace loom::training {

using arch::ZeroRule;

void ForwardPass::run(const Round& round) {
    const Placement& placement = at_.view.placement;
    const std::size_t pairs = round.pairs();
    for (std::size_t k = 0; k < pairs + placement.forward_steps; ++k) {
        if (k < pairs) send_input(round.pair_at(k));
        for (std::uint32_t p = 0; p < placement.populations.size(); ++p) {
            const Population& pop = placement.populations[p];
            const auto due = [&](std::size_t lag) { return k >= lag && k - lag < pairs; };
            if (pop.window != 0 && due(pop.sums_ready)) {
                const Pair pair = round.pair_at(k - pop.sums_ready);
                for (const std::uint32_t b : pop.blocks) sum_statistics(b, pair);
                elements_.statistics(round, p, pair, false);
            }
            if (pop.statistics_travel && due(pop.sums_ready + 1))
                elements_.statistics(round, p, round.pair_at(k - pop.sums_ready - 1), true);
            if (!due(pop.fires)) continue;
            for (const std::uint32_t b : pop.blocks) update_block(b, round.pair_at(k - pop.fires));
        }
        at_.runner.run();
    }
}

void ForwardPass::send_input(const Pair& pair) {
    const TrainingView& view = at_.view;
    for (std::uint32_t f = 0; f < view.placement.feeds.size(); ++f) {
        const Feed& feed = view.feed(f);
        const arch::LinearWork& l = view.linear(feed);
        if (!feed.from_input || (l.constant_input && pair.t > 0))
            continue;  // a constant current is kept by its neurons
        const auto bits = l.input.row(pair.t, pair.sample);
        each_sent(view, bits, 0, l.input.count(), [&](std::size_t e, bool zero) {
            const std::uint32_t set = at_.ways.forward(f, e);
            if (set != Destinations::kNowhere)
                at_.send(view.host(), set, InputMessage{f, e, view.number(pair), zero},
                         l.binary_input ? 0 : view.room.membrane_bits);
        });
    }
}

/// When sums_ are complete; a block's first matrix is given the time until then.
Cycles ForwardPass::await_sums(const Block& block) {
    Cycles ready = 0;
    for (const CoreSums& s : sums_) ready = std::max(ready, s.ready);
    at_.add_job(block.core, {.tail = ready}, at_.view.item_of_feed(at_.view.population_of(block).feeds[0]));
    return ready;
}

/// Inputs of a pair are complete at a block: they enter the sums of its norms.
void ForwardPass::sum_statistics(std::uint32_t b, const Pair& pair) {
    at_.view.sample = pair.sample;
    sums_.clear();
    at_.arithmetic.sums(at_.view, b, at_.view.number(pair), sums_);
    elements_.work(b, pair, Elements::Part::Sums, await_sums(at_.view.placement.blocks[b]));
}

/// Neurons of a block are updated; what they give leaves behind it.
void ForwardPass::update_block(std::uint32_t b, const Pair& pair) {
    TrainingView& view = at_.view;
    view.sample = pair.sample;
    const Block& block = view.placement.blocks[b];
    count_update(block);
    sums_.clear();
    if (view.population_of(block).window == 0)
        at_.arithmetic.sums(view, b, view.number(pair), sums_);
    else
        sums_.push_back({0, block.neurons()});  // they were made before the statistics
    const Cycles ready = await_sums(block);
    elements_.work(b, pair, Elements::Part::Apply, ready);
    const std::uint32_t item = view.neuron_items[block.population];
    for (const CoreSums& s : sums_)
        at_.add_job(block.core, {.ready = s.ready, .cycles = view.on_soma(s.neurons)}, item);
    send_outputs(block, pair);
}

void ForwardPass::count_update(const Block& block) {
    const arch::NeuronWork& neurons = at_.view.work->neurons[block.population];
    const std::uint64_t n = block.neurons();
    PhaseRecord& r = at_.view.of_neurons(block.population);
    r.busy += n;
    if (neurons.rectifier) {
        r.counts.add += n;
        r.counts.membrane_read += n;
        r.counts.membrane_write += n;
        return;
    }
    add_forward(neurons, n, &TrainingCounters::multiply, r.counts);
    r.counts.membrane_read += n * neurons.states();
    r.counts.membrane_write += n * (neurons.states() + 1);  // and, for the backward pass, its history
}

void ForwardPass::send_outputs(const Block& block, const Pair& pair) {
    const TrainingView& view = at_.view;
    const arch::NeuronWork& neurons = view.work->neurons[block.population];
    for (std::uint32_t f = 0; f < view.placement.feeds.size(); ++f) {
        const Feed& feed = view.feed(f);
        const bool late = feed.delayed && !neurons.rectifier;  // an ANN makes one pass
        if (late && pair.t + 1 == view.work->steps) continue;
        const Pair to{pair.t + (late ? 1 : 0), pair.sample};
        for (const SourceMap& source : feed.sources)
            if (source.population == block.population) send_to(block, f, source, pair, to);
    }
}

/// What a block gives in `pair`, as input `to` of a matrix.
void ForwardPass::send_to(const Block& block, std::uint32_t f, const SourceMap& source, const Pair& pair,
                          const Pair& to) {
    TrainingView& view = at_.view;
    const Feed& feed = view.feed(f);
    const arch::NeuronWork& neurons = view.work->neurons[block.population];
    const std::uint64_t bits = feed.values ? view.room.membrane_bits : 0;
    const std::size_t number = view.number(to);
    PhaseRecord& r = view.of_neurons(block.population);
    const auto emit_to = [&](std::uint32_t e, bool zero) {
        const std::uint32_t set = at_.ways.forward(f, e);
        if (set == Destinations::kNowhere) return;
        at_.send(block.core, set, InputMessage{f, e, number, zero}, bits);
        r.counts.spike_read += std::max<std::uint64_t>(1, bits);
    };
    const auto emit = [&](std::size_t i, bool zero) {
        for (const std::uint32_t e : source.inputs_of(i)) emit_to(e, zero);
    };
    const std::size_t channels = view.population_of(block).channels;
    const auto spikes = neurons.spikes.row(pair.t, pair.sample);
    const arch::BitSignal& input = view.linear(feed).input;
    const bool integrates = !neurons.fires && !neurons.rectifier,
               skip = view.sparsity.spikes == ZeroRule::Skip;
    for (std::size_t q = block.first_position; q < block.last_position; ++q) {
        const std::size_t first = q * channels + block.first_channel,
                          last = q * channels + block.last_channel;
        if (!integrates) {
            each_sent(view, spikes, first, last, emit);
            continue;
        }
        for (std::size_t i = first; i < last; ++i) {  // membranes: zeros are known where they arrive
            for (const std::uint32_t e : source.inputs_of(i)) {
                const bool zero = !input.test(to.t, to.sample, e);
                if (!zero || !skip) emit_to(e, zero);
            }
        }
    }
}

}  // namespace loom::training
