// SPDX-License-Identifier: Apache-2.0
#include "noc/topology/grid.hpp"

#include <fmt/format.h>

#include "base/key_error.hpp"

namespace loom::noc {
namespace {

constexpr std::uint64_t kMaxSide = 4096;

}  // namespace

std::vector<std::uint32_t> sides(const LinkRules& rules, const char* what, std::size_t least,
                                 std::size_t most) {
    const auto& size = rules.spec.size;
    if (size.size() < least || size.size() > most) {
        throw KeyError("noc.size", fmt::format("a {} needs {}{} number{}; found {}", what, least,
                                               most == least ? "" : fmt::format(" to {}", most),
                                               most == 1 ? "" : "s", size.size()));
    }
    std::uint64_t routers = 1;
    std::vector<std::uint32_t> out;
    for (const std::uint64_t k : size) {
        if (k == 0 || k > kMaxSide)
            throw KeyError("noc.size", fmt::format("{} is not in 1..{}", k, kMaxSide));
        out.push_back(static_cast<std::uint32_t>(k));
        routers *= k;
    }
    if (routers > (1u << 20))
        throw KeyError("noc.size", fmt::format("{} routers are more than 2^20", routers));
    return out;
}

Topology empty_grid(const std::vector<std::uint32_t>& grid, unsigned link_ports) {
    std::uint32_t routers = 1;
    for (const std::uint32_t k : grid) routers *= k;
    Topology t(routers, link_ports);
    t.grid = grid;
    t.regular = true;
    t.auto_routing = "dimension_order";
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

void link_grid(Topology& t, const LinkRules& rules) {
    std::uint32_t stride = 1;
    for (unsigned d = 0; d < t.grid.size(); ++d) {
        const std::uint32_t k = t.grid[d];
        for (std::uint32_t r = 0; r < t.n_routers(); ++r) {
            const std::uint32_t at = t.coord(r)[d];
            if (at + 1 < k) {
                rules.connect(t, r, 2 * d, r + stride, 2 * d + 1, kAxes[d]);
            } else if (t.wraps && k > 1) {
                rules.connect(t, r, 2 * d, r - at * stride, 2 * d + 1, kAxes[d]);
            }
        }
        stride *= k;
    }
}

}  // namespace loom::noc
