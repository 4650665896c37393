// SPDX-License-Identifier: Apache-2.0
// What the cores do in each phase. Operations are those of the reference's section 5.
#include <algorithm>

#include "sim/training_chip/bits.hpp"
#include "sim/training_chip/geometry.hpp"
#include "sim/training_chip/many_core_engine.hpp"

namespace loom::training {

using arch::ZeroRule;

Cycles ManyCoreEngine::arrive(std::uint32_t core, const Packet& packet) {
    if (view_.phase == Phase::WeightUpdate) return arrive_exchange(packet);
    Cycles cycles = 0;
    const Feed& feed = view_.placement.feeds[packet.tag];
    const auto t = static_cast<std::size_t>(packet.payload);
    for (const std::uint32_t b : blocks_of_core_[core]) {
        const Block& block = view_.placement.blocks[b];
        if (view_.phase == Phase::Backward)
            cycles += arrive_error(block, packet.tag, packet.axon, t);
        else if (block.population == feed.target)
            cycles += arithmetic_->take_spike(view_, b, packet.tag, packet.axon, t);
    }
    return cycles;
}

void ManyCoreEngine::forward() {
    enter(Phase::Forward);
    const std::size_t steps = view_.work->steps;
    for (std::size_t k = 0; k < steps + view_.placement.max_depth + 1; ++k) {
        StepWork step(cores_.size());
        if (k < steps) send_input(k, step);
        for (std::uint32_t b = 0; b < view_.placement.blocks.size(); ++b) {
            const std::size_t lag =
                view_.placement.populations[view_.placement.blocks[b].population].depth + 1;
            if (k >= lag && k - lag < steps) forward_block(b, k - lag, step);
        }
        run_step(step);
    }
}

void ManyCoreEngine::send_input(std::size_t t, StepWork& step) {
    const auto host = static_cast<std::uint32_t>(view_.room.cores);
    for (std::uint32_t f = 0; f < view_.placement.feeds.size(); ++f) {
        const Feed& feed = view_.placement.feeds[f];
        const arch::LinearWork& l = view_.work->linear[feed.linear];
        if (!feed.from_input || (l.constant_input && t > 0))
            continue;  // a constant current is kept by its neurons
        each_one(l.input.row(t, view_.sample), 0, l.input.count(), [&](std::size_t e) {
            const std::uint32_t set = forward_set_[f][e / l.shape.in_c];
            if (set != kNowhere)
                send(step, host, set, f, e, t, l.binary_input ? 0 : view_.room.membrane_bits);
        });
    }
}

void ManyCoreEngine::forward_block(std::uint32_t number, std::size_t t, StepWork& step) {
    const Block& block = view_.placement.blocks[number];
    const arch::NeuronWork& neurons = view_.work->neurons[block.population];
    const std::uint64_t n = block.neurons();
    PhaseRecord& r = view_.of_neurons(block.population);
    if (neurons.leaks) count(r, Event::Multiply) += n;
    count(r, Event::Add) += neurons.fires && !neurons.hard_reset ? 2 * n : n;
    if (neurons.fires) count(r, Event::Compare) += n;
    if (neurons.fires && neurons.hard_reset) count(r, Event::Mux) += n;
    count(r, Event::MembraneRead) += n;
    count(r, Event::MembraneWrite) += 2 * n;  // state and, for the backward pass, its history
    r.busy += n;
    arithmetic_->sweep(view_, number, t, step.jobs[block.core]);

    const std::size_t channels = view_.placement.populations[block.population].channels;
    const auto spikes = neurons.spikes.row(t, view_.sample);
    for (std::uint32_t f = 0; f < view_.placement.feeds.size(); ++f)
        for (const SourceMap& source : view_.placement.feeds[f].sources) {
            if (source.population != block.population) continue;
            const std::size_t in_c = view_.linear(view_.placement.feeds[f]).shape.in_c;
            for (std::size_t q = block.first_position; q < block.last_position; ++q)
                each_one(spikes, q * channels + block.first_channel, q * channels + block.last_channel,
                         [&](std::size_t i) {
                             const std::uint32_t e = source.to_input[i];
                             if (e == UINT32_MAX || forward_set_[f][e / in_c] == kNowhere) return;
                             send(step, block.core, forward_set_[f][e / in_c], f, e, t, 0);
                             count(r, Event::SpikeRead) += 1;
                         });
        }
}

void ManyCoreEngine::backward() {
    enter(Phase::Backward);
    const std::size_t steps = view_.work->steps;
    for (std::size_t k = 0; k < steps + view_.placement.max_depth; ++k) {
        StepWork step(cores_.size());
        for (std::uint32_t b = 0; b < view_.placement.blocks.size(); ++b) {
            const Block& block = view_.placement.blocks[b];
            const std::size_t lag =
                view_.placement.max_depth - view_.placement.populations[block.population].depth;
            if (k >= lag && k - lag < steps) backward_block(b, steps - 1 - (k - lag), step);
        }
        run_step(step);
    }
}

void ManyCoreEngine::backward_block(std::uint32_t number, std::size_t t, StepWork& step) {
    const Block& block = view_.placement.blocks[number];
    count_error_recursion(block, t);
    Cycles cycles = view_.on_soma(block.neurons());
    for (const std::uint32_t f : view_.placement.populations[block.population].feeds) {
        const Feed& feed = view_.placement.feeds[f];
        if (!view_.linear(feed).sends_error || feed.sources.empty()) continue;
        cycles += arithmetic_->errors_back(view_, number, f, t);
        send_errors(block, f, t, step);
    }
    step.jobs[block.core].push_back({.ready = 0, .cycles = cycles, .tail = 0});
}

/// Surrogate and recursion of dL/du of a block's neurons.
void ManyCoreEngine::count_error_recursion(const Block& block, std::size_t t) {
    const arch::NeuronWork& neurons = view_.work->neurons[block.population];
    const std::size_t channels = view_.placement.populations[block.population].channels;
    const std::uint64_t n = block.neurons();
    std::uint64_t open = 0;
    for (std::size_t q = block.first_position; q < block.last_position; ++q)
        open += ones_between(neurons.derivative.row(t, view_.sample), q * channels + block.first_channel,
                             q * channels + block.last_channel);
    PhaseRecord& r = view_.of_neurons(block.population);
    count(r, Event::LutRead) += n * neurons.lut;
    count(r, Event::Compare) += n * neurons.compare;
    count(r, Event::Add) += n * neurons.add;
    count(r, Event::Shift) += n * neurons.shift;
    count(r, Event::Divide) += n * neurons.divide;
    const ZeroCost product = zero_cost(view_.sparsity.derivative, open, n);
    count(r, Event::Multiply) += n * neurons.multiply + product.operations;
    count(r, Event::Gated) += product.gated;
    const bool chained = view_.work->temporal && t + 1 < view_.work->steps &&
                         (view_.work->truncate == 0 || (t + 1) % view_.work->truncate != 0);
    if (chained) {
        if (neurons.leaks) count(r, Event::Multiply) += n;
        count(r, Event::Add) += n;
        if (neurons.fires && neurons.hard_reset) count(r, Event::Mux) += n;
        if (!view_.work->detach_reset && neurons.fires) {
            count(r, Event::Multiply) += n;
            count(r, Event::Shift) += n;
            count(r, Event::Add) += n;
        }
        count(r, Event::ErrorRead) += n;
    }
    count(r, Event::MembraneRead) += n;
    count(r, Event::ErrorWrite) += n;
    r.busy += n;
}

/// One partial error per input that errors of the block reach.
void ManyCoreEngine::send_errors(const Block& block, std::uint32_t f, std::size_t t, StepWork& step) {
    const arch::LinearWork& l = view_.linear(view_.placement.feeds[f]);
    const arch::LinearShape& s = l.shape;
    const auto errors = l.error.row(t, view_.sample);
    const bool only_wanted = view_.sparsity.derivative == ZeroRule::Skip;
    std::vector<bool> reached(s.in_h * s.in_w);
    for (std::size_t q = block.first_position; q < block.last_position; ++q) {
        if (view_.sparsity.errors == ZeroRule::Skip &&
            ones_between(errors, q * s.out_c + block.first_channel, q * s.out_c + block.last_channel) == 0)
            continue;
        each_input(s, q, [&](std::size_t p, std::size_t) { reached[p] = true; });
    }
    for (std::size_t p = 0; p < reached.size(); ++p) {
        if (!reached[p]) continue;
        for (std::size_t e = p * s.in_c; e < (p + 1) * s.in_c; ++e) {
            if (only_wanted && !l.wanted.test(t, view_.sample, e)) continue;
            if (backward_set_[f][e] == kNowhere) continue;
            send(step, block.core, backward_set_[f][e], f, e, t, view_.room.error_bits);
        }
    }
}

Cycles ManyCoreEngine::arrive_error(const Block& block, std::uint32_t f, std::size_t element, std::size_t t) {
    const Feed& feed = view_.placement.feeds[f];
    std::uint64_t adds = 0;
    for (const auto& [s, n] : feed.back[element]) {
        if (feed.sources[s].population != block.population) continue;
        const std::size_t channels = view_.placement.populations[block.population].channels;
        if (!block.holds(n / channels, n % channels)) continue;
        if (view_.sparsity.derivative == ZeroRule::Skip &&
            !view_.work->neurons[block.population].derivative.test(t, view_.sample, n))
            continue;
        ++adds;
    }
    PhaseRecord& r = view_.of_linear(feed.linear);
    count(r, Event::Add) += adds;
    count(r, Event::ErrorRead) += adds;
    count(r, Event::ErrorWrite) += adds;
    r.busy += adds;
    return view_.on_lanes(adds);
}

void ManyCoreEngine::weight_gradient() {
    enter(Phase::WeightGradient);
    StepWork step(cores_.size());
    for (const Block& block : view_.placement.blocks) {
        Cycles cycles = 0;
        for (const std::uint32_t f : view_.placement.populations[block.population].feeds)
            for (std::size_t t = 0; t < view_.work->steps; ++t)
                cycles += gradient_of(block, view_.placement.feeds[f], t);
        step.jobs[block.core].push_back({.ready = 0, .cycles = cycles, .tail = 0});
    }
    run_step(step);
}

Cycles ManyCoreEngine::gradient_of(const Block& block, const Feed& feed, std::size_t t) {
    const arch::LinearWork& l = view_.work->linear[feed.linear];
    const arch::LinearShape& s = l.shape;
    const auto inputs = (view_.work->traces ? l.trace : l.input).row(t, view_.sample);
    const auto errors = l.error.row(t, view_.sample);
    PhaseRecord& r = view_.of_linear(feed.linear);
    std::vector<std::uint64_t> g(s.out_h * s.out_w);
    std::uint64_t nonzero = 0;
    for (std::size_t q = block.first_position; q < block.last_position; ++q)
        nonzero += g[q] =
            ones_between(errors, q * s.out_c + block.first_channel, q * s.out_c + block.last_channel);
    if (l.bias) count(r, Event::Add) += nonzero;
    Cycles cycles = 0;
    for (std::size_t p = 0; p < s.in_h * s.in_w; ++p) {
        const std::uint64_t x = ones_between(inputs, p * s.in_c, (p + 1) * s.in_c);
        const std::uint64_t rows = view_.sparsity.spikes == ZeroRule::Skip ? x : s.in_c;
        if (rows == 0) continue;
        std::uint64_t useful = 0, all = 0;
        each_output(s, p, [&](std::size_t q, std::size_t) {
            if (q < block.first_position || q >= block.last_position) return;
            useful += g[q];
            all += block.channels();
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
    }
    return cycles;
}

void ManyCoreEngine::weight_update() {
    enter(Phase::WeightUpdate);
    exchange(true);
    StepWork step(cores_.size());
    for (const SharedKernel& kernel : view_.placement.shared) {
        const Block& block = view_.placement.blocks[kernel.owner];
        for (const std::uint32_t f : view_.placement.populations[block.population].feeds)
            step.jobs[block.core].push_back(arithmetic_->update(view_, kernel.owner, f));
    }
    run_step(step);
    exchange(false);
}

}  // namespace loom::training
