// SPDX-License-Identifier: Apache-2.0
#include "sim/stats/energy_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "sim/arch/core_kinds.hpp"
#include "sim/base/error.hpp"
#include "sim/base/nearest.hpp"

namespace loom::stats {
namespace {

template <class C>
void collect_events(std::vector<EventInfo>& out) {
    C counters;
    fields(
        [&](const char* name, std::uint64_t&, bool priced, const char* doc) {
            out.push_back({name, doc, priced});
        },
        counters);
}

/// Events of fabrics that few chips have: their price may be missing as long as they do not occur.
bool is_rare(const std::string& name) {
    static constexpr std::array<std::string_view, 7> rare{
        "noc.link_z", "noc.link_other", "noc.link_bridge", "noc.table_lookups",
        "noc.relays", "noc.filtered",   "noc.reinjected"};
    return std::find(rare.begin(), rare.end(), name) != rare.end();
}

/// Events that a kind of core cannot have need no price there.
bool occurs(const EventInfo& e, const arch::CoreSpec& core) {
    const std::string_view name = e.name;
    if (!core.in_memory()) return !name.starts_with("cim.");
    if (name.starts_with("synapse.") || name.starts_with("dendrite.") || name == "axon_in.lookups")
        return false;
    if (!name.starts_with("cim.")) return true;
    static constexpr std::array<std::string_view, 5> digital{
        "cim.digital_rows", "cim.digital_active", "cim.row_adds", "cim.sweeps", "cim.cells_written"};
    static constexpr std::array<std::string_view, 4> both{"cim.fetch_beats", "cim.rows_driven",
                                                          "cim.shift_adds", "cim.tree_adds"};
    const auto in = [&](const auto& list) { return std::find(list.begin(), list.end(), name) != list.end(); };
    if (in(both)) return true;
    return in(digital) == (core.cim && core.cim->array.type == arch::CimType::SramDigital) ||
           name == "cim.select_cycles";
}

/// list: key of the price list that should have it.
std::string missing_price(const EventInfo& e, const std::string& list = "energy") {
    return fmt::format("{}.actions.{}: missing; give it a price, or a reason under energy.unpriced ({})",
                       list, e.name, e.doc);
}

std::uint32_t category_of(const std::string& name) {
    return static_cast<std::uint32_t>(std::find(kCategories.begin(), kCategories.end(), name) -
                                      kCategories.begin());
}

/// Number of the first event of each source of events, in the order of all_events().
struct Layout {
    std::vector<EventInfo> events;
    std::size_t noc = 0, host = 0, barrier = 0;
};
const Layout& layout() {
    static const Layout result = [] {
        Layout l;
        collect_events<cores::CoreCounters>(l.events);
        l.noc = l.events.size();
        collect_events<noc::NocCounters>(l.events);
        l.host = l.events.size();
        l.events.push_back({"host.packets", "packets injected by the host", true});
        l.barrier = l.events.size();
        l.events.push_back({"barrier.barriers", "barriers between timesteps", true});
        return l;
    }();
    return result;
}

/// Makes leaves of counters, with the prices of a chip and its kinds of cores.
class LeafMaker {
  public:
    explicit LeafMaker(const arch::ChipSpec& chip) {
        for (std::size_t kind = 0; kind < chip.n_kinds(); ++kind) {
            std::vector<Price>& list = prices_.emplace_back();
            for (const EventInfo& e : all_events()) {
                const arch::EventPrice p = arch::price_of(chip, kind, e.name);
                list.push_back({!e.priced || p.known(), p.price == nullptr ? 0.0 : p.price->value,
                                p.price == nullptr ? 3 : category_of(p.price->category)});
            }
        }
    }
    void add_core(Ledger& to, std::size_t kind, std::uint32_t core, std::uint32_t layer,
                  const cores::CoreCounters& c) const {
        add_all(to, prices_[kind], core, layer, 0, c);
    }
    void add_noc(Ledger& to, std::uint32_t layer, const noc::NocCounters& c) const {
        add_all(to, prices_[0], Leaf::kNoCore, layer, layout().noc, c);
    }
    void add_chip(Ledger& to, std::uint64_t host_packets, std::uint64_t barriers) const {
        add(to, prices_[0], Leaf::kNoCore, Leaf::kNoLayer, layout().host, host_packets);
        add(to, prices_[0], Leaf::kNoCore, Leaf::kNoLayer, layout().barrier, barriers);
    }

  private:
    struct Price {
        bool known = false;
        double pj = 0;
        std::uint32_t category = 0;
    };
    static void add(Ledger& to, const std::vector<Price>& prices, std::uint32_t core, std::uint32_t layer,
                    std::size_t event, std::uint64_t count) {
        if (count == 0) return;
        const Price& p = prices[event];
        if (!p.known) throw ConfigError(missing_price(all_events()[event]));
        to.leaves.push_back({core, layer, static_cast<std::uint32_t>(event), count, p.pj, p.category});
    }
    template <class C>
    static void add_all(Ledger& to, const std::vector<Price>& prices, std::uint32_t core, std::uint32_t layer,
                        std::size_t event, const C& counters) {
        fields([&](const char*, std::uint64_t& count, bool,
                   const char*) { add(to, prices, core, layer, event++, count); },
               const_cast<C&>(counters));  // only read
    }

    std::vector<std::vector<Price>> prices_;  ///< [kinds][events]
};

}  // namespace

const std::vector<EventInfo>& all_events() {
    return layout().events;
}

namespace {

/// That a list (at key `list`) names events, categories and grades that exist.
void check_names(const arch::EnergySpec& prices, const std::string& list) {
    std::vector<std::string> names;
    for (const EventInfo& e : all_events()) names.push_back(e.name);
    const auto known = [&](const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    const std::vector<std::string> categories(kCategories.begin(), kCategories.end());
    const std::vector<std::string> grades{"measured", "simulated", "derived", "assumed"};
    const auto one_of = [](const std::string& path, const std::string& value,
                           const std::vector<std::string>& known_ones) {
        if (std::find(known_ones.begin(), known_ones.end(), value) == known_ones.end()) {
            throw ConfigError(path + ": unknown " + quoted(value) + suggestion(value, known_ones));
        }
    };
    for (const auto& [name, price] : prices.actions) {
        const std::string path = list + ".actions." + name;
        if (!known(name)) throw ConfigError(path + ": no such event" + suggestion(name, names));
        one_of(path + ".category", price.category, categories);
        one_of(path + ".grade", price.grade, grades);
        one_of(path + ".scope", price.scope, {"marginal", "all_in"});
        if (prices.unpriced.count(name) != 0)
            throw ConfigError(list + ".unpriced." + name + ": has a price as well");
    }
    for (const auto& [name, reason] : prices.unpriced) {
        if (!known(name))
            throw ConfigError(list + ".unpriced." + name + ": no such event" + suggestion(name, names));
    }
    for (const auto& [name, leak] : prices.leakage) {
        one_of(list + ".leakage." + name, name, {"core", "router", "chip"});
        one_of(list + ".leakage." + name + ".grade", leak.grade, grades);
    }
}

}  // namespace

void check_prices(const arch::EnergySpec& prices) {
    check_names(prices, "energy");
}

void check_prices(const arch::ChipSpec& chip) {
    check_names(chip.energy, "energy");
    for (std::size_t k = 0; k < chip.cores.size(); ++k)
        check_names(chip.cores[k].energy, fmt::format("cores.{}.energy", k));
    for (std::size_t i = 0; i < all_events().size(); ++i) {
        const EventInfo& e = all_events()[i];
        if (!e.priced || is_rare(e.name)) continue;
        for (std::size_t k = 0; k < (i < layout().noc ? chip.n_kinds() : 1); ++k) {
            if (arch::price_of(chip, k, e.name).known() || (i < layout().noc && !occurs(e, chip.kind(k))))
                continue;
            throw ConfigError(
                missing_price(e, chip.cores.empty() ? "energy" : fmt::format("cores.{}.energy", k)));
        }
    }
}

double leakage_of_kind(std::uint64_t cycles, const arch::ChipSpec& chip, std::size_t kind,
                       std::uint64_t cores) {
    const double ps = static_cast<double>(cycles) * chip.clock.period;
    return arch::core_leakage(chip, kind) * static_cast<double>(cores) * ps * 1e-3;  // mW * ps = 1e-3 pJ
}

Leakage leakage_of(std::uint64_t cycles, const arch::ChipSpec& chip) {
    const double ps = static_cast<double>(cycles) * chip.clock.period;
    const auto pj = [&](const char* what, double instances) {
        const auto it = chip.energy.leakage.find(what);
        // mW * ps = 1e-15 J = 1e-3 pJ
        return it == chip.energy.leakage.end() ? 0.0 : it->second.value * instances * ps * 1e-3;
    };
    double cores_pj = 0;
    const auto cores = arch::cores_of_kinds(chip);
    for (std::size_t k = 0; k < cores.size(); ++k) cores_pj += leakage_of_kind(cycles, chip, k, cores[k]);
    return {cores_pj, pj("router", static_cast<double>(chip.n_routers())), pj("chip", 1.0)};
}

std::vector<EnergySplit> step_energies(const RunRecord& record, const arch::ChipSpec& chip) {
    const LeafMaker maker(chip);
    std::vector<EnergySplit> out;
    for (const StepRecord& step : record.steps) {
        Ledger ledger;
        for (std::size_t k = 0; k < step.core.size(); ++k)
            maker.add_core(ledger, k, Leaf::kNoCore, Leaf::kNoLayer, step.core[k]);
        maker.add_noc(ledger, Leaf::kNoLayer, step.noc);
        maker.add_chip(ledger, step.host_packets, step.barriers);
        out.push_back(ledger.total());
    }
    return out;
}

Ledger compute_energy(const RunRecord& record, const arch::ChipSpec& chip) {
    const LeafMaker maker(chip);
    const auto kinds = arch::core_kinds(chip);
    Ledger ledger;
    for (const CoreLayerRecord& c : record.cores)
        maker.add_core(ledger, kinds.at(c.endpoint), c.endpoint, c.layer, c.counters);
    for (std::size_t layer = 0; layer < record.noc.size(); ++layer) {
        maker.add_noc(ledger, static_cast<std::uint32_t>(layer), record.noc[layer]);
    }
    maker.add_chip(ledger, record.host_packets, record.barriers);
    ledger.leakage = leakage_of(record.total_cycles, chip);
    return ledger;
}

}  // namespace loom::stats
