// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "arch/area.hpp"
#include "arch/chip_spec.hpp"

namespace loom::stats {

using arch::add_part;
using arch::area_of_width;
using arch::AreaPart;
using arch::AreaParts;

/// One core; of a chip whose cores are all alike (arch::chip_of_kind).
AreaParts core_area(const arch::ChipSpec& chip);

/// Throws ConfigError for an unknown key or grade under `area`.
void check_area(const arch::EnergySpec& prices, const std::string& list);

}  // namespace loom::stats
