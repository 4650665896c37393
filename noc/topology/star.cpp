// SPDX-License-Identifier: Apache-2.0
#include "noc/topology/topology_kind.hpp"

namespace loom::noc {
namespace {

/// The hub has the last number.
Topology build_star(const LinkRules& rules) {
    const std::uint32_t n = sizes(rules, "star", 1, "its leaves", kMaxPorts - 1)[0];
    Topology t(n + 1, n);
    t.root_is_last = true;
    for (std::uint32_t i = 0; i < n; ++i) rules.connect(t, i, 0, n, i, kLinkX);
    return t;
}

}  // namespace

TopologyKind star_topology() {
    return {.name = "star", .build = build_star};
}

}  // namespace loom::noc
