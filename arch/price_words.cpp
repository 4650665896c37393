// SPDX-License-Identifier: Apache-2.0
#include "arch/price_words.hpp"

#include <algorithm>

#include "base/key_error.hpp"
#include "base/nearest.hpp"

namespace loom::arch {
namespace {

void need_event(const std::string& path, const std::string& name, const std::vector<std::string>& events) {
    if (std::ranges::find(events, name) == events.end())
        throw KeyError(path, "no such event" + suggestion(name, events));
}

void need_one_of(const std::string& path, const std::string& value, const std::vector<std::string>& of) {
    if (std::ranges::find(of, value) == of.end())
        throw KeyError(path, "unknown " + quoted(value) + suggestion(value, of));
}
template <std::size_t N>
void need_one_of(const std::string& path, const std::string& value,
                 const std::array<std::string_view, N>& of) {
    need_one_of(path, value, std::vector<std::string>(of.begin(), of.end()));
}

}  // namespace

void check_price_words(const EnergySpec& prices, const std::string& list, const PriceNames& names) {
    for (const auto& [name, price] : prices.actions) {
        const std::string path = list + ".actions." + name;
        need_event(path, name, names.events);
        need_one_of(path + ".category", price.category, kPriceCategories);
        need_one_of(path + ".grade", price.grade, kPriceGrades);
        need_one_of(path + ".scope", price.scope, kPriceScopes);
        if (prices.unpriced.count(name) != 0)
            throw KeyError(list + ".unpriced." + name, "has a price as well");
    }
    for (const auto& [name, reason] : prices.unpriced)
        need_event(list + ".unpriced." + name, name, names.events);
    for (const auto& [name, leak] : prices.leakage) {
        const std::string path = list + ".leakage." + name;
        need_one_of(path, name, names.leaking);
        need_one_of(path + ".grade", leak.grade, kPriceGrades);
        if (leak.value > 0 && leak.per_cycle > 0)
            throw KeyError(path + ".per_cycle", "there is a power (value) as well");
    }
}

}  // namespace loom::arch
