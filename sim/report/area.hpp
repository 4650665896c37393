// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "arch/chip_spec.hpp"

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

/// The entry `<family>.<bits>` of this width, or of the next above; null: there is none.
const arch::AreaSpec* area_of_width(const arch::EnergySpec& prices, const std::string& family,
                                    std::uint64_t bits);
/// Adds a part; without a figure, its name to those that have none.
void add_part(AreaParts& to, const std::string& name, double instances, const arch::AreaSpec* figure);

/// Cells, converters and multiplexers of so many arrays.
AreaParts array_area(const arch::CimSpec& spec, const arch::EnergySpec& prices, double arrays);
/// One core; of a chip whose cores are all alike (arch::chip_of_kind).
AreaParts core_area(const arch::ChipSpec& chip);

/// Throws ConfigError for an unknown key or grade under `area`.
void check_area(const arch::EnergySpec& prices, const std::string& list);

}  // namespace loom::stats
