// SPDX-License-Identifier: Apache-2.0
#include "noc/topology/bridged_mesh.hpp"
#include "noc/topology/grid.hpp"
#include "noc/topology/topology_kind.hpp"

namespace loom::noc {
namespace {

Topology build_mesh(const LinkRules& rules) {
    const auto grid = sides(rules, "mesh", 1, 3);
    for (const std::uint64_t k : rules.spec.chips.grid) {
        if (k > 1) return bridged_mesh(rules, grid);
    }
    Topology t = empty_grid(grid, static_cast<unsigned>(2 * grid.size()));
    link_grid(t, rules);
    return t;
}

}  // namespace

TopologyKind mesh_topology() {
    return {.name = "mesh", .build = build_mesh, .joins_chips = true};
}

}  // namespace loom::noc
