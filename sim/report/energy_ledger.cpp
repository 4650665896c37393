// SPDX-License-Identifier: Apache-2.0
#include "sim/report/energy_ledger.hpp"

#include "arch/core_kinds.hpp"

namespace loom::stats {
namespace {

/// Makes leaves of counters, with the prices of a table.
class LeafMaker {
  public:
    explicit LeafMaker(const PriceTable& prices) : prices_(prices) {}
    void add_core(Ledger& to, std::uint32_t core, std::uint32_t layer, const cores::CoreCounters& c) const {
        add_all(to, core, layer, 0, c);
    }
    void add_noc(Ledger& to, std::uint32_t layer, const noc::NocCounters& c) const {
        add_all(to, Leaf::kNoCore, layer, event_layout().noc, c);
    }
    void add_chip(Ledger& to, std::uint64_t host_packets, std::uint64_t barriers) const {
        add(to, Leaf::kNoCore, Leaf::kNoLayer, event_layout().host, host_packets);
        add(to, Leaf::kNoCore, Leaf::kNoLayer, event_layout().barrier, barriers);
    }

  private:
    void add(Ledger& to, std::uint32_t core, std::uint32_t layer, std::size_t event,
             std::uint64_t count) const {
        if (count == 0) return;
        const PriceTable::Entry& price = prices_[event];
        to.leaves.push_back(
            {core, layer, static_cast<std::uint32_t>(event), count, price.pj, price.category});
    }
    template <class C>
    void add_all(Ledger& to, std::uint32_t core, std::uint32_t layer, std::size_t event,
                 const C& counters) const {
        fields([&](const char*, std::uint64_t& count, bool,
                   const char*) { add(to, core, layer, event++, count); },
               const_cast<C&>(counters));  // only read
    }

    const PriceTable& prices_;
};

}  // namespace

StaticPower::StaticPower(const arch::ChipSpec& chip) {
    const Inventory n(chip);
    const auto pj = [&](const char* what, std::uint64_t instances) {
        const auto it = chip.energy.leakage.find(what);
        if (it == chip.energy.leakage.end()) return 0.0;
        // mW * ps = 1e-15 J = 1e-3 pJ
        const double one = it->second.per_cycle + it->second.value * chip.clock.period * 1e-3;
        return one * static_cast<double>(instances);
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
    return (l->per_cycle + l->value * chip.clock.period * 1e-3) * static_cast<double>(cycles);
}

Leakage StaticPower::over(std::uint64_t cycles) const {
    const auto n = static_cast<double>(cycles);
    const Leakage& p = per_cycle_;
    return {p.core_pj * n, p.router_pj * n, p.link_pj * n, p.bridge_pj * n, p.chip_pj * n};
}

std::vector<EnergySplit> step_energies(const RunRecord& record, const ChipPrices& prices) {
    std::vector<EnergySplit> out;
    for (const StepRecord& step : record.steps) {
        Ledger ledger;
        for (std::size_t k = 0; k < step.core.size(); ++k)
            LeafMaker(prices.of_kind(k)).add_core(ledger, Leaf::kNoCore, Leaf::kNoLayer, step.core[k]);
        const LeafMaker maker(prices.of_kind(0));
        maker.add_noc(ledger, Leaf::kNoLayer, step.noc);
        maker.add_chip(ledger, step.host_packets, step.barriers);
        out.push_back(ledger.total());
    }
    return out;
}

namespace {

/// table(endpoint): prices of a core; of the network for Leaf::kNoCore.
template <class F>
Ledger energy_of(const RunRecord& record, const StaticPower& power, F table) {
    Ledger ledger;
    for (const CoreLayerRecord& c : record.cores)
        LeafMaker(table(c.endpoint)).add_core(ledger, c.endpoint, c.layer, c.counters);
    const LeafMaker maker(table(Leaf::kNoCore));
    for (std::size_t layer = 0; layer < record.noc.size(); ++layer) {
        maker.add_noc(ledger, static_cast<std::uint32_t>(layer), record.noc[layer]);
    }
    maker.add_chip(ledger, record.host_packets, record.barriers);
    ledger.leakage = power.over(record.total_cycles);
    return ledger;
}

}  // namespace

Ledger compute_energy(const RunRecord& record, const PriceTable& prices, const StaticPower& power) {
    return energy_of(record, power, [&](std::uint32_t) -> const PriceTable& { return prices; });
}
Ledger compute_energy(const RunRecord& record, const ChipPrices& prices, const StaticPower& power) {
    return energy_of(record, power, [&](std::uint32_t core) -> const PriceTable& {
        return prices.of_kind(prices.kind(core));
    });
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
