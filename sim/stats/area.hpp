// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "sim/arch/chip_spec.hpp"

namespace loom::stats {

/// So many instances of something that the price list has an area for.
struct AreaPart {
    std::string name;
    double instances = 0;
    arch::AreaSpec figure;
    double mm2() const { return instances * figure.value * 1e-6; }
};
/// Parts with an area, and what has none in the list.
struct AreaParts {
    std::vector<AreaPart> parts;
    std::vector<std::string> missing;
    double mm2() const;
};

/// Cells, converters and multiplexers of so many arrays.
AreaParts array_area(const arch::CimSpec& spec, const arch::EnergySpec& prices, double arrays);
/// One core; of a chip whose cores are all alike (arch::chip_of_kind).
AreaParts core_area(const arch::ChipSpec& chip);

/// Throws ConfigError for an unknown key or grade under `area`.
void check_area(const arch::EnergySpec& prices, const std::string& list);

}  // namespace loom::stats
