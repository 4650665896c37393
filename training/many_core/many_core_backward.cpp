// SPDX-License-Identifier: Apache-2.0
// What the cores do while errors go back. Operations are those of the reference's section 5.
#include "training/accelerator/neuron_counts.hpp"
#include "training/many_core/bits.hpp"
#include "training/many_core/geometry.hpp"
#include "training/many_core/many_core_engine.hpp"

namespace loom::training {

using arch::ZeroRule;

void ManyCoreEngine::backward() {
    enter(Phase::Backward);
    const std::size_t pairs = round_.pairs();
    for (std::size_t k = 0; k < pairs + view_.placement.backward_steps; ++k) {
        for (std::uint32_t p = 0; p < view_.placement.populations.size(); ++p) {
            const Population& pop = view_.placement.populations[p];
            const auto due = [&](std::size_t lag) { return k >= lag && k - lag < pairs; };
            const auto at = [&](std::size_t lag) { return pair_at(pairs - 1 - (k - lag)); };
            if (due(pop.recursion)) {
                for (const std::uint32_t b : pop.blocks) recursion(b, at(pop.recursion));
                if (pop.window != 0) statistics(p, at(pop.recursion), false);
            }
            if (pop.statistics_travel && due(pop.recursion + 1)) statistics(p, at(pop.recursion + 1), true);
            if (pop.window == 0 || !due(pop.errors_out)) continue;
            for (const std::uint32_t b : pop.blocks) {
                elements(b, at(pop.errors_out), Part::Apply);
                errors_out(b, at(pop.errors_out), true);
            }
        }
        run_step();
    }
}

/// dL/du of a block, and errors of what no norm holds back.
void ManyCoreEngine::recursion(std::uint32_t b, const Pair& pair) {
    view_.sample = pair.sample;
    const Block& block = view_.placement.blocks[b];
    count_error_recursion(block, pair.t);
    add_job(block.core, {.cycles = view_.on_soma(block.neurons())}, view_.neuron_items[block.population]);
    const bool norm = view_.placement.populations[block.population].window != 0;
    elements(b, pair, norm ? Part::Sums : Part::Apply);
    errors_out(b, pair, false);
}

/// Errors through a block's matrices behind a norm, or of the others.
void ManyCoreEngine::errors_out(std::uint32_t b, const Pair& pair, bool behind_norm) {
    view_.sample = pair.sample;
    const Block& block = view_.placement.blocks[b];
    for (const std::uint32_t f : view_.placement.populations[block.population].feeds) {
        const Feed& feed = view_.placement.feeds[f];
        if (!view_.linear(feed).sends_error || feed.sources.empty()) continue;
        if ((feed.window != 0) != behind_norm) continue;
        add_job(block.core, {.cycles = arithmetic_->errors_back(view_, b, f, pair.t)},
                view_.linear_items[feed.linear]);
        send_errors(block, f, pair);
    }
}

/// Surrogate and recursion of dL/du of a block's neurons.
void ManyCoreEngine::count_error_recursion(const Block& block, std::size_t t) {
    const arch::TrainingWork& work = *view_.work;
    const arch::NeuronWork& neurons = work.neurons[block.population];
    const std::size_t channels = view_.placement.populations[block.population].channels;
    const auto ones = [&](const arch::BitSignal& s, std::size_t at) {
        std::uint64_t n = 0;
        const auto row = s.row(at, view_.sample);
        for (std::size_t q = block.first_position; q < block.last_position; ++q)
            n += ones_between(row, q * channels + block.first_channel, q * channels + block.last_channel);
        return n;
    };
    const std::uint64_t n = block.neurons();
    PhaseRecord& r = view_.of_neurons(block.population);
    r.busy += n;
    count(r, Event::MembraneRead) += n;
    if (neurons.rectifier) {
        count(r, Event::Add) += n;
        count(r, Event::ErrorWrite) += n;
        return;
    }
    const bool later = t + 1 < work.steps, skip = view_.sparsity.errors == ZeroRule::Skip;
    const ZeroCost product =
        zero_cost(view_.sparsity.derivative, neurons.fires ? ones(neurons.derivative, t) : n, n);
    const auto errors = [&](std::uint64_t useful) {
        return zero_cost(view_.sparsity.errors, useful, n).operations;
    };
    NeuronErrors e{.all = n, .open = product.operations};
    e.joined = work.temporal && (work.truncate == 0 || (t + 1) % work.truncate != 0);
    e.through_reset = !work.detach_reset;
    if (e.joined) {
        e.later = errors(later ? ones(neurons.error, t + 1) : 0);
        e.carried = errors(later ? n : 0);
    }
    e.now = errors(ones(neurons.error, t));
    add_backward(neurons, e, Event::Multiply, r.counts);
    count(r, Event::Gated) += product.gated;
    if (e.joined) count(r, Event::ErrorRead) += skip ? e.later : later ? n : 0;
    if (e.joined && later) count(r, Event::ErrorRead) += n * neurons.carried_errors();
    if (work.temporal) count(r, Event::ErrorWrite) += n * neurons.carried_errors();
    if (neurons.learns_leak) count(r, Event::MembraneRead) += neurons.scales_input ? 2 * n : n;
    count(r, Event::ErrorWrite) += skip ? e.now : n;
}

/// One partial error per input that errors of the block reach.
void ManyCoreEngine::send_errors(const Block& block, std::uint32_t f, const Pair& pair) {
    const Feed& feed = view_.placement.feeds[f];
    const bool late = feed.delayed && !view_.work->neurons[block.population].rectifier;
    if (late && pair.t == 0) return;
    const std::size_t to = number({pair.t - (late ? 1 : 0), pair.sample});
    const arch::LinearWork& l = view_.linear(feed);
    const arch::LinearShape& s = l.shape;
    const auto errors = l.error.row(pair.t, pair.sample);
    const bool only_wanted = view_.sparsity.derivative == ZeroRule::Skip;
    reached_.assign(s.in_h * s.in_w * s.groups, 0);
    const auto reach = [&](std::size_t q, std::size_t group, const ChannelSpan& channels) {
        if (view_.sparsity.errors == ZeroRule::Skip &&
            ones_between(errors, q * s.out_c + channels.first, q * s.out_c + channels.last) == 0)
            return;
        each_input(s, q, [&](std::size_t p, std::size_t) { reached_[p * s.groups + group] = 1; });
    };
    for (std::size_t q = block.first_position; q < block.last_position; ++q)
        each_group(s, block.first_channel, block.last_channel,
                   [&](std::size_t group, const ChannelSpan& channels) { reach(q, group, channels); });
    for (std::size_t p = 0; p < reached_.size(); ++p) {
        if (reached_[p] == 0) continue;
        for (std::size_t e = p * s.group_inputs(); e < (p + 1) * s.group_inputs(); ++e) {
            if (only_wanted && !l.wanted.test(pair.t, pair.sample, e)) continue;
            if (backward_set_[f][e] == kNowhere) continue;
            send(block.core, backward_set_[f][e], f, e, 2 * to, view_.room.error_bits);
        }
    }
}

}  // namespace loom::training
