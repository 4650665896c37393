// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/report/energy_ledger.hpp"
#include "training/work/engine_record.hpp"
#include "training/work/training_chip.hpp"

namespace loom::training {

struct LayerEnergy {
    std::string name;
    std::array<std::array<double, kLevels>, kPhases> pj{};
    /// Counters beside those of the record, by event: of arrays (cim.*) and of the network (noc.*). Not zero.
    std::array<std::map<std::string, std::uint64_t>, kPhases> events{};
};

/// Energy of a record by layer, phase and level. The parts add up to total_pj.
struct Pricing {
    std::vector<LayerEnergy> layers;
    std::map<std::string, double> leakage_pj;  ///< by component, over the record's cycles
    double dynamic_pj = 0, total_pj = 0;

    /// Adds a leaf of the ledger; its layer is one of `layers`, its category a Level.
    void add(Phase phase, const stats::Leaf& leaf);
    double phase(Phase p, Level l) const;
    double phase(Phase p) const;
};

/// A price list made ready for the events of TrainingCounters.
class TrainingPrices {
  public:
    /// bits: widths by which prices per bit are multiplied. free: events that cost nothing here, whatever the
    /// list says. Throws ConfigError for a price per mm.
    TrainingPrices(const arch::EnergySpec& list, const arch::TrainingBits& bits,
                   const std::vector<std::string_view>& free = {});
    /// Counts times prices, without leakage. Throws ConfigError when something counted is neither priced nor
    /// excused.
    Pricing dynamic(const EngineRecord& record) const;

  private:
    struct Entry {
        std::string_view name;
        Level level = Level::Compute;
        double pj = 0;
        bool known = false;  ///< priced or excused
    };
    std::vector<Entry> entries_;  ///< in the order of the counters' field list
};

/// Energy of what an engine of a training chip has executed: counts times prices, plus leakage times time.
/// Leakage by component: `element` (each processing element), a buffer's name, `chip`. The chip has passed
/// check_training_prices(). Throws ConfigError when something counted is neither priced nor excused.
Pricing price(const EngineRecord& record, const arch::TrainingChip& chip);

/// What can be said of a price list without a record: every name is an event, no category or grade is
/// unknown. Components that leak are not looked at: only a chip names them.
void check_training_prices(const arch::EnergySpec& list);
/// The same of a chip's list, its leakage included.
void check_training_prices(const arch::TrainingChip& chip);
/// Whether more of a list's prices are for events of training than for others: else it is a list of chips that
/// run.
bool prices_training(const arch::EnergySpec& list);

}  // namespace loom::training
