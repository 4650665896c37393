// SPDX-License-Identifier: Apache-2.0
// What the cores do forward, for weight gradients and in updates (backward: many_core_backward.cpp).
// Operations are those of the reference's section 5.
#include <algorithm>

#include "training/accelerator/neuron_counts.hpp"
#include "training/many_core/bits.hpp"
#include "training/many_core/geometry.hpp"
#include "training/many_core/many_core_engine.hpp"

namespace loom::training {

using arch::ZeroRule;

namespace {

/// Input positions [first, last) that output positions [first, last) see, whole rows.
std::pair<std::size_t, std::size_t> inputs_of(const arch::LinearShape& s, std::size_t first,
                                              std::size_t last) {
    const arch::WindowAxis& rows = s.window.rows;
    const std::size_t top = first / s.out_w * rows.stride,
                      bottom = (last - 1) / s.out_w * rows.stride + rows.span();
    const std::size_t begin = std::min(s.in_h, top > rows.before ? top - rows.before : 0);
    const std::size_t end = bottom > rows.before ? bottom - rows.before : 0;
    return {begin * s.in_w, std::min(end, s.in_h) * s.in_w};
}

}  // namespace

void ManyCoreEngine::forward() {
    enter(Phase::Forward);
    const std::size_t pairs = round_.pairs();
    for (std::size_t k = 0; k < pairs + view_.placement.forward_steps; ++k) {
        if (k < pairs) send_input(pair_at(k));
        for (std::uint32_t p = 0; p < view_.placement.populations.size(); ++p) {
            const Population& pop = view_.placement.populations[p];
            const auto due = [&](std::size_t lag) { return k >= lag && k - lag < pairs; };
            if (pop.window != 0 && due(pop.sums_ready)) {
                for (const std::uint32_t b : pop.blocks) statistics_sums(b, pair_at(k - pop.sums_ready));
                statistics(p, pair_at(k - pop.sums_ready), false);
            }
            if (pop.statistics_travel && due(pop.sums_ready + 1))
                statistics(p, pair_at(k - pop.sums_ready - 1), true);
            if (!due(pop.fires)) continue;
            for (const std::uint32_t b : pop.blocks) forward_block(b, pair_at(k - pop.fires));
        }
        run_step();
    }
}

void ManyCoreEngine::send_input(const Pair& pair) {
    const auto host = static_cast<std::uint32_t>(view_.room.cores);
    for (std::uint32_t f = 0; f < view_.placement.feeds.size(); ++f) {
        const Feed& feed = view_.placement.feeds[f];
        const arch::LinearWork& l = view_.work->linear[feed.linear];
        if (!feed.from_input || (l.constant_input && pair.t > 0))
            continue;  // a constant current is kept by its neurons
        const auto bits = l.input.row(pair.t, pair.sample);
        each_sent(bits, 0, l.input.count(), [&](std::size_t e, bool zero) {
            const std::uint32_t set = forward_set_[f][e / l.shape.group_inputs()];
            if (set != kNowhere)
                send(host, set, f, e, 2 * number(pair) + (zero ? 1 : 0),
                     l.binary_input ? 0 : view_.room.membrane_bits);
        });
    }
}

Cycles ManyCoreEngine::await_sums(const Block& block) {
    Cycles ready = 0;
    for (const CoreSums& s : sums_) ready = std::max(ready, s.ready);
    const Feed& feed = view_.placement.feeds[view_.placement.populations[block.population].feeds[0]];
    add_job(block.core, {.tail = ready}, view_.linear_items[feed.linear]);
    return ready;
}

/// Neurons of a block are updated; what they give leaves behind it.
void ManyCoreEngine::forward_block(std::uint32_t b, const Pair& pair) {
    view_.sample = pair.sample;
    const Block& block = view_.placement.blocks[b];
    count_update(block);
    sums_.clear();
    if (view_.placement.populations[block.population].window == 0)
        arithmetic_->sums(view_, b, number(pair), sums_);
    else
        sums_.push_back({0, block.neurons()});  // they were made before the statistics
    const Cycles ready = await_sums(block);
    elements(b, pair, Part::Apply, ready);
    const std::uint32_t item = view_.neuron_items[block.population];
    for (const CoreSums& s : sums_)
        add_job(block.core, {.ready = s.ready, .cycles = view_.on_soma(s.neurons)}, item);
    send_outputs(b, pair);
}

void ManyCoreEngine::count_update(const Block& block) {
    const arch::NeuronWork& neurons = view_.work->neurons[block.population];
    const std::uint64_t n = block.neurons();
    PhaseRecord& r = view_.of_neurons(block.population);
    r.busy += n;
    if (neurons.rectifier) {
        count(r, Event::Add) += n;
        count(r, Event::MembraneRead) += n;
        count(r, Event::MembraneWrite) += n;
        return;
    }
    add_forward(neurons, n, Event::Multiply, r.counts);
    count(r, Event::MembraneRead) += n * neurons.states();
    count(r, Event::MembraneWrite) += n * (neurons.states() + 1);  // and, for the backward pass, its history
}

void ManyCoreEngine::send_outputs(std::uint32_t b, const Pair& pair) {
    const Block& block = view_.placement.blocks[b];
    const arch::NeuronWork& neurons = view_.work->neurons[block.population];
    for (std::uint32_t f = 0; f < view_.placement.feeds.size(); ++f) {
        const Feed& feed = view_.placement.feeds[f];
        const bool late = feed.delayed && !neurons.rectifier;  // an ANN makes one pass
        if (late && pair.t + 1 == view_.work->steps) continue;
        const Pair to{pair.t + (late ? 1 : 0), pair.sample};
        for (const SourceMap& source : feed.sources)
            if (source.population == block.population) send_to(block, f, source, pair, to);
    }
}

/// What a block gives in `pair`, as input `to` of a matrix.
void ManyCoreEngine::send_to(const Block& block, std::uint32_t f, const SourceMap& source, const Pair& pair,
                             const Pair& to) {
    const Feed& feed = view_.placement.feeds[f];
    const arch::NeuronWork& neurons = view_.work->neurons[block.population];
    const arch::LinearWork& l = view_.linear(feed);
    const std::uint64_t bits = feed.values ? view_.room.membrane_bits : 0;
    PhaseRecord& r = view_.of_neurons(block.population);
    const auto emit_to = [&](std::uint32_t e, bool zero) {
        const std::uint32_t set = forward_set_[f][e / l.shape.group_inputs()];
        if (set == kNowhere) return;
        send(block.core, set, f, e, 2 * number(to) + (zero ? 1 : 0), bits);
        count(r, Event::SpikeRead) += std::max<std::uint64_t>(1, bits);
    };
    const auto emit = [&](std::size_t i, bool zero) {
        for (const std::uint32_t e : source.inputs_of(i)) emit_to(e, zero);
    };
    const std::size_t channels = view_.placement.populations[block.population].channels;
    const auto spikes = neurons.spikes.row(pair.t, pair.sample);
    const bool integrates = !neurons.fires && !neurons.rectifier,
               skip = view_.sparsity.spikes == ZeroRule::Skip;
    for (std::size_t q = block.first_position; q < block.last_position; ++q) {
        const std::size_t first = q * channels + block.first_channel,
                          last = q * channels + block.last_channel;
        if (!integrates) {
            each_sent(spikes, first, last, emit);
            continue;
        }
        for (std::size_t i = first; i < last; ++i) {  // membranes: zeros are known where they arrive
            for (const std::uint32_t e : source.inputs_of(i)) {
                const bool zero = !l.input.test(to.t, to.sample, e);
                if (!zero || !skip) emit_to(e, zero);
            }
        }
    }
}

void ManyCoreEngine::weight_gradient() {
    enter(Phase::WeightGradient);
    for (const Block& block : view_.placement.blocks)
        for (const std::uint32_t f : view_.placement.populations[block.population].feeds) {
            const Feed& feed = view_.placement.feeds[f];
            Cycles cycles = 0;
            for (std::size_t i = 0; i < round_.pairs(); ++i) {
                view_.sample = pair_at(i).sample;
                cycles += gradient_of(block, feed, pair_at(i).t);
            }
            add_job(block.core, {.cycles = cycles}, view_.linear_items[feed.linear]);
        }
    run_step();
}

Cycles ManyCoreEngine::gradient_of(const Block& block, const Feed& feed, std::size_t t) {
    const arch::LinearWork& l = view_.work->linear[feed.linear];
    const arch::LinearShape& s = l.shape;
    const auto inputs = (view_.work->traces ? l.trace : l.input).row(t, view_.sample);
    const auto errors = l.error.row(t, view_.sample);
    PhaseRecord& r = view_.of_linear(feed.linear);
    if (l.bias)
        for (std::size_t q = block.first_position; q < block.last_position; ++q)
            count(r, Event::Add) +=
                ones_between(errors, q * s.out_c + block.first_channel, q * s.out_c + block.last_channel);
    nonzero_.assign(s.out_h * s.out_w, 0);
    Cycles cycles = 0;
    const auto [first_input, last_input] = inputs_of(s, block.first_position, block.last_position);
    const auto position = [&](std::size_t p, std::size_t group, const ChannelSpan& channels) {
        const std::size_t first = p * s.in_c + group * s.group_inputs();
        const std::uint64_t x = ones_between(inputs, first, first + s.group_inputs());
        const std::uint64_t rows = view_.sparsity.spikes == ZeroRule::Skip ? x : s.group_inputs();
        if (rows == 0) return;
        std::uint64_t useful = 0, all = 0;
        each_output(s, p, [&](std::size_t q, std::size_t) {
            if (q < block.first_position || q >= block.last_position) return;
            useful += nonzero_[q];
            all += channels.size();
        });
        const ZeroCost each = zero_cost(view_.sparsity.errors, useful, all);
        const std::uint64_t working = view_.sparsity.spikes == ZeroRule::Dense ? rows : x;
        count(r, l.binary_input && !view_.work->traces ? Event::Ac : Event::Mac) += working * each.operations;
        count(r, Event::Gated) += working * each.gated + (rows - working) * each.slots;
        count(r, Event::SpikeRead) += rows;
        count(r, Event::ErrorRead) += rows * each.slots;
        count(r, Event::GradientRead) += working * each.operations;
        count(r, Event::GradientWrite) += working * each.operations;
        r.busy += working * each.operations;
        cycles += rows * view_.on_lanes(each.slots);
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

void ManyCoreEngine::weight_update() {
    enter(Phase::WeightUpdate);
    exchange(true);
    exchange_parameters(true);
    for (const SharedKernel& kernel : view_.placement.shared) {
        const Block& block = view_.placement.blocks[kernel.owner];
        for (const std::uint32_t f : view_.placement.populations[block.population].feeds)
            add_job(block.core, arithmetic_->update(view_, kernel.owner, f),
                    view_.linear_items[view_.placement.feeds[f].linear]);
    }
    update_parameters();
    run_step();
    exchange(false);
    exchange_parameters(false);
}

}  // namespace loom::training
