// SPDX-License-Identifier: Apache-2.0
// Meshes, tori, rings and triangular tori; several mesh chips joined by bridges.
#include <fmt/format.h>

#include "noc/topology/builders.hpp"
#include "sim/base/error.hpp"

namespace loom::noc {
namespace {

constexpr std::uint64_t kMaxSide = 4096;
constexpr std::array<LinkKind, 3> kKinds{kLinkX, kLinkY, kLinkZ};

std::vector<std::uint32_t> sides(const LinkRules& rules, const char* what, std::size_t least,
                                 std::size_t most) {
    const auto& size = rules.spec.size;
    if (size.size() < least || size.size() > most) {
        throw ConfigError(fmt::format("noc.size: a {} needs {}{} number{}; found {}", what, least,
                                      most == least ? "" : fmt::format(" to {}", most), most == 1 ? "" : "s",
                                      size.size()));
    }
    std::uint64_t routers = 1;
    std::vector<std::uint32_t> out;
    for (const std::uint64_t k : size) {
        if (k == 0 || k > kMaxSide)
            throw ConfigError(fmt::format("noc.size: {} is not in 1..{}", k, kMaxSide));
        out.push_back(static_cast<std::uint32_t>(k));
        routers *= k;
    }
    if (routers > (1u << 24))
        throw ConfigError(fmt::format("noc.size: {} routers are more than 2^24", routers));
    return out;
}

Topology empty_grid(const std::vector<std::uint32_t>& grid, unsigned link_ports) {
    std::uint32_t routers = 1;
    for (const std::uint32_t k : grid) routers *= k;
    Topology t(routers, link_ports);
    t.grid = grid;
    t.regular = true;
    for (std::uint32_t r = 0; r < routers; ++r) {
        std::array<std::uint32_t, 3> c{};
        std::uint32_t rest = r;
        for (std::size_t d = 0; d < grid.size(); ++d) {
            c[d] = rest % grid[d];
            rest /= grid[d];
        }
        t.set_coord(r, {static_cast<std::uint16_t>(c[0]), static_cast<std::uint16_t>(c[1]),
                        static_cast<std::uint16_t>(c[2])});
    }
    return t;
}

/// Links along each dimension; wrap-around ones too on a torus.
void link_grid(Topology& t, const LinkRules& rules) {
    std::uint32_t stride = 1;
    for (unsigned d = 0; d < t.grid.size(); ++d) {
        const std::uint32_t k = t.grid[d];
        for (std::uint32_t r = 0; r < t.n_routers(); ++r) {
            const std::uint32_t at = t.coord(r)[d];
            if (at + 1 < k) {
                rules.connect(t, r, 2 * d, r + stride, 2 * d + 1, kKinds[d]);
            } else if (t.wraps && k > 1) {
                rules.connect(t, r, 2 * d, r - at * stride, 2 * d + 1, kKinds[d]);
            }
        }
        stride *= k;
    }
}

/// Chips side by side: the links between them are replaced by one bridge per edge, which all rows (or
/// columns) share. Two further routers at each edge merge the channels and split them again.
Topology bridged_mesh(const LinkRules& rules, const std::vector<std::uint32_t>& chip) {
    const auto& spec = rules.spec.chips;
    if (chip.size() != 2 || spec.grid.size() != 2) {
        throw ConfigError("noc.chips: bridges join meshes of 2 dimensions in a grid of 2");
    }
    const auto gx = static_cast<std::uint32_t>(spec.grid[0]), gy = static_cast<std::uint32_t>(spec.grid[1]);
    const std::vector<std::uint32_t> grid{chip[0] * gx, chip[1] * gy};
    const unsigned widest = std::max(chip[0], chip[1]);
    if (widest > 60) throw ConfigError("noc.size: a chip with bridges has at most 60 routers at an edge");
    const Topology plain = empty_grid(grid, 4);
    const std::uint32_t mergers = 2 * ((gx - 1) * gy + (gy - 1) * gx);
    Topology t(plain.n_routers() + mergers, std::max(4u, widest + 1));
    t.grid = grid;
    for (std::uint32_t r = 0; r < plain.n_routers(); ++r) t.set_coord(r, plain.coord(r));
    std::uint32_t next = plain.n_routers();
    const auto bridge_ps = rules.flit_ps(kLinkBridge, spec.width);
    const auto edge = [&](unsigned d, std::uint32_t at, std::uint32_t from, std::uint32_t n) {
        // at: last coordinate in d of the lower chip; rows (columns) from..from+n
        const std::uint32_t low = next++, high = next++;
        const auto position = [&](std::uint32_t along, std::uint32_t row) {
            return d == 0 ? Coord{static_cast<std::uint16_t>(along), static_cast<std::uint16_t>(row)}
                          : Coord{static_cast<std::uint16_t>(row), static_cast<std::uint16_t>(along)};
        };
        t.set_coord(low, position(at, from));
        t.set_coord(high, position(at + 1, from));
        for (std::uint32_t i = 0; i < n; ++i) {
            rules.connect(t, t.router_at(position(at, from + i)), 2 * d, low, i, kKinds[d]);
            rules.connect(t, t.router_at(position(at + 1, from + i)), 2 * d + 1, high, i,
                          opposite(kKinds[d]));
        }
        t.connect(low, t.link_ports() - 1, high, t.link_ports() - 1, kLinkBridge,
                  rules.latency(kLinkBridge, spec.latency), bridge_ps);
    };
    for (std::uint32_t r = 0; r < plain.n_routers(); ++r) {
        const Coord c = plain.coord(r);
        if (c.x + 1u < grid[0] && (c.x + 1u) % chip[0] != 0) rules.connect(t, r, 0, r + 1, 1, kLinkX);
        if (c.y + 1u < grid[1] && (c.y + 1u) % chip[1] != 0) rules.connect(t, r, 2, r + grid[0], 3, kLinkY);
    }
    for (std::uint32_t cy = 0; cy < gy; ++cy)
        for (std::uint32_t cx = 0; cx + 1 < gx; ++cx) edge(0, (cx + 1) * chip[0] - 1, cy * chip[1], chip[1]);
    for (std::uint32_t cx = 0; cx < gx; ++cx)
        for (std::uint32_t cy = 0; cy + 1 < gy; ++cy) edge(1, (cy + 1) * chip[1] - 1, cx * chip[0], chip[0]);
    return t;
}

}  // namespace

Topology build_mesh(const LinkRules& rules) {
    const auto grid = sides(rules, "mesh", 1, 3);
    for (const std::uint64_t k : rules.spec.chips.grid) {
        if (k > 1) return bridged_mesh(rules, grid);
    }
    Topology t = empty_grid(grid, static_cast<unsigned>(2 * grid.size()));
    link_grid(t, rules);
    return t;
}

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

}  // namespace loom::noc
