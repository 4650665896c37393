// SPDX-License-Identifier: Apache-2.0
// Operations are those of the reference's section 5.
#include "training/many_core/backward_pass.hpp"

#include "training/accelerator/neuron_counts.hpp"
#include "training/many_core/geometry.hpp"

namespace loom::training {

using arch::ZeroRule;

void BackwardPass::run(const Round& round) {
    const Placement& placement = at_.view.placement;
    const std::size_t pairs = round.pairs();
    for (std::size_t k = 0; k < pairs + placement.backward_steps; ++k) {
        for (std::uint32_t p = 0; p < placement.populations.size(); ++p) {
            const Population& pop = placement.populations[p];
            const auto due = [&](std::size_t lag) { return k >= lag && k - lag < pairs; };
            const auto at = [&](std::size_t lag) { return round.pair_at(pairs - 1 - (k - lag)); };
            if (due(pop.recursion)) {
                for (const std::uint32_t b : pop.blocks) recursion(b, at(pop.recursion));
                if (pop.window != 0) elements_.statistics(round, p, at(pop.recursion), false);
            }
            if (pop.statistics_travel && due(pop.recursion + 1))
                elements_.statistics(round, p, at(pop.recursion + 1), true);
            if (pop.window == 0 || !due(pop.errors_out)) continue;
            for (const std::uint32_t b : pop.blocks) {
                elements_.work(b, at(pop.errors_out), Elements::Part::Apply);
                errors_out(b, at(pop.errors_out), true);
            }
        }
        at_.runner.run();
    }
}

/// dL/du of a block, and errors of what no norm holds back.
void BackwardPass::recursion(std::uint32_t b, const Pair& pair) {
    TrainingView& view = at_.view;
    view.sample = pair.sample;
    const Block& block = view.placement.blocks[b];
    count_recursion(block, pair.t);
    at_.add_job(block.core, {.cycles = view.on_soma(block.neurons())}, view.neuron_items[block.population]);
    const bool norm = view.population_of(block).window != 0;
    elements_.work(b, pair, norm ? Elements::Part::Sums : Elements::Part::Apply);
    errors_out(b, pair, false);
}

/// Errors through a block's matrices behind a norm, or of the others.
void BackwardPass::errors_out(std::uint32_t b, const Pair& pair, bool behind_norm) {
    TrainingView& view = at_.view;
    view.sample = pair.sample;
    const Block& block = view.placement.blocks[b];
    for (const std::uint32_t f : view.population_of(block).feeds) {
        const Feed& feed = view.feed(f);
        if (!view.linear(feed).sends_error || feed.sources.empty()) continue;
        if ((feed.window != 0) != behind_norm) continue;
        at_.add_job(block.core, {.cycles = at_.arithmetic.errors_back(view, b, f, pair.t)},
                    view.linear_items[feed.linear]);
        send_errors(block, f, pair);
    }
}

/// Set bits of a block's neurons in timestep t.
std::uint64_t BackwardPass::ones(const Block& block, const arch::BitSignal& signal, std::size_t t) const {
    const std::size_t channels = at_.view.population_of(block).channels;
    const auto row = signal.row(t, at_.view.sample);
    std::uint64_t n = 0;
    for (std::size_t q = block.first_position; q < block.last_position; ++q)
        n += ones_between(row, q * channels + block.first_channel, q * channels + block.last_channel);
    return n;
}

/// Surrogate and recursion of dL/du of a block's neurons.
void BackwardPass::count_recursion(const Block& block, std::size_t t) {
    TrainingView& view = at_.view;
    const arch::TrainingWork& work = *view.work;
    const arch::NeuronWork& neurons = work.neurons[block.population];
    const std::uint64_t n = block.neurons();
    PhaseRecord& r = view.of_neurons(block.population);
    r.busy += n;
    r.counts.membrane_read += n;
    if (neurons.rectifier) {
        r.counts.add += n;
        r.counts.error_write += n;
        return;
    }
    const bool later = t + 1 < work.steps, skip = view.sparsity.errors == ZeroRule::Skip;
    const ZeroCost product =
        zero_cost(view.sparsity.derivative, neurons.fires ? ones(block, neurons.derivative, t) : n, n);
    const auto errors = [&](std::uint64_t useful) {
        return zero_cost(view.sparsity.errors, useful, n).operations;
    };
    NeuronErrors e{.all = n, .open = product.operations};
    e.joined = work.temporal && (work.truncate == 0 || (t + 1) % work.truncate != 0);
    e.through_reset = !work.detach_reset;
    if (e.joined) {
        e.later = errors(later ? ones(block, neurons.error, t + 1) : 0);
        e.carried = errors(later ? n : 0);
    }
    e.now = errors(ones(block, neurons.error, t));
    add_backward(neurons, e, &TrainingCounters::multiply, r.counts);
    r.counts.gated += product.gated;
    if (e.joined) r.counts.error_read += skip ? e.later : later ? n : 0;
    if (e.joined && later) r.counts.error_read += n * neurons.carried_errors();
    if (work.temporal) r.counts.error_write += n * neurons.carried_errors();
    if (neurons.learns_leak) r.counts.membrane_read += neurons.scales_input ? 2 * n : n;
    r.counts.error_write += skip ? e.now : n;
}

/// Sets reached_ for input positions and groups that errors of a block reach.
void BackwardPass::find_reached(const Block& block, const arch::LinearWork& l, const Pair& pair) {
    const arch::LinearShape& s = l.shape;
    const auto errors = l.error.row(pair.t, pair.sample);
    const bool skip = at_.view.sparsity.errors == ZeroRule::Skip;
    reached_.assign(s.in_h * s.in_w * s.groups, 0);
    const auto reach = [&](std::size_t q, std::size_t group, const ChannelSpan& channels) {
        if (skip && ones_between(errors, q * s.out_c + channels.first, q * s.out_c + channels.last) == 0)
            return;
        each_input(s, q, [&](std::size_t p, std::size_t) { reached_[p * s.groups + group] = 1; });
    };
    for (std::size_t q = block.first_position; q < block.last_position; ++q)
        each_group(s, block.first_channel, block.last_channel,
                   [&](std::size_t group, const ChannelSpan& channels) { reach(q, group, channels); });
}

/// One partial error per input that errors of the block reach.
void BackwardPass::send_errors(const Block& block, std::uint32_t f, const Pair& pair) {
    const TrainingView& view = at_.view;
    const Feed& feed = view.feed(f);
    const bool late = feed.delayed && !view.work->neurons[block.population].rectifier;
    if (late && pair.t == 0) return;
    const std::size_t to = view.number({pair.t - (late ? 1 : 0), pair.sample});
    const arch::LinearWork& l = view.linear(feed);
    const std::size_t inputs = l.shape.group_inputs();
    const bool only_wanted = view.sparsity.derivative == ZeroRule::Skip;
    find_reached(block, l, pair);
    for (std::size_t p = 0; p < reached_.size(); ++p) {
        if (reached_[p] == 0) continue;
        for (std::size_t e = p * inputs; e < (p + 1) * inputs; ++e) {
            if (only_wanted && !l.wanted.test(pair.t, pair.sample, e)) continue;
            const std::uint32_t set = at_.ways.backward(f, e);
            if (set == Destinations::kNowhere) continue;
            at_.send(block.core, set, ErrorMessage{f, e, to}, view.room.error_bits);
        }
    }
}

}  // namespace loom::training
