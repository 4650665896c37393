// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "arch/chip_spec.hpp"
#include "training/many_core/placement.hpp"
#include "training/many_core/round.hpp"
#include "training/work/engine_record.hpp"
#include "training/work/training_chip.hpp"

namespace loom::training {

/// Of `total`, cut into `parts` equal parts, what falls to `n` of them from `first` on; all shares add up to
/// it.
inline std::uint64_t part_of(std::uint64_t total, std::uint64_t first, std::uint64_t n, std::uint64_t parts) {
    __extension__ using Wide = unsigned __int128;
    const auto upto = [&](std::uint64_t p) { return static_cast<std::uint64_t>(Wide{total} * p / parts); };
    return upto(first + n) - upto(first);
}

/// Operations and lane cycles of `all` operand pairs of which `useful` are not zero.
struct ZeroCost {
    std::uint64_t operations, gated, slots;
};
inline ZeroCost zero_cost(arch::ZeroRule rule, std::uint64_t useful, std::uint64_t all) {
    if (rule == arch::ZeroRule::Skip) return {useful, 0, useful};
    if (rule == arch::ZeroRule::Gate) return {useful, all - useful, all};
    return {all, 0, all};
}

/// Trained values of a matrix, biases included, of the channels of a block.
inline std::uint64_t weights_of(const arch::LinearWork& l, const Block& block) {
    return (l.shape.weights() / l.shape.out_c + (l.bias ? 1 : 0)) * block.channels();
}

/// A step of training as the cores of a chip see it: the work, where it lies, and where its events are
/// counted.
struct TrainingView {
    arch::ChipSpec chip;
    arch::SparsityRules sparsity;
    CoreRoom room;
    EngineRecord record;
    const arch::TrainingWork* work = nullptr;
    Placement placement;
    std::vector<std::uint32_t> linear_items, neuron_items;  ///< items of matrices and populations
    std::size_t sample = 0;
    Phase phase = Phase::Forward;

    const arch::CoreSpec& core() const { return chip.kind(0); }
    const arch::LinearWork& linear(const Feed& feed) const { return work->linear[feed.linear]; }
    const Feed& feed(std::uint32_t f) const { return placement.feeds[f]; }
    std::uint32_t item_of_feed(std::uint32_t f) const { return linear_items[placement.feeds[f].linear]; }
    const Population& population_of(const Block& block) const {
        return placement.populations[block.population];
    }
    /// Number of a pair in the minibatch.
    std::size_t number(const Pair& p) const { return p.t * work->batch + p.sample; }
    Pair pair(std::size_t number) const { return {number / work->batch, number % work->batch}; }
    std::uint32_t host() const { return static_cast<std::uint32_t>(room.cores); }

    PhaseRecord& of_item(std::uint32_t item) {
        return record.layers[item].phases[static_cast<std::size_t>(phase)];
    }
    PhaseRecord& of_linear(std::uint32_t linear) { return of_item(linear_items[linear]); }
    PhaseRecord& of_neurons(std::uint32_t neurons) { return of_item(neuron_items[neurons]); }

    /// Cycles of so many operations on a core's lanes.
    Cycles on_lanes(std::uint64_t operations) const {
        const std::uint64_t lanes = core().dendrite.lanes;
        return (operations + lanes - 1) / lanes * core().dendrite.interval;
    }
    /// Cycles of so many neuron updates.
    Cycles on_soma(std::uint64_t neurons) const {
        const arch::SomaSpec& soma = core().soma;
        return (neurons + soma.lanes - 1) / soma.lanes * soma.cycles_active;
    }
    /// Memory words that hold so many weights.
    std::uint64_t words(std::uint64_t weights) const {
        const std::uint64_t word = core().synapse.word;
        return (weights * room.weight_bits + word - 1) / word;
    }
    /// Weights that these words bring, those around them in the word included.
    std::uint64_t weights_moved(std::uint64_t n_words) const {
        return n_words * core().synapse.word / room.weight_bits;
    }
    Cycles to_read(std::uint64_t n_words) const {
        return (n_words + core().synapse.ports - 1) / core().synapse.ports;
    }
};

}  // namespace loom::training
