// SPDX-License-Identifier: Apache-2.0
#include "sim/report/energy_ledger.hpp"

#include "arch/core_kinds.hpp"

namespace loom::stats {
namespace {

/// Makes leaves of counters, with the prices of a table.
class LeafMaker {
  public:
    explicit LeafMaker(const PriceTable& prices) : prices_(prices) {}
    void add_core(Ledger& to, std::uint32_t core, std::uint32_t layer, const std::string& kind,
                  const cores::CoreTotals& totals) const {
        prices_.events().for_each_count(totals, kind, [&](std::size_t event, std::uint64_t count) {
            add(to, core, layer, event, count);
        });
    }
    void add_noc(Ledger& to, std::uint32_t layer, const noc::NocCounters& c) const {
        std::size_t event = prices_.events().noc();
        fields([&](const char*, const std::uint64_t& count, bool,
                   const char*) { add(to, Leaf::kNoCore, layer, event++, count); },
               const_cast<noc::NocCounters&>(c));  // only read
    }
    void add_chip(Ledger& to, std::uint64_t host_packets, std::uint64_t barriers) const {
        add(to, Leaf::kNoCore, Leaf::kNoLayer, prices_.events().host(), host_packets);
        add(to, Leaf::kNoCore, Leaf::kNoLayer, prices_.events().barrier(), barriers);
    }

  private:
    void add(Ledger& to, std::uint32_t core, std::uint32_t layer, std::size_t event,
             std::uint64_t count) const {
        if (count == 0) return;
        const PriceTable::Entry& price = prices_[event];
        to.leaves.push_back(
            {core, layer, static_cast<std::uint32_t>(event), count, price.pj, price.category});
    }
    const PriceTable& prices_;
};

}  // namespace

StaticPower::StaticPower(const arch::ChipSpec& chip) : StaticPower(chip, Inventory(chip)) {}

StaticPower::StaticPower(const arch::ChipSpec& chip, const Inventory& n) {
    const auto pj = [&](const char* what, std::uint64_t instances) {
        const auto it = chip.energy.leakage.find(what);
        if (it == chip.energy.leakage.end()) return 0.0;
        return it->second.pj_per_cycle(chip.clock.period) * static_cast<double>(instances);
    };
    const auto cores = arch::cores_of_kinds(chip);
    double of_cores = 0;
    for (std::size_t k = 0; k < cores.size(); ++k)
        of_cores += core_leakage_pj(chip, k, 1) * static_cast<double>(cores[k]);
    per_cycle_ = {of_cores, pj("router", n.routers), pj("link", n.links), pj("bridge", n.bridges),
                  pj("chip", 1)};
}

double core_leakage_pj(const arch::ChipSpec& chip, std::size_t kind, std::uint64_t cycles) {
    const arch::LeakageSpec* l = arch::core_leakage(chip, kind);
    if (l == nullptr) return 0;
    return l->pj_per_cycle(chip.clock.period) * static_cast<double>(cycles);
}

Leakage StaticPower::over(std::uint64_t cycles) const {
    const auto n = static_cast<double>(cycles);
    const Leakage& p = per_cycle_;
    return {p.core_pj * n, p.router_pj * n, p.link_pj * n, p.bridge_pj * n, p.chip_pj * n};
}

EnergySplit step_energy(const StepRecord& step, const ChipPrices& prices) {
    Ledger ledger;
    for (std::size_t k = 0; k < step.core.size(); ++k)
        LeafMaker(prices.of_kind(k))
            .add_core(ledger, Leaf::kNoCore, Leaf::kNoLayer, prices.kind_name(k), step.core[k]);
    const LeafMaker maker(prices.of_kind(0));
    maker.add_noc(ledger, Leaf::kNoLayer, step.noc);
    maker.add_chip(ledger, step.host_packets, step.barriers);
    return ledger.total();
}

Ledger compute_energy(const RunRecord& record, const ChipPrices& prices, const StaticPower& power) {
    Ledger ledger;
    for (const CoreLayerRecord& c : record.cores) {
        const std::size_t kind = prices.kind(c.endpoint);
        LeafMaker(prices.of_kind(kind))
            .add_core(ledger, c.endpoint, c.layer, prices.kind_name(kind), c.counters);
    }
    const LeafMaker maker(prices.of_kind(0));
    for (std::size_t layer = 0; layer < record.noc.size(); ++layer) {
        maker.add_noc(ledger, static_cast<std::uint32_t>(layer), record.noc[layer]);
    }
    maker.add_chip(ledger, record.host_packets, record.barriers);
    ledger.leakage = power.over(record.total_cycles);
    return ledger;
}

Ledger network_energy(const noc::NocCounters& counters, std::uint64_t cycles, const PriceTable& prices,
                      const StaticPower& power) {
    Ledger ledger;
    LeafMaker(prices).add_noc(ledger, Leaf::kNoLayer, counters);
    ledger.leakage = power.over(cycles);
    ledger.leakage.core_pj = ledger.leakage.chip_pj = 0;
    return ledger;
}

}  // namespace loom::stats
