// SPDX-License-Identifier: Apache-2.0
#include "noc/topology/bridged_mesh.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/key_error.hpp"
#include "noc/topology/grid.hpp"

namespace loom::noc {
namespace {

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
        t_.auto_routing = plain.auto_routing;
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
        const std::uint32_t low = side(d, at, from, 2 * d, kAxes[d]);
        const std::uint32_t high = side(d, at + 1, from, 2 * d + 1, opposite(kAxes[d]));
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

}  // namespace

Topology bridged_mesh(const LinkRules& rules, const std::vector<std::uint32_t>& chip) {
    const auto& grid = rules.spec.chips.grid;
    if (chip.size() != 2 || grid.size() != 2) {
        throw KeyError("noc.chips", "bridges join meshes of 2 dimensions in a grid of 2");
    }
    if (std::max(chip[0], chip[1]) > kMaxChannels * kMaxChannels)
        throw KeyError("noc.size", fmt::format("a chip with bridges has at most {} routers at an edge",
                                               kMaxChannels * kMaxChannels));
    return BridgedMesh(rules, chip).build();
}

}  // namespace loom::noc
