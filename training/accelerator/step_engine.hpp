// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/accelerator/order.hpp"
#include "training/accelerator/residency.hpp"
#include "training/work/step_executor.hpp"

namespace loom::training {

/// Executes each step as a schedule of tiles on a Machine: one array for all phases, or three that work side
/// by side.
class StepEngine final : public StepExecutor {
  public:
    StepEngine(arch::TrainingChip chip, UnitPlan plan);
    void execute(const arch::TrainingWork& work) override;
    const EngineRecord& record() const override { return record_; }
    void resume(const EngineRecord& record) override;
    std::size_t sum_group() const override { return static_cast<std::size_t>(chip_.lut_inputs); }
    void shuffle(std::uint64_t seed) override { shuffle_ = seed; }

  private:
    struct Plan {
        std::vector<Segment> segments;
        std::size_t tokens = 0, block = 0;
        Residency residency;
    };
    /// Notes the choice in the record.
    Plan choose(const Setup& setup);
    Plan plan(const Setup& setup, std::size_t block) const;
    std::uint64_t overhead(const Setup& setup, const Plan& p) const;
    void name_layers(const arch::TrainingWork& work);

    arch::TrainingChip chip_;
    UnitPlan units_;
    BufferMap buffers_;
    Arrays arrays_;
    EngineRecord record_;
    bool warm_ = false;
    std::uint64_t shuffle_ = 0;
};

}  // namespace loom::training
