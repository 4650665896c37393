// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "arch/energy_spec.hpp"

namespace loom::arch {

/// What a price's `category` and every figure's `grade` can be, and a price's `scope`.
inline constexpr std::array<std::string_view, 4> kPriceCategories{"compute", "memory", "noc", "control"};
inline constexpr std::array<std::string_view, 4> kPriceGrades{"measured", "simulated", "derived", "assumed"};
inline constexpr std::array<std::string_view, 2> kPriceScopes{"marginal", "all_in"};

/// What a price list may name.
struct PriceNames {
    std::vector<std::string> events;   ///< of `actions` and `unpriced`
    std::vector<std::string> leaking;  ///< components of `leakage`
};

/// Throws ConfigError for a name that the list must not have, for an unknown category, grade or scope, for an
/// event that is priced and excused, and for a component with power and energy per cycle both. `list`: the
/// key where the prices stand ("energy").
void check_price_words(const EnergySpec& prices, const std::string& list, const PriceNames& names);

}  // namespace loom::arch
