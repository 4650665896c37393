// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "arch/energy_spec.hpp"

namespace loom::arch {

/// So many instances of something that the price list has an area for.
struct AreaPart {
    std::string name;
    double instances = 0;
    AreaSpec figure;
    double mm2() const { return instances * figure.value * 1e-6; }
};
/// Parts with an area, and what has none in the list.
struct AreaParts {
    std::vector<AreaPart> parts;
    std::vector<std::string> missing;
    double mm2() const;
};

/// The figure of that name; null: the list has none.
const AreaSpec* area_figure(const EnergySpec& prices, const std::string& name);
/// Bits of "<family>.8"; 0 when the name is no such one.
std::uint64_t area_width(const std::string& name, const std::string& family);
/// The figure `<family>.<bits>` of this width, or of the next above; null: there is none.
const AreaSpec* area_of_width(const EnergySpec& prices, const std::string& family, std::uint64_t bits);
/// Adds a part; without a figure, its name to those that have none.
void add_part(AreaParts& to, const std::string& name, double instances, const AreaSpec* figure);

}  // namespace loom::arch
