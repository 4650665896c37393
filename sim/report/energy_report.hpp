// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"
#include <string>

#include "sim/report/energy_ledger.hpp"

namespace loom::stats {

/// Counted events that have a price: {name: {count, price_pj, pj, category, scope, grade, source, formula}};
/// `formula` only where the price is per bit or mm.
Json events_json(const Ledger& ledger, const PriceTable& prices);
/// Events that are free: {name: {count, reason}}.
Json unpriced_json(const Ledger& ledger, const PriceTable& prices);
/// {core_pj, router_pj, link_pj, bridge_pj, chip_pj}
Json leakage_json(const Leakage& leakage);
/// The same for people: every event by component, with count, price, formula, source and energy.
std::string energy_yaml(const Ledger& ledger, const PriceTable& prices);

}  // namespace loom::stats
