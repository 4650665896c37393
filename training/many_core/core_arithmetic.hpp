// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "base/ids.hpp"
#include "training/many_core/many_core_counters.hpp"
#include "training/many_core/training_view.hpp"

namespace loom::training {

/// Work of a step on a core: may start at `ready`, holds the core `cycles`, and is done `tail` cycles later.
/// Cycles count from the start of the step. `item`: of the work, set by the engine.
struct CoreJob {
    Cycles ready = 0, cycles = 0, tail = 0;
    std::uint32_t item = 0;
};

/// Sums of some neurons are complete in a cycle of the step.
struct CoreSums {
    Cycles ready = 0;
    std::uint64_t neurons = 0;
};

/// How the cores of a chip multiply with their weights and change them. Steps, packets, neurons and weight
/// gradients are the engine's.
class CoreArithmetic {
  public:
    virtual ~CoreArithmetic() = default;
    /// What a core can hold.
    virtual CoreRoom room() const = 0;
    /// A minibatch has been placed.
    virtual void begin(const TrainingView&) {}
    /// Packets are taken while a job is under way.
    virtual bool takes_beside_job() const { return false; }

    /// Forward: an input of `pair` (timestep x minibatch + sample) for element `element` of a matrix arrives
    /// at a block of its target. `zero`: there was no spike, and the view's sparsity sends that too. Returns
    /// the cycles that it holds the core.
    virtual Cycles take_spike(TrainingView& view, std::uint32_t block, std::uint32_t feed,
                              std::size_t element, std::size_t pair, bool zero) = 0;
    /// Forward: the inputs of a pair are complete; appends when the sums of a block's neurons are.
    virtual void sums(TrainingView& view, std::uint32_t block, std::size_t pair,
                      std::vector<CoreSums>& sums) = 0;
    /// Backward: W^T g of a block in timestep t, for the inputs that the view's sparsity asks for. Returns
    /// cycles.
    virtual Cycles errors_back(TrainingView& view, std::uint32_t block, std::uint32_t feed,
                               std::size_t t) = 0;
    /// The optimiser's step on a block's part of a matrix.
    virtual CoreJob update(TrainingView& view, std::uint32_t block, std::uint32_t feed) = 0;

    /// What compute-in-memory arrays did; null: there are none.
    virtual const ArrayCounters* arrays() const { return nullptr; }
    /// Continues with the counters of a record that is resumed.
    virtual void resume(const ArrayCounters&) {}
    /// Events of arrays for an item of the work; null: there are none.
    const cores::CimCounters* array_counters(std::uint32_t item, Phase phase) const {
        return arrays() == nullptr ? nullptr : &arrays()->items.at(item)[static_cast<std::size_t>(phase)];
    }
};

/// Counts one update's arithmetic and state for `weights` values of an item; returns operations.
inline std::uint64_t count_optimiser_of(TrainingView& view, std::uint32_t item, std::uint64_t weights) {
    const arch::TrainingWork& work = *view.work;
    PhaseRecord& r = view.of_item(item);
    r.counts.multiply += weights * work.update_multiply;
    r.counts.add += weights * work.update_add;
    r.counts.square_root += weights * work.update_sqrt;
    r.counts.divide += weights * work.update_divide;
    r.counts.gradient_read += weights * (1 + work.state_words);
    r.counts.gradient_write += weights * work.state_words;
    const std::uint64_t operations =
        weights * (work.update_multiply + work.update_add + work.update_sqrt + work.update_divide);
    r.busy += operations;
    return operations;
}
inline std::uint64_t count_optimiser(TrainingView& view, std::uint32_t linear, std::uint64_t weights) {
    return count_optimiser_of(view, view.linear_items[linear], weights);
}

}  // namespace loom::training
