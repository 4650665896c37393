// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <string>

#include "cores/training/record.hpp"
#include "sim/arch/training_chip.hpp"

namespace loom::app {

/// Prices of a training chip's events, actions `train.<event>`, and its static power.
class TrainPrices {
  public:
    explicit TrainPrices(const arch::TrainingChip& chip);
    double price(std::size_t event) const { return pj_[event]; }
    /// Of counts, in pJ.
    double energy(const training::Counts& counts) const;
    /// Over so many cycles, in pJ.
    double leakage(std::uint64_t cycles) const { return leakage_per_cycle_ * static_cast<double>(cycles); }

  private:
    std::array<double, training::kEvents> pj_{};
    double leakage_per_cycle_ = 0;
};

/// Kinds of events, for tables.
enum class EventGroup { Arithmetic, Table, Register, Buffer, Dram, Other };
EventGroup group_of(training::Event e);
inline constexpr std::array<const char*, 6> kGroupNames{"arithmetic", "tables", "registers",
                                                        "buffers",    "dram",   "other"};

}  // namespace loom::app
