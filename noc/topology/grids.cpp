// SPDX-License-Identifier: Apache-2.0
// Meshes, tori, rings and triangular tori; several mesh chips joined by bridges.
#include <fmt/format.h>

#include "noc/topology/builders.hpp"
#include "base/error.hpp"

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
    if (routers > (1u << 20))
        throw ConfigError(fmt::format("noc.size: {} routers are more than 2^20", routers));
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

constexpr unsigned kMaxChannels = 60;

/// Channels of a merger: all of an edge, or about the root of them where a second stage merges the rest.
unsigned channels_of_merger(unsigned widest) {
    if (widest <= kMaxChannels) return widest;
    unsigned arity = 1;
    while (arity * arity < widest) ++arity;
    return arity;
}
std::uint32_t mergers_of(std::uint32_t channels, unsigned arity) {
    return channels <= arity ? 1 : (channels + arity - 1) / arity + 1;
}

/// Chips side by side: the links between them are replaced by one bridge per edge, which all rows (or
/// columns) share. Further routers at each edge merge the channels, in two stages where they are many, and
/// split them again. Their last port leads to the bridge.
class BridgedMesh {
  public:
    BridgedMesh(const LinkRules& rules, const std::vector<std::uint32_t>& chip)
        : rules_(rules),
          chip_(chip),
          gx_(static_cast<std::uint32_t>(rules.spec.chips.grid[0])),
          gy_(static_cast<std::uint32_t>(rules.spec.chips.grid[1])),
          arity_(channels_of_merger(std::max(chip[0], chip[1]))),
          t_(gx_ * gy_ * chip[0] * chip[1] + 2 * (gx_ - 1) * gy_ * mergers_of(chip[1], arity_) +
                 2 * (gy_ - 1) * gx_ * mergers_of(chip[0], arity_),
             std::max(4u, arity_ + 1)) {}

    Topology build() {
        const Topology plain = empty_grid({chip_[0] * gx_, chip_[1] * gy_}, 4);
        t_.grid = plain.grid;
        next_ = plain.n_routers();
        for (std::uint32_t r = 0; r < plain.n_routers(); ++r) {
            const Coord c = plain.coord(r);
            t_.set_coord(r, c);
            if (c.x + 1u < t_.grid[0] && (c.x + 1u) % chip_[0] != 0)
                rules_.connect(t_, r, 0, r + 1, 1, kLinkX);
            if (c.y + 1u < t_.grid[1] && (c.y + 1u) % chip_[1] != 0)
                rules_.connect(t_, r, 2, r + t_.grid[0], 3, kLinkY);
        }
        for (std::uint32_t cy = 0; cy < gy_; ++cy)
            for (std::uint32_t cx = 0; cx + 1 < gx_; ++cx) edge(0, (cx + 1) * chip_[0] - 1, cy * chip_[1]);
        for (std::uint32_t cx = 0; cx < gx_; ++cx)
            for (std::uint32_t cy = 0; cy + 1 < gy_; ++cy) edge(1, (cy + 1) * chip_[1] - 1, cx * chip_[0]);
        return std::move(t_);
    }

  private:
    /// at: last coordinate in d of the lower chip; from: first of its rows (columns).
    void edge(unsigned d, std::uint32_t at, std::uint32_t from) {
        const unsigned up = t_.link_ports() - 1;
        const std::uint32_t low = side(d, at, from, 2 * d, kKinds[d]);
        const std::uint32_t high = side(d, at + 1, from, 2 * d + 1, opposite(kKinds[d]));
        t_.connect(low, up, high, up, kLinkBridge, rules_.latency(kLinkBridge, rules_.spec.chips.latency),
                   rules_.flit_ps(kLinkBridge, rules_.spec.chips.width));
    }
    /// Merges the channels of one side of an edge; the router that the bridge is to be connected to.
    std::uint32_t side(unsigned d, std::uint32_t along, std::uint32_t from, unsigned port, LinkKind kind) {
        const std::uint32_t n = chip_[1 - d];
        const unsigned up = t_.link_ports() - 1;
        std::vector<std::uint32_t> mergers;
        for (std::uint32_t i = 0; i < n; ++i) {
            if (i % arity_ == 0) mergers.push_back(add(position(d, along, from + i)));
            rules_.connect(t_, t_.router_at(position(d, along, from + i)), port, mergers.back(), i % arity_,
                           kind);
        }
        if (mergers.size() == 1) return mergers[0];
        const std::uint32_t root = add(position(d, along, from));
        for (unsigned i = 0; i < mergers.size(); ++i) rules_.connect(t_, mergers[i], up, root, i, kLinkOther);
        return root;
    }
    std::uint32_t add(Coord at) {
        t_.set_coord(next_, at);
        return next_++;
    }
    static Coord position(unsigned d, std::uint32_t along, std::uint32_t row) {
        const auto a = static_cast<std::uint16_t>(along), r = static_cast<std::uint16_t>(row);
        return d == 0 ? Coord{a, r} : Coord{r, a};
    }

    const LinkRules& rules_;
    std::vector<std::uint32_t> chip_;
    std::uint32_t gx_, gy_;
    unsigned arity_;
    Topology t_;
    std::uint32_t next_ = 0;
};

Topology bridged_mesh(const LinkRules& rules, const std::vector<std::uint32_t>& chip) {
    const auto& grid = rules.spec.chips.grid;
    if (chip.size() != 2 || grid.size() != 2) {
        throw ConfigError("noc.chips: bridges join meshes of 2 dimensions in a grid of 2");
    }
    if (std::max(chip[0], chip[1]) > kMaxChannels * kMaxChannels)
        throw ConfigError(fmt::format("noc.size: a chip with bridges has at most {} routers at an edge",
                                      kMaxChannels * kMaxChannels));
    return BridgedMesh(rules, chip).build();
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
