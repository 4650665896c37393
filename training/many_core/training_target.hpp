// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include "base/json/json.hpp"
#include <optional>
#include <string>

#include "arch/chip_spec.hpp"
#include "arch/cim_core_spec.hpp"
#include "training/learn/pulse_update.hpp"
#include "training/price/pricing.hpp"
#include "training/work/step_executor.hpp"

namespace loom::training {

/// A chip that trains, whatever its kind: makes engines and prices what they have executed.
class TrainingTarget {
  public:
    virtual ~TrainingTarget() = default;
    virtual const std::string& name() const = 0;
    /// In ps.
    virtual double clock_period() const = 0;
    virtual std::unique_ptr<StepExecutor> engine() const = 0;
    /// What one of its engines has executed. Throws ConfigError for what was counted and has no price.
    virtual Pricing price(const EngineRecord& record) const = 0;
    /// Silicon by component (engine_area_json(), stats::area_json()).
    virtual Json area() const = 0;
    /// The step of an ANN of the same shape, as its engine takes it.
    virtual arch::TrainingWork ann(const arch::TrainingWork& snn) const = 0;
    /// Weights are in place before the first step.
    virtual bool starts_warm() const = 0;
    /// Arrays whose cells hold the weights and are changed by pulses; null: weights are numbers.
    virtual const arch::CimCoreSpec* cells() const { return nullptr; }
    /// Hands the arithmetic of its arrays to the layers whose weights are in `cells`, unless they compute in
    /// float32.
    virtual void equip(learn::Network& network, const learn::PulseUpdate& cells, std::uint64_t seed) const {
        (void)network, (void)cells, (void)seed;
    }
};

/// Throws ConfigError for chips that cannot train and for price lists with unknown names.
std::unique_ptr<TrainingTarget> make_target(const arch::TrainingChip& chip);
/// A many-core chip: near-memory or compute-in-memory cores on a network.
std::unique_ptr<TrainingTarget> make_target(const arch::ChipSpec& chip);

}  // namespace loom::training
