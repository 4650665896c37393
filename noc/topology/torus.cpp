// SPDX-License-Identifier: Apache-2.0
// Grids whose rows and columns are closed: tori, rings, and tori with diagonals.
#include "noc/topology/grid.hpp"
#include "noc/topology/topology_kind.hpp"

namespace loom::noc {
namespace {

Topology build_torus(const LinkRules& rules) {
    const auto grid = sides(rules, "torus", 1, 3);
    Topology t = empty_grid(grid, static_cast<unsigned>(2 * grid.size()));
    t.wraps = true;
    link_grid(t, rules);
    return t;
}

Topology build_ring(const LinkRules& rules) {
    const auto grid = sides(rules, "ring", 1, 1);
    Topology t = empty_grid(grid, 2);
    t.wraps = true;
    link_grid(t, rules);
    return t;
}

Topology build_triangular(const LinkRules& rules) {
    const auto grid = sides(rules, "triangular torus", 2, 2);
    Topology t = empty_grid(grid, 6);
    t.wraps = t.diagonals = true;
    link_grid(t, rules);
    for (std::uint32_t r = 0; r < t.n_routers(); ++r) {
        const Coord c = t.coord(r);
        const Coord to{static_cast<std::uint16_t>((c.x + 1u) % grid[0]),
                       static_cast<std::uint16_t>((c.y + 1u) % grid[1])};
        if (grid[0] > 1 && grid[1] > 1) rules.connect(t, r, 4, t.router_at(to), 5, kLinkOther);
    }
    return t;
}

}  // namespace

TopologyKind torus_topology() {
    return {.name = "torus", .build = build_torus};
}

TopologyKind ring_topology() {
    return {.name = "ring", .build = build_ring};
}

TopologyKind triangular_topology() {
    return {.name = "triangular", .build = build_triangular};
}

}  // namespace loom::noc
