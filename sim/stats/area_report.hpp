// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nlohmann/json.hpp>

#include "sim/arch/chip_spec.hpp"

namespace loom::stats {

/// {total_mm2, kinds: {name: {cores, core_mm2, total_mm2, components: {name: {mm2, instances, um2, grade,
/// source}}}}, network: {name: {...}}, not_included: [...]}; mm2 and instances of a component are of all
/// cores of the kind. total_mm2 is null when the list has no figure at all.
nlohmann::ordered_json area_json(const arch::ChipSpec& chip);

}  // namespace loom::stats
