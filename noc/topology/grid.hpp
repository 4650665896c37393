// SPDX-License-Identifier: Apache-2.0
// What meshes and tori share.
#pragma once
#include <array>
#include <vector>

#include "noc/topology/link_rules.hpp"

namespace loom::noc {

/// Kinds of the links along x, y and z.
inline constexpr std::array<LinkKind, 3> kAxes{kLinkX, kLinkY, kLinkZ};

/// The numbers of noc.size: `least` to `most` sides of a grid of at most 2^20 routers. ConfigError.
std::vector<std::uint32_t> sides(const LinkRules& rules, const char* what, std::size_t least,
                                 std::size_t most);

/// Routers at their coordinates, without links.
Topology empty_grid(const std::vector<std::uint32_t>& grid, unsigned link_ports);

/// Links along each dimension; wrap-around ones too where the topology wraps.
void link_grid(Topology& t, const LinkRules& rules);

}  // namespace loom::noc
