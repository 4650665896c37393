// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/energy_price.hpp"
#include "base/fields.hpp"

namespace loom::config {

/// "2 ns" -> 2000 for Unit::Time: the canonical units of Unit. A missing unit is an error
/// unless the number is zero or bare_number(). Negative, infinite or NaN is an error.
/// Throws ConfigError with a message without place ("expected a time with a unit, ...").
double parse_quantity(std::string_view text, Unit unit);

/// Parses a whole number of canonical units; an error when it is none or beyond 2^53.
std::uint64_t parse_whole_quantity(std::string_view text, Unit unit);

/// "2 ns" of 2000: in the largest unit that reads back as exactly the same value.
/// Unit::None: just the number.
std::string format_quantity(double value, Unit unit);

/// A regular expression (ECMA) of the accepted texts, for the JSON schema.
std::string quantity_pattern(Unit unit);

/// Whether a number without a unit is in the canonical unit.
bool bare_number(Unit unit);
/// "3 pJ", "25 pJ/bit", "0.3 pJ/bit/mm" (any unit of length). ConfigError as parse_quantity.
EnergyPrice parse_price(std::string_view text);
std::string format_price(const EnergyPrice& price);
std::string price_pattern();

/// "time", "energy", ...; "number" for None.
std::string_view unit_noun(Unit unit);

}  // namespace loom::config
