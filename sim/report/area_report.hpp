// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"

#include "arch/chip_spec.hpp"
#include "sim/report/area.hpp"
#include "sim/report/energy_prices.hpp"

namespace loom::stats {

/// {mm2, instances, um2, grade, source} of a part that is there so many times.
Json part_json(const AreaPart& part, double times = 1);
/// Feature size of the list's figures in nm; null: not stated.
Json technology_json(const arch::EnergySpec& prices);

/// {total_mm2, technology_nm, kinds: {name: {cores, core_mm2, total_mm2, components: {name: {mm2, instances,
/// um2, grade, source}}}}, network: {name: {...}}, not_included: [...]}; mm2 and instances of a component are
/// of all cores of the kind. total_mm2 is null when the list has no figure at all.
Json area_json(const arch::ChipSpec& chip);
Json area_json(const arch::ChipSpec& chip, const Inventory& inventory);

}  // namespace loom::stats
