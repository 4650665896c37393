// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "noc/topology/link_rules.hpp"

namespace loom::noc {

/// Meshes of `chip` routers side by side in the grid of noc.chips, joined by bridges. ConfigError.
Topology bridged_mesh(const LinkRules& rules, const std::vector<std::uint32_t>& chip);

}  // namespace loom::noc
