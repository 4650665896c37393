// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <string>
#include <vector>

#include "arch/chip_spec.hpp"
#include "sim/report/energy_prices.hpp"
#include "sim/report/run_record.hpp"

namespace loom::stats {

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
    std::uint32_t event = 0;         ///< number in the EventList of the prices
    std::uint64_t count = 0;
    double price_pj = 0;  ///< 0 when unpriced
    std::uint32_t category = 0;
    double pj() const { return static_cast<double>(count) * price_pj; }
};

/// Static power times time, in pJ, of all instances of a component.
struct Leakage {
    double core_pj = 0, router_pj = 0, link_pj = 0, bridge_pj = 0, chip_pj = 0;
    double total_pj() const { return core_pj + router_pj + link_pj + bridge_pj + chip_pj; }
};
/// Static power of a chip's components, in pJ per cycle.
class StaticPower {
  public:
    explicit StaticPower(const arch::ChipSpec& chip);
    StaticPower(const arch::ChipSpec& chip, const Inventory& inventory);
    Leakage over(std::uint64_t cycles) const;

  private:
    Leakage per_cycle_;
};

/// Of one core of a kind, pJ.
double core_leakage_pj(const arch::ChipSpec& chip, std::size_t kind, std::uint64_t cycles);

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

/// Of a timestep: the same prices, summed over cores and layers.
EnergySplit step_energy(const StepRecord& step, const ChipPrices& prices);

/// Counted events times the prices of each core's kind; static power times time for every core, router and
/// link of the chip.
Ledger compute_energy(const RunRecord& record, const ChipPrices& prices, const StaticPower& power);

/// The same of a network that ran alone for `cycles`: what routers, links and bridges leak.
Ledger network_energy(const noc::NocCounters& counters, std::uint64_t cycles, const PriceTable& prices,
                      const StaticPower& power);

}  // namespace loom::stats
