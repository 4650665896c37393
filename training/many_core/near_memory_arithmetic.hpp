// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/many_core/core_arithmetic.hpp"

namespace loom::training {

/// Weights in the synapse memory, one set of lanes: every packet reads its row and adds it to membranes;
/// errors are multiplied with the rows of their wanted inputs.
class NearMemoryArithmetic final : public CoreArithmetic {
  public:
    explicit NearMemoryArithmetic(const arch::ChipSpec& chip);
    CoreRoom room() const override { return room_; }
    Cycles take_spike(TrainingView& view, std::uint32_t block, std::uint32_t feed, std::size_t element,
                      std::size_t pair, bool zero) override;
    void sums(TrainingView& view, std::uint32_t block, std::size_t pair,
              std::vector<CoreSums>& sums) override;
    Cycles errors_back(TrainingView& view, std::uint32_t block, std::uint32_t feed, std::size_t t) override;
    CoreJob update(TrainingView& view, std::uint32_t block, std::uint32_t feed) override;

  private:
    CoreRoom room_;
};

}  // namespace loom::training
