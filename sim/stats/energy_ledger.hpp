// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "sim/arch/chip_spec.hpp"
#include "sim/arch/program.hpp"
#include "sim/stats/run_record.hpp"

namespace loom::stats {

inline constexpr std::array<std::string_view, 4> kCategories{"compute", "memory", "noc", "control"};

/// A kind of event and its doc string.
struct EventInfo {
    std::string name;
    std::string doc;
    bool priced = true;  ///< needs a price or an explicit `unpriced` entry
};
/// Every event that is counted: of cores, network, host and barrier.
const std::vector<EventInfo>& all_events();

/// Energy in pJ by category.
struct EnergySplit {
    std::array<double, 4> of{};
    double total() const { return of[0] + of[1] + of[2] + of[3]; }
    EnergySplit& operator+=(const EnergySplit& o) {
        for (std::size_t i = 0; i < of.size(); ++i) of[i] += o.of[i];
        return *this;
    }
};

/// One counted thing with its price: the leaf that all views are sums of.
struct Leaf {
    static constexpr std::uint32_t kNoCore = 0xffffffffu;
    static constexpr std::uint32_t kNoLayer = 0xffffffffu;
    std::uint32_t core = kNoCore;    ///< endpoint; none for network, host, barrier
    std::uint32_t layer = kNoLayer;  ///< none for the barrier
    std::uint32_t event = 0;         ///< index into all_events()
    std::uint64_t count = 0;
    double price_pj = 0;  ///< 0 when unpriced
    std::uint32_t category = 0;
    double pj() const { return static_cast<double>(count) * price_pj; }
};

/// Static power times time, in pJ, of all cores, all routers and the chip itself.
struct Leakage {
    double core_pj = 0, router_pj = 0, chip_pj = 0;
    double total_pj() const { return core_pj + router_pj + chip_pj; }
};
Leakage leakage_of(std::uint64_t cycles, const arch::ChipSpec& chip);
/// Of `cores` cores of a kind, in pJ.
double leakage_of_kind(std::uint64_t cycles, const arch::ChipSpec& chip, std::size_t kind,
                       std::uint64_t cores);

struct Ledger {
    std::vector<Leaf> leaves;
    Leakage leakage;

    /// Sum of the leaves for which keep(leaf).
    template <class F>
    EnergySplit sum(F keep) const {
        EnergySplit s;
        for (const Leaf& l : leaves) {
            if (keep(l)) s.of[l.category] += l.pj();
        }
        return s;
    }
    EnergySplit total() const {
        return sum([](const Leaf&) { return true; });
    }
};

/// Throws ConfigError when a price names no event, or a category or grade is unknown.
void check_prices(const arch::EnergySpec& prices);
/// The same of a chip's lists, and that every event its cores and network can count is priced or excused.
void check_prices(const arch::ChipSpec& chip);

/// Of every chip timestep: the same prices, summed over cores and layers.
std::vector<EnergySplit> step_energies(const RunRecord& record, const arch::ChipSpec& chip);

/// Counted events times prices; static power times time for every core and router of the chip.
Ledger compute_energy(const RunRecord& record, const arch::ChipSpec& chip);

}  // namespace loom::stats
