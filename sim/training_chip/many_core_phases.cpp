// SPDX-License-Identifier: Apache-2.0
// What the cores do in each phase. Operations are those of the reference's section 5.
#include <algorithm>

#include "sim/training_chip/bits.hpp"
#include "sim/training_chip/geometry.hpp"
#include "sim/training_chip/many_core_engine.hpp"

namespace loom::training {
namespace {

using arch::ZeroRule;
std::uint64_t& count(PhaseRecord& r, Event e) {
    return r.counts[static_cast<std::size_t>(e)];
}

/// Operations and lane cycles of `all` operand pairs of which `useful` are not zero.
struct Cost {
    std::uint64_t operations, gated, slots;
};
Cost cost_of(ZeroRule rule, std::uint64_t useful, std::uint64_t all) {
    if (rule == ZeroRule::Skip) return {useful, 0, useful};
    if (rule == ZeroRule::Gate) return {useful, all - useful, all};
    return {all, 0, all};
}

}  // namespace

Cycles ManyCoreEngine::arrive(std::uint32_t core, const Packet& packet) {
    Cycles cycles = 0;
    const Feed& feed = placement_.feeds[packet.tag];
    for (const std::uint32_t b : blocks_of_core_[core]) {
        const Block& block = placement_.blocks[b];
        if (phase_ == Phase::Forward) {
            if (block.population == feed.target) cycles += arrive_spike(block, packet.tag, packet.axon);
        } else {
            cycles += arrive_error(block, packet.tag, packet.axon, static_cast<std::size_t>(packet.payload));
        }
    }
    return cycles;
}

Cycles ManyCoreEngine::arrive_spike(const Block& block, std::uint32_t feed, std::size_t element) {
    const arch::LinearWork& l = work_->linear[placement_.feeds[feed].linear];
    std::uint64_t n = 0;
    each_output(l.shape, element / l.shape.in_c, [&](std::size_t q) {
        if (q >= block.first_position && q < block.last_position) n += block.channels();
    });
    PhaseRecord& r = of_linear(placement_.feeds[feed].linear);
    // Every spike is a packet: behind pooling it adds a share of the weight, which the address generator
    // shifts.
    const bool spike = l.binary_input || !placement_.feeds[feed].from_input;
    count(r, spike ? Event::Ac : Event::Mac) += n;
    count(r, Event::WeightRead) += words(n);
    count(r, Event::SpikeWrite) += 1;
    count(r, Event::MembraneRead) += n;
    count(r, Event::MembraneWrite) += n;
    r.busy += n;
    return std::max<Cycles>(on_lanes(n),
                            (words(n) + chip_.kind(0).synapse.ports - 1) / chip_.kind(0).synapse.ports);
}

void ManyCoreEngine::forward(std::size_t) {
    phase_ = Phase::Forward;
    const std::size_t steps = work_->steps;
    for (std::size_t k = 0; k < steps + placement_.max_depth + 1; ++k) {
        StepWork step(cores_.size());
        if (k < steps) send_input(k, step);
        for (const Block& block : placement_.blocks) {
            const std::size_t lag = placement_.populations[block.population].depth + 1;
            if (k >= lag && k - lag < steps) forward_block(block, k - lag, step);
        }
        run_step(step);
    }
}

void ManyCoreEngine::send_input(std::size_t t, StepWork& step) {
    const auto host = static_cast<std::uint32_t>(room_.cores);
    for (std::uint32_t f = 0; f < placement_.feeds.size(); ++f) {
        const Feed& feed = placement_.feeds[f];
        const arch::LinearWork& l = work_->linear[feed.linear];
        if (!feed.from_input || (l.constant_input && t > 0))
            continue;  // a constant current is kept by its neurons
        each_one(l.input.row(t, sample_), 0, l.input.count(), [&](std::size_t e) {
            const std::uint32_t set = forward_set_[f][e / l.shape.in_c];
            if (set != kNowhere) send(step, host, set, f, e, t, l.binary_input ? 0 : room_.membrane_bits);
        });
    }
}

void ManyCoreEngine::forward_block(const Block& block, std::size_t t, StepWork& step) {
    const arch::NeuronWork& neurons = work_->neurons[block.population];
    const std::uint64_t n = block.neurons();
    PhaseRecord& r = of_neurons(block.population);
    if (neurons.leaks) count(r, Event::Multiply) += n;
    count(r, Event::Add) += neurons.fires && !neurons.hard_reset ? 2 * n : n;
    if (neurons.fires) count(r, Event::Compare) += n;
    if (neurons.fires && neurons.hard_reset) count(r, Event::Mux) += n;
    count(r, Event::MembraneRead) += n;
    count(r, Event::MembraneWrite) += 2 * n;  // state and, for the backward pass, its history
    r.busy += n;
    const arch::SomaSpec& soma = chip_.kind(0).soma;
    step.jobs[block.core] += (n + soma.lanes - 1) / soma.lanes * soma.cycles_active;

    const std::size_t channels = placement_.populations[block.population].channels;
    const auto spikes = neurons.spikes.row(t, sample_);
    for (std::uint32_t f = 0; f < placement_.feeds.size(); ++f)
        for (const SourceMap& source : placement_.feeds[f].sources) {
            if (source.population != block.population) continue;
            const std::size_t in_c = work_->linear[placement_.feeds[f].linear].shape.in_c;
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

void ManyCoreEngine::backward(std::size_t) {
    phase_ = Phase::Backward;
    const std::size_t steps = work_->steps;
    for (std::size_t k = 0; k < steps + placement_.max_depth; ++k) {
        StepWork step(cores_.size());
        for (const Block& block : placement_.blocks) {
            const std::size_t lag = placement_.max_depth - placement_.populations[block.population].depth;
            if (k >= lag && k - lag < steps) backward_block(block, steps - 1 - (k - lag), step);
        }
        run_step(step);
    }
}

void ManyCoreEngine::backward_block(const Block& block, std::size_t t, StepWork& step) {
    const arch::NeuronWork& neurons = work_->neurons[block.population];
    const std::size_t channels = placement_.populations[block.population].channels;
    const std::uint64_t n = block.neurons();
    std::uint64_t open = 0;
    for (std::size_t q = block.first_position; q < block.last_position; ++q)
        open += ones_between(neurons.derivative.row(t, sample_), q * channels + block.first_channel,
                             q * channels + block.last_channel);
    PhaseRecord& r = of_neurons(block.population);
    count(r, Event::LutRead) += n * neurons.lut;
    count(r, Event::Compare) += n * neurons.compare;
    count(r, Event::Add) += n * neurons.add;
    count(r, Event::Shift) += n * neurons.shift;
    count(r, Event::Divide) += n * neurons.divide;
    const Cost product = cost_of(sparsity_.derivative, open, n);
    count(r, Event::Multiply) += n * neurons.multiply + product.operations;
    count(r, Event::Gated) += product.gated;
    const bool chained =
        work_->temporal && t + 1 < work_->steps && (work_->truncate == 0 || (t + 1) % work_->truncate != 0);
    if (chained) {
        if (neurons.leaks) count(r, Event::Multiply) += n;
        count(r, Event::Add) += n;
        if (neurons.fires && neurons.hard_reset) count(r, Event::Mux) += n;
        if (!work_->detach_reset && neurons.fires) {
            count(r, Event::Multiply) += n;
            count(r, Event::Shift) += n;
            count(r, Event::Add) += n;
        }
        count(r, Event::ErrorRead) += n;
    }
    count(r, Event::MembraneRead) += n;
    count(r, Event::ErrorWrite) += n;
    r.busy += n;
    const arch::SomaSpec& soma = chip_.kind(0).soma;
    step.jobs[block.core] += (n + soma.lanes - 1) / soma.lanes * soma.cycles_active;
    for (const std::uint32_t f : placement_.populations[block.population].feeds)
        if (work_->linear[placement_.feeds[f].linear].sends_error && !placement_.feeds[f].sources.empty())
            step.jobs[block.core] += errors_back(block, f, t, step);
}

/// W^T g of a block: multiplies every error with the weights of its wanted inputs, then sends one partial
/// error per input.
Cycles ManyCoreEngine::errors_back(const Block& block, std::uint32_t f, std::size_t t, StepWork& step) {
    const Feed& feed = placement_.feeds[f];
    const arch::LinearWork& l = work_->linear[feed.linear];
    const arch::LinearShape& s = l.shape;
    const auto errors = l.error.row(t, sample_);
    const auto wanted = l.wanted.row(t, sample_);
    PhaseRecord& r = of_linear(feed.linear);
    std::vector<bool> reached(s.in_h * s.in_w);
    Cycles cycles = 0;
    for (std::size_t q = block.first_position; q < block.last_position; ++q) {
        const std::uint64_t g =
            ones_between(errors, q * s.out_c + block.first_channel, q * s.out_c + block.last_channel);
        const std::uint64_t rows = sparsity_.errors == ZeroRule::Skip ? g : block.channels();
        if (rows == 0) continue;
        std::uint64_t open = 0, all = 0;
        each_input(s, q, [&](std::size_t p) {
            open += ones_between(wanted, p * s.in_c, (p + 1) * s.in_c);
            all += s.in_c;
            reached[p] = true;
        });
        const Cost each = cost_of(sparsity_.derivative, open, all);
        const std::uint64_t working = sparsity_.errors == ZeroRule::Dense ? rows : g;
        count(r, Event::Mac) += working * each.operations;
        count(r, Event::Gated) += working * each.gated + (rows - working) * each.slots;
        count(r, Event::WeightRead) += rows * words(each.slots);
        count(r, Event::ErrorRead) += rows;
        r.busy += working * each.operations;
        cycles += rows * std::max<Cycles>(on_lanes(each.slots),
                                          (words(each.slots) + chip_.kind(0).synapse.ports - 1) /
                                              chip_.kind(0).synapse.ports);
    }
    const bool only_wanted = sparsity_.derivative == ZeroRule::Skip;
    for (std::size_t p = 0; p < reached.size(); ++p) {
        if (!reached[p]) continue;
        for (std::size_t e = p * s.in_c; e < (p + 1) * s.in_c; ++e) {
            if (only_wanted && !l.wanted.test(t, sample_, e)) continue;
            if (backward_set_[f][e] == kNowhere) continue;
            send(step, block.core, backward_set_[f][e], f, e, t, room_.error_bits);
        }
    }
    return cycles;
}

Cycles ManyCoreEngine::arrive_error(const Block& block, std::uint32_t f, std::size_t element, std::size_t t) {
    const Feed& feed = placement_.feeds[f];
    std::uint64_t adds = 0;
    for (const auto& [s, n] : feed.back[element]) {
        if (feed.sources[s].population != block.population) continue;
        const std::size_t channels = placement_.populations[block.population].channels;
        if (!block.holds(n / channels, n % channels)) continue;
        if (sparsity_.derivative == ZeroRule::Skip &&
            !work_->neurons[block.population].derivative.test(t, sample_, n))
            continue;
        ++adds;
    }
    PhaseRecord& r = of_linear(feed.linear);
    count(r, Event::Add) += adds;
    count(r, Event::ErrorRead) += adds;
    count(r, Event::ErrorWrite) += adds;
    r.busy += adds;
    return on_lanes(adds);
}

void ManyCoreEngine::weight_gradient(std::size_t) {
    phase_ = Phase::WeightGradient;
    StepWork step(cores_.size());
    for (const Block& block : placement_.blocks)
        for (const std::uint32_t f : placement_.populations[block.population].feeds)
            for (std::size_t t = 0; t < work_->steps; ++t)
                step.jobs[block.core] += gradient_of(block, placement_.feeds[f], t);
    run_step(step);
}

Cycles ManyCoreEngine::gradient_of(const Block& block, const Feed& feed, std::size_t t) {
    const arch::LinearWork& l = work_->linear[feed.linear];
    const arch::LinearShape& s = l.shape;
    const auto inputs = (work_->traces ? l.trace : l.input).row(t, sample_);
    const auto errors = l.error.row(t, sample_);
    PhaseRecord& r = of_linear(feed.linear);
    std::vector<std::uint64_t> g(s.out_h * s.out_w);
    std::uint64_t nonzero = 0;
    for (std::size_t q = block.first_position; q < block.last_position; ++q)
        nonzero += g[q] =
            ones_between(errors, q * s.out_c + block.first_channel, q * s.out_c + block.last_channel);
    if (l.bias) count(r, Event::Add) += nonzero;
    Cycles cycles = 0;
    for (std::size_t p = 0; p < s.in_h * s.in_w; ++p) {
        const std::uint64_t x = ones_between(inputs, p * s.in_c, (p + 1) * s.in_c);
        const std::uint64_t rows = sparsity_.spikes == ZeroRule::Skip ? x : s.in_c;
        if (rows == 0) continue;
        std::uint64_t useful = 0, all = 0;
        each_output(s, p, [&](std::size_t q) {
            if (q < block.first_position || q >= block.last_position) return;
            useful += g[q];
            all += block.channels();
        });
        const Cost each = cost_of(sparsity_.errors, useful, all);
        const std::uint64_t working = sparsity_.spikes == ZeroRule::Dense ? rows : x;
        count(r, l.binary_input && !work_->traces ? Event::Ac : Event::Mac) += working * each.operations;
        count(r, Event::Gated) += working * each.gated + (rows - working) * each.slots;
        count(r, Event::SpikeRead) += rows;
        count(r, Event::ErrorRead) += rows * each.slots;
        count(r, Event::GradientRead) += working * each.operations;
        count(r, Event::GradientWrite) += working * each.operations;
        r.busy += working * each.operations;
        cycles += rows * on_lanes(each.slots);
    }
    return cycles;
}

void ManyCoreEngine::weight_update() {
    phase_ = Phase::WeightUpdate;
    StepWork step(cores_.size());
    for (const Block& block : placement_.blocks)
        for (const std::uint32_t f : placement_.populations[block.population].feeds) {
            const arch::LinearWork& l = work_->linear[placement_.feeds[f].linear];
            const std::uint64_t w = (l.shape.weights() / l.shape.out_c + (l.bias ? 1 : 0)) * block.channels();
            PhaseRecord& r = of_linear(placement_.feeds[f].linear);
            const std::uint64_t times = w * work_->updates;
            count(r, Event::Multiply) += times * work_->update_multiply;
            count(r, Event::Add) += times * work_->update_add;
            count(r, Event::SquareRoot) += times * work_->update_sqrt;
            count(r, Event::Divide) += times * work_->update_divide;
            count(r, Event::GradientRead) += times * (1 + work_->state_words);
            count(r, Event::GradientWrite) += times * work_->state_words;
            count(r, Event::WeightRead) += words(w) * work_->updates;
            count(r, Event::WeightWrite) += words(w) * work_->updates;
            const std::uint64_t operations = times * (work_->update_multiply + work_->update_add +
                                                      work_->update_sqrt + work_->update_divide);
            r.busy += operations;
            step.jobs[block.core] += on_lanes(operations);
        }
    run_step(step);
}

}  // namespace loom::training
