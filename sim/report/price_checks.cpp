// SPDX-License-Identifier: Apache-2.0
#include "sim/report/energy_prices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "arch/core_kinds.hpp"
#include "arch/price_words.hpp"
#include "base/key_error.hpp"
#include "sim/report/area.hpp"

namespace loom::stats {
namespace {

/// Events that need a price and have none; all of them are told at once.
class Missing {
  public:
    /// list: the key of the prices.
    void add(const EventInfo& e, const std::string& list = "energy") {
        if (!e.priced) return;
        const std::string key = fmt::format("{}.actions.{}", list, family_of(e.name));
        if (std::find(keys_.begin(), keys_.end(), key) != keys_.end()) return;
        if (keys_.empty()) {
            text_ = fmt::format("missing; give it a price, or a reason under energy.unpriced ({})", e.doc);
        } else {
            text_ += fmt::format("{} {} ({})", keys_.size() == 1 ? "; missing as well:" : ",", key, e.doc);
        }
        keys_.push_back(key);
    }
    void check() const {
        if (!keys_.empty()) throw KeyError(keys_[0], text_);
    }

  private:
    std::vector<std::string> keys_;
    std::string text_;
};

/// list: the key of the prices.
void check_names(const arch::EnergySpec& prices, const std::string& list, const EventList& events) {
    std::vector<std::string> names;
    for (const EventInfo& e : events) {
        const std::string family = family_of(e.name);
        if (std::find(names.begin(), names.end(), family) == names.end()) names.push_back(family);
        if (family != e.name) names.push_back(e.name);
    }
    arch::check_price_words(prices, list, {names, {"core", "router", "link", "bridge", "chip"}});
    check_area(prices, list);
}

}  // namespace

void check_prices(const arch::ChipSpec& chip, PricedPart part) {
    const auto events = std::make_shared<const EventList>(chip.kinds());
    check_names(chip.energy, "energy", *events);
    for (std::size_t k = 0; k < chip.cores.size(); ++k)
        check_names(chip.cores[k].energy, fmt::format("cores.{}.energy", k), *events);
    const Inventory inventory(chip);
    Missing missing;
    for (std::size_t k = 0; k < (part == PricedPart::Network ? 1 : chip.n_kinds()); ++k) {
        const arch::ChipSpec view = arch::chip_of_kind(chip, k);
        const PriceTable table(view, inventory, events);
        for (std::size_t i = 0; i < events->size(); ++i) {
            const bool core = events->of_cores(i);
            if ((part == PricedPart::Network && !events->of_network(i)) || (k != 0 && !core)) continue;
            if (table[i].spec != nullptr || table[i].excused || !table[i].possible) continue;
            missing.add((*events)[i],
                        core && !chip.cores.empty() ? fmt::format("cores.{}.energy", k) : "energy");
        }
    }
    missing.check();
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
    Missing missing;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if ((cores || events.of_network(i)) && !events.rare(i) && !named(events[i])) missing.add(events[i]);
    }
    missing.check();
}

}  // namespace loom::stats
