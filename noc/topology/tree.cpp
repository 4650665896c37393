// SPDX-License-Identifier: Apache-2.0
#include "base/key_error.hpp"
#include "noc/topology/topology_kind.hpp"

namespace loom::noc {
namespace {

/// Leaves first, then each level above; port 0 leads up, the others down.
Topology build_tree(const LinkRules& rules) {
    const auto n = sizes(rules, "tree", 2, "arity and levels", kMaxPorts - 2);
    const std::uint32_t arity = n[0], levels = n[1];
    std::uint64_t leaves = 1, routers = 1;
    for (std::uint32_t l = 0; l < levels; ++l) {
        leaves *= arity;
        routers += leaves;
        if (routers > (1u << 20)) throw KeyError("noc.size", "the tree has more than 2^20 routers");
    }
    if (arity == 1 && levels > 64) throw KeyError("noc.size", "a tree of arity 1 has at most 64 levels");
    Topology t(static_cast<std::uint32_t>(routers), arity + 1);
    t.root_is_last = true;
    std::uint32_t first = 0;
    for (auto width = static_cast<std::uint32_t>(leaves); first + width < routers; width /= arity) {
        const std::uint32_t above = first + width;
        for (std::uint32_t i = 0; i < width; ++i) {
            rules.connect(t, first + i, 0, above + i / arity, 1 + i % arity, kLinkOther);
        }
        first = above;
    }
    return t;
}

/// Cores are at the leaves.
arch::NocShape tree_shape(const arch::NocSpec& spec) {
    std::uint64_t leaves = 1;
    for (std::uint64_t i = 0; spec.size.size() == 2 && i < spec.size[1] && leaves < (1u << 24); ++i)
        leaves *= spec.size[0];
    return arch::line_shape(spec, leaves);
}

}  // namespace

TopologyKind tree_topology() {
    return {.name = "tree", .build = build_tree, .shape = tree_shape};
}

}  // namespace loom::noc
