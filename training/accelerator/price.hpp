// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <vector>

#include "training/accelerator/record.hpp"
#include "training/work/training_chip.hpp"

namespace loom::training {

/// Where energy goes.
enum class Level : std::uint8_t { Compute, Pad, Buffer, Dram, Network };
inline constexpr std::size_t kLevels = 5;
inline constexpr std::array<std::string_view, kLevels> kLevelNames{"compute", "pad", "buffer", "dram",
                                                                   "network"};
Level level_of(Event e);
/// Bits that one count of a buffer or DRAM event moves: what a price per bit is multiplied by.
std::uint64_t bits_of(Event e, const arch::TrainingBits& bits);

struct LayerEnergy {
    std::string name;
    std::array<std::array<double, kLevels>, kPhases> pj{};
    /// Counters beside those of the record, by event: of arrays (cim.*) and of the network (noc.*). Not zero.
    std::array<std::map<std::string, std::uint64_t>, kPhases> events{};
};
/// Energy of a record. The parts add up to total_pj.
struct Pricing {
    std::vector<LayerEnergy> layers;
    std::map<std::string, double> leakage_pj;  ///< by component, over the record's cycles
    double dynamic_pj = 0, total_pj = 0;
    double phase(Phase p, Level l) const;
    double phase(Phase p) const;
};

/// Counts times prices, plus leakage times time. Leakage by component: `element` (each processing element), a
/// buffer's name, `chip`. Throws ConfigError when something counted is neither priced nor excused, or a
/// leakage names nothing of the chip.
Pricing price(const EngineRecord& record, const arch::TrainingChip& chip);

/// What can be said of a price list without a record: every name is an event, no category or grade is
/// unknown.
void check_prices(const arch::TrainingChip& chip);

}  // namespace loom::training
