// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/work/engine_record.hpp"
#include "training/work/training_work.hpp"

namespace loom::training {

/// A chip that trains. execute() makes one optimiser step pass on its components, cycle by cycle, and adds to
/// record().
class StepExecutor {
  public:
    virtual ~StepExecutor() = default;
    /// Throws MappingError when the work does not fit (need and have).
    virtual void execute(const arch::TrainingWork& work) = 0;
    virtual const EngineRecord& record() const = 0;
    /// Continues after the steps of `record`, of an engine of the same chip: as if it had executed them.
    virtual void resume(const EngineRecord& record) = 0;
    /// Neighbouring inputs that the forward pass adds up first (tables of partial sums); 1: none.
    virtual std::size_t sum_group() const { return 1; }
    /// seed != 0: components of a cycle in a shuffled order; the record must not change.
    virtual void shuffle(std::uint64_t seed) { (void)seed; }
};

}  // namespace loom::training
