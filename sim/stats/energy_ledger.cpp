// SPDX-License-Identifier: Apache-2.0
#include "sim/stats/energy_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

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

std::uint32_t category_of(const std::string& name) {
    return static_cast<std::uint32_t>(std::find(kCategories.begin(), kCategories.end(), name) -
                                      kCategories.begin());
}

/// Adds leaves for one set of counters; events are numbered from `first`.
class LeafMaker {
  public:
    LeafMaker(Ledger& ledger, const arch::EnergySpec& prices) : ledger_(ledger) {
        for (const EventInfo& e : all_events()) {
            const auto it = prices.actions.find(e.name);
            price_.push_back(it == prices.actions.end() ? 0.0 : it->second.value);
            category_.push_back(it == prices.actions.end() ? 3 : category_of(it->second.category));
        }
    }
    void add(std::uint32_t core, std::uint32_t layer, std::size_t event, std::uint64_t count) {
        if (count == 0) return;
        ledger_.leaves.push_back(
            {core, layer, static_cast<std::uint32_t>(event), count, price_[event], category_[event]});
    }
    template <class C>
    std::size_t add_all(std::uint32_t core, std::uint32_t layer, std::size_t first, const C& counters) {
        std::size_t event = first;
        fields(
            [&](const char*, std::uint64_t& count, bool, const char*) { add(core, layer, event++, count); },
            const_cast<C&>(counters));  // only read
        return event;
    }

  private:
    Ledger& ledger_;
    std::vector<double> price_;
    std::vector<std::uint32_t> category_;
};

}  // namespace

const std::vector<EventInfo>& all_events() {
    static const std::vector<EventInfo> events = [] {
        std::vector<EventInfo> e;
        collect_events<cores::CoreCounters>(e);
        collect_events<noc::NocCounters>(e);
        e.push_back({"host.packets", "packets injected by the host", true});
        e.push_back({"barrier.barriers", "barriers between timesteps", true});
        return e;
    }();
    return events;
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
        throw ConfigError(
            fmt::format("energy.actions.{}: missing; give it a price, or a reason under energy.unpriced ({})",
                        e.name, e.doc));
    }
}

namespace {

std::size_t first_noc_event() {
    std::vector<EventInfo> core_events;
    collect_events<cores::CoreCounters>(core_events);
    return core_events.size();
}

/// host.packets and barrier.barriers come last.
std::size_t host_event() {
    return all_events().size() - 2;
}

/// pJ of a component's static power.
double leakage_of(const char* what, double instances, std::uint64_t cycles, const arch::ChipSpec& chip) {
    const auto it = chip.energy.leakage.find(what);
    const double ps = static_cast<double>(cycles) * chip.clock.period;
    // mW * ps = 1e-15 J = 1e-3 pJ
    return it == chip.energy.leakage.end() ? 0.0 : it->second.value * instances * ps * 1e-3;
}

}  // namespace

double leakage_pj(std::uint64_t cycles, const arch::ChipSpec& chip) {
    return leakage_of("core", static_cast<double>(chip.n_cores()), cycles, chip) +
           leakage_of("router", static_cast<double>(chip.n_routers()), cycles, chip) +
           leakage_of("chip", 1.0, cycles, chip);
}

EnergySplit step_energy(const StepRecord& step, const arch::ChipSpec& chip) {
    Ledger ledger;
    LeafMaker maker(ledger, chip.energy);
    maker.add_all(Leaf::kNoCore, Leaf::kNoLayer, 0, step.core);
    maker.add_all(Leaf::kNoCore, Leaf::kNoLayer, first_noc_event(), step.noc);
    maker.add(Leaf::kNoCore, Leaf::kNoLayer, host_event(), step.host_packets);
    maker.add(Leaf::kNoCore, Leaf::kNoLayer, host_event() + 1, step.barriers);
    return ledger.total();
}

Ledger compute_energy(const RunRecord& record, const arch::ChipSpec& chip) {
    Ledger ledger;
    LeafMaker maker(ledger, chip.energy);
    for (const CoreLayerRecord& c : record.cores) maker.add_all(c.endpoint, c.layer, 0, c.counters);
    for (std::size_t layer = 0; layer < record.noc.size(); ++layer) {
        maker.add_all(Leaf::kNoCore, static_cast<std::uint32_t>(layer), first_noc_event(), record.noc[layer]);
    }
    maker.add(Leaf::kNoCore, Leaf::kNoLayer, host_event(), record.host_packets);
    maker.add(Leaf::kNoCore, Leaf::kNoLayer, host_event() + 1, record.barriers);
    ledger.core_leakage_pj =
        leakage_of("core", static_cast<double>(chip.n_cores()), record.total_cycles, chip);
    ledger.router_leakage_pj =
        leakage_of("router", static_cast<double>(chip.n_routers()), record.total_cycles, chip);
    ledger.chip_leakage_pj = leakage_of("chip", 1.0, record.total_cycles, chip);
    return ledger;
}

}  // namespace loom::stats
