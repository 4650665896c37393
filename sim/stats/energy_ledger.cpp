// SPDX-License-Identifier: Apache-2.0
#include "sim/stats/energy_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "cores/cim/counters.hpp"
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
    if (name.starts_with("cim.")) return true;
    static constexpr std::array<std::string_view, 7> rare{
        "noc.link_z", "noc.link_other", "noc.link_bridge", "noc.table_lookups",
        "noc.relays", "noc.filtered",   "noc.reinjected"};
    return std::find(rare.begin(), rare.end(), name) != rare.end();
}

std::string missing_price(const EventInfo& e) {
    return fmt::format("energy.actions.{}: missing; give it a price, or a reason under energy.unpriced ({})",
                       e.name, e.doc);
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
        collect_events<cores::CimCounters>(l.events);
        return l;
    }();
    return result;
}

/// Makes leaves of counters, with the prices of a list.
class LeafMaker {
  public:
    explicit LeafMaker(const arch::EnergySpec& prices) {
        for (const EventInfo& e : all_events()) {
            const auto it = prices.actions.find(e.name);
            known_.push_back(!e.priced || it != prices.actions.end() || prices.unpriced.count(e.name) != 0);
            price_.push_back(it == prices.actions.end() ? 0.0 : it->second.value);
            category_.push_back(it == prices.actions.end() ? 3 : category_of(it->second.category));
        }
    }
    void add_core(Ledger& to, std::uint32_t core, std::uint32_t layer, const cores::CoreCounters& c) const {
        add_all(to, core, layer, 0, c);
    }
    void add_noc(Ledger& to, std::uint32_t layer, const noc::NocCounters& c) const {
        add_all(to, Leaf::kNoCore, layer, layout().noc, c);
    }
    void add_chip(Ledger& to, std::uint64_t host_packets, std::uint64_t barriers) const {
        add(to, Leaf::kNoCore, Leaf::kNoLayer, layout().host, host_packets);
        add(to, Leaf::kNoCore, Leaf::kNoLayer, layout().barrier, barriers);
    }

  private:
    void add(Ledger& to, std::uint32_t core, std::uint32_t layer, std::size_t event,
             std::uint64_t count) const {
        if (count == 0) return;
        if (!known_[event]) throw ConfigError(missing_price(all_events()[event]));
        to.leaves.push_back(
            {core, layer, static_cast<std::uint32_t>(event), count, price_[event], category_[event]});
    }
    template <class C>
    void add_all(Ledger& to, std::uint32_t core, std::uint32_t layer, std::size_t event,
                 const C& counters) const {
        fields([&](const char*, std::uint64_t& count, bool,
                   const char*) { add(to, core, layer, event++, count); },
               const_cast<C&>(counters));  // only read
    }

    std::vector<bool> known_;
    std::vector<double> price_;
    std::vector<std::uint32_t> category_;
};

}  // namespace

const std::vector<EventInfo>& all_events() {
    return layout().events;
}

void check_prices(const arch::EnergySpec& prices) {
    std::vector<std::string> names;
    for (const EventInfo& e : all_events()) names.push_back(e.name);
    const auto known = [&](const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    const std::vector<std::string> categories(kCategories.begin(), kCategories.end());
    const std::vector<std::string> grades{"measured", "simulated", "derived", "assumed"};
    const auto one_of = [](const std::string& path, const std::string& value,
                           const std::vector<std::string>& list) {
        if (std::find(list.begin(), list.end(), value) == list.end()) {
            throw ConfigError(path + ": unknown " + quoted(value) + suggestion(value, list));
        }
    };
    for (const auto& [name, price] : prices.actions) {
        const std::string path = "energy.actions." + name;
        if (!known(name)) throw ConfigError(path + ": no such event" + suggestion(name, names));
        one_of(path + ".category", price.category, categories);
        one_of(path + ".grade", price.grade, grades);
        one_of(path + ".scope", price.scope, {"marginal", "all_in"});
        if (prices.unpriced.count(name) != 0)
            throw ConfigError("energy.unpriced." + name + ": has a price as well");
    }
    for (const auto& [name, reason] : prices.unpriced) {
        if (!known(name))
            throw ConfigError("energy.unpriced." + name + ": no such event" + suggestion(name, names));
    }
    for (const auto& [name, leak] : prices.leakage) {
        one_of("energy.leakage." + name, name, {"core", "router", "chip"});
        one_of("energy.leakage." + name + ".grade", leak.grade, grades);
    }
    for (const EventInfo& e : all_events()) {
        if (!e.priced || prices.actions.count(e.name) != 0 || prices.unpriced.count(e.name) != 0) continue;
        if (!is_rare(e.name)) throw ConfigError(missing_price(e));
    }
}

Leakage leakage_of(std::uint64_t cycles, const arch::ChipSpec& chip) {
    const double ps = static_cast<double>(cycles) * chip.clock.period;
    const auto pj = [&](const char* what, double instances) {
        const auto it = chip.energy.leakage.find(what);
        // mW * ps = 1e-15 J = 1e-3 pJ
        return it == chip.energy.leakage.end() ? 0.0 : it->second.value * instances * ps * 1e-3;
    };
    return {pj("core", static_cast<double>(chip.n_cores())),
            pj("router", static_cast<double>(chip.n_routers())), pj("chip", 1.0)};
}

std::vector<EnergySplit> step_energies(const RunRecord& record, const arch::ChipSpec& chip) {
    const LeafMaker maker(chip.energy);
    std::vector<EnergySplit> out;
    for (const StepRecord& step : record.steps) {
        Ledger ledger;
        maker.add_core(ledger, Leaf::kNoCore, Leaf::kNoLayer, step.core);
        maker.add_noc(ledger, Leaf::kNoLayer, step.noc);
        maker.add_chip(ledger, step.host_packets, step.barriers);
        out.push_back(ledger.total());
    }
    return out;
}

Ledger compute_energy(const RunRecord& record, const arch::ChipSpec& chip) {
    const LeafMaker maker(chip.energy);
    Ledger ledger;
    for (const CoreLayerRecord& c : record.cores) maker.add_core(ledger, c.endpoint, c.layer, c.counters);
    for (std::size_t layer = 0; layer < record.noc.size(); ++layer) {
        maker.add_noc(ledger, static_cast<std::uint32_t>(layer), record.noc[layer]);
    }
    maker.add_chip(ledger, record.host_packets, record.barriers);
    ledger.leakage = leakage_of(record.total_cycles, chip);
    return ledger;
}

}  // namespace loom::stats
