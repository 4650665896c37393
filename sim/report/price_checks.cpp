// SPDX-License-Identifier: Apache-2.0
#include "sim/report/energy_prices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "arch/core_kinds.hpp"
#include "base/key_error.hpp"
#include "base/nearest.hpp"
#include "sim/report/area.hpp"

namespace loom::stats {
namespace {

/// Throws for an event that has no price in a list (its key), if it is one that needs it.
void need_price(const EventInfo& e, const std::string& list = "energy") {
    if (!e.priced) return;
    throw KeyError(fmt::format("{}.actions.{}", list, family_of(e.name)),
                   fmt::format("missing; give it a price, or a reason under energy.unpriced ({})", e.doc));
}

/// list: the key of the prices.
void check_names(const arch::EnergySpec& prices, const std::string& list, const EventList& events) {
    std::vector<std::string> names;
    for (const EventInfo& e : events) {
        const std::string family = family_of(e.name);
        if (std::find(names.begin(), names.end(), family) == names.end()) names.push_back(family);
        if (family != e.name) names.push_back(e.name);
    }
    const auto known = [&](const std::string& path, const std::string& name) {
        if (std::find(names.begin(), names.end(), name) == names.end())
            throw KeyError(path, "no such event" + suggestion(name, names));
    };
    const auto one_of = [](const std::string& path, const std::string& value,
                           const std::vector<std::string>& of) {
        if (std::find(of.begin(), of.end(), value) == of.end())
            throw KeyError(path, "unknown " + quoted(value) + suggestion(value, of));
    };
    const std::vector<std::string> categories(kCategories.begin(), kCategories.end());
    const std::vector<std::string> grades{"measured", "simulated", "derived", "assumed"};
    for (const auto& [name, price] : prices.actions) {
        const std::string path = list + ".actions." + name;
        known(path, name);
        one_of(path + ".category", price.category, categories);
        one_of(path + ".grade", price.grade, grades);
        one_of(path + ".scope", price.scope, {"marginal", "all_in"});
        if (prices.unpriced.count(name) != 0)
            throw KeyError(list + ".unpriced." + name, "has a price as well");
    }
    for (const auto& [name, reason] : prices.unpriced) known(list + ".unpriced." + name, name);
    for (const auto& [name, leak] : prices.leakage) {
        const std::string path = list + ".leakage." + name;
        one_of(path, name, {"core", "router", "link", "bridge", "chip"});
        one_of(path + ".grade", leak.grade, grades);
        if (leak.value > 0 && leak.per_cycle > 0)
            throw KeyError(path + ".per_cycle", "there is a power (value) as well");
    }
    check_area(prices, list);
}

}  // namespace

void check_prices(const arch::ChipSpec& chip, PricedPart part) {
    const auto events = std::make_shared<const EventList>(chip.kinds());
    check_names(chip.energy, "energy", *events);
    for (std::size_t k = 0; k < chip.cores.size(); ++k)
        check_names(chip.cores[k].energy, fmt::format("cores.{}.energy", k), *events);
    const Inventory inventory(chip);
    for (std::size_t k = 0; k < (part == PricedPart::Network ? 1 : chip.n_kinds()); ++k) {
        const arch::ChipSpec view = arch::chip_of_kind(chip, k);
        const PriceTable table(view, inventory, events);
        for (std::size_t i = 0; i < events->size(); ++i) {
            const bool core = events->of_cores(i);
            if ((part == PricedPart::Network && !events->of_network(i)) || (k != 0 && !core)) continue;
            if (table[i].spec != nullptr || table[i].excused || !table[i].possible) continue;
            need_price((*events)[i],
                       core && !chip.cores.empty() ? fmt::format("cores.{}.energy", k) : "energy");
        }
    }
}

void check_price_list(const arch::EnergySpec& prices, const arch::CoreKinds& kinds) {
    const EventList events(kinds);
    check_names(prices, "energy", events);
    const auto named = [&](const EventInfo& e) {
        return find_price(prices.actions, e.name) != prices.actions.end() ||
               find_price(prices.unpriced, e.name) != prices.unpriced.end();
    };
    bool cores = false;
    for (std::size_t i = 0; i < events.size(); ++i) cores |= !events.of_network(i) && named(events[i]);
    for (std::size_t i = 0; i < events.size(); ++i) {
        if ((cores || events.of_network(i)) && !events.rare(i) && !named(events[i])) need_price(events[i]);
    }
}

}  // namespace loom::stats
