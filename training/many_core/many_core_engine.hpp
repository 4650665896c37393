// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "training/many_core/core_arithmetic.hpp"
#include "training/work/step_executor.hpp"

namespace loom::training {

/// Training on a many-core chip: weights stay in their cores, spikes travel forward and errors backward as
/// packets on the chip's network. One sample after another (with statistics of the minibatch: all together):
/// forward and backward in steps that end when all is drained and the barrier has passed, all populations at
/// work on pairs (timestep, sample) of their own; then every core multiplies its stored inputs with its
/// errors (weight gradient); after the minibatch every core updates its weights. Each of these is a pass, a
/// class of its own; what multiplies in a core is its arithmetic's.
class ManyCoreEngine final : public StepExecutor {
  public:
    /// Near-memory cores.
    ManyCoreEngine(const arch::ChipSpec& chip, const arch::SparsityRules& sparsity);
    ManyCoreEngine(const arch::ChipSpec& chip, const arch::SparsityRules& sparsity,
                   std::unique_ptr<CoreArithmetic> arithmetic);
    ~ManyCoreEngine() override;
    void execute(const arch::TrainingWork& work) override;
    const EngineRecord& record() const override { return view_.record; }
    void resume(const EngineRecord& record) override;
    const CoreArithmetic& arithmetic() const { return *arithmetic_; }
    const arch::ChipSpec& chip() const { return view_.chip; }
    /// Counters of the network, over all steps executed.
    noc::NocCounters network_counters() const;
    const noc::NocCounters& network_counters(Phase phase) const { return counters_.network_of(phase); }
    /// Evaluates each cycle's components in another order (self-check).
    void shuffle(std::uint64_t seed) override;

  private:
    /// The chip with a network placed on it, and the passes over it.
    struct PlacedChip;

    void place(const arch::TrainingWork& work);
    void name_items();
    void measure_memory();
    void enter(Phase phase);
    std::vector<Round> rounds() const;
    void save_counters();

    TrainingView view_;
    std::unique_ptr<CoreArithmetic> arithmetic_;
    arch::NetworkLayout layout_;  ///< that is placed
    std::unique_ptr<PlacedChip> placed_;
    ManyCoreCounters counters_;    ///< those of the arrays are the arithmetic's
    noc::NocCounters noc_seen_{};  ///< of placed_, in finished phases
    std::uint64_t shuffle_ = 0;
};

}  // namespace loom::training
