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
    void save(std::vector<std::uint64_t>& own) const override;
    void restore(std::size_t items, std::span<const std::uint64_t>& own) override;
    const cores::CimCounters* array_counters(std::uint32_t item, Phase phase) const override {
        return &counters_.at(item)[static_cast<std::size_t>(phase)];
    }
    /// Pulses that the most used cell of each matrix has had.
    const std::vector<std::uint64_t>& most_pulses() const { return most_pulses_; }

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
        return counters_[view.linear_items[linear]][static_cast<std::size_t>(view.phase)];
    }

    arch::CoreSpec core_;
    const arch::CimCoreSpec* cim_ = nullptr;  ///< its section
    CoreRoom room_;
    std::vector<std::vector<Part>> parts_;                           ///< [block]
    std::vector<std::array<cores::CimCounters, kPhases>> counters_;  ///< [item]
    std::vector<std::uint64_t> most_pulses_;
    std::vector<CimMatrix::Input> inputs_;
    std::vector<Cycle> ready_;
};

}  // namespace loom::training
