// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <vector>

#include "training/many_core/cim_matrix.hpp"
#include "training/many_core/core_arithmetic.hpp"

namespace loom::training {

/// Weights in compute-in-memory arrays that train in place. A packet sets a bit of a spike register; when a
/// timestep's vector is complete the arrays read it, and the neurons are updated as their sums come. Errors
/// are read through the same cells. Weight gradients are summed on the core's digital lanes (dendrite.lanes,
/// synapse.memory); the optimiser's step becomes programming pulses.
class CimArithmetic final : public CoreArithmetic {
  public:
    /// Throws ConfigError for arrays whose weights are not pairs of analogue cells.
    explicit CimArithmetic(const arch::ChipSpec& chip);
    CoreRoom room() const override { return room_; }
    void begin(const TrainingView& view) override;
    bool takes_beside_job() const override { return cim_->rows.double_buffer; }
    Cycles take_spike(TrainingView& view, std::uint32_t block, std::uint32_t feed, std::size_t element,
                      std::size_t pair, bool zero) override;
    void sums(TrainingView& view, std::uint32_t block, std::size_t pair,
              std::vector<CoreSums>& sums) override;
    Cycles errors_back(TrainingView& view, std::uint32_t block, std::uint32_t feed, std::size_t t) override;
    CoreJob update(TrainingView& view, std::uint32_t block, std::uint32_t feed) override;
    const ArrayCounters* arrays() const override { return &counters_; }
    void resume(const ArrayCounters& counters) override { counters_ = counters; }
    /// Pulses that the most used cell of each matrix has had.
    const std::vector<std::uint64_t>& most_pulses() const { return counters_.most_pulses; }

  private:
    /// A matrix into a block, and what has arrived for it.
    struct Part {
        std::uint32_t feed;
        CimMatrix matrix;
        std::vector<std::vector<CimMatrix::Input>> arrived;  ///< [pair], in order of arrival
    };
    Part& part(std::uint32_t block, std::uint32_t feed);
    void take_inputs(std::vector<CimMatrix::Input>& arrived);
    cores::CimCounters& counters(const TrainingView& view, std::uint32_t linear) {
        return counters_.items[view.linear_items[linear]][static_cast<std::size_t>(view.phase)];
    }

    arch::CoreSpec core_;
    const arch::CimCoreSpec* cim_ = nullptr;  ///< its section
    CoreRoom room_;
    std::vector<std::vector<Part>> parts_;  ///< [block]
    ArrayCounters counters_;
    std::vector<CimMatrix::Input> inputs_;
    std::vector<Cycle> ready_;
};

}  // namespace loom::training
