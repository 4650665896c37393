// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <vector>

#include "training/accelerator/machine/sequencer.hpp"
#include "training/work/training_chip.hpp"

namespace loom::training {

/// Buffers, DRAM and units of a chip for one execution: runs the units' tasks to the end.
class Machine {
  public:
    struct Unit {
        TaskSource* source;
        std::size_t record;  ///< unit in EngineRecord::units
    };
    Machine(const arch::TrainingChip& chip, const std::vector<Unit>& units, std::size_t tokens,
            SegmentObserver& observer, EngineRecord& record);
    ~Machine();
    /// seed != 0: components of a cycle in a shuffled order (results must not change).
    void shuffle(std::uint64_t seed) { scheduler_.shuffle(seed); }
    /// Cycles that it took; the time after a unit's last task belongs to that task. Throws ModelError when
    /// tasks are left over.
    Cycles run();

  private:
    struct UnitParts;
    template <class T>
    Link<T>& link(std::vector<std::unique_ptr<Link<T>>>& pool, std::size_t slots);

    Scheduler scheduler_;
    Tokens tokens_;
    std::vector<std::unique_ptr<Channel>> reads_, writes_;
    std::unique_ptr<Channel> dram_;
    std::vector<std::unique_ptr<UnitParts>> units_;
    std::vector<std::unique_ptr<Link<Transfer>>> requests_;
    std::vector<std::unique_ptr<Link<Arrival>>> answers_;
};

}  // namespace loom::training
