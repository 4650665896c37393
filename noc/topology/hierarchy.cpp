// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "noc/topology/topology_kind.hpp"

namespace loom::noc {
namespace {

/// Cores of a cluster at a cluster router, clusters of a chip at a chip router, chips at one off-chip
/// router: links x, y and bridges. Core routers first.
Topology build_hierarchy(const LinkRules& rules) {
    const auto n = sizes(rules, "hierarchy", 3, "cores per cluster, clusters per chip, chips", kMaxPorts - 2);
    const std::uint32_t cores = n[0] * n[1] * n[2], clusters = n[1] * n[2], chips = n[2];
    Topology t(cores + clusters + chips + 1, 1 + std::max({n[0], n[1], n[2]}));
    t.root_is_last = true;
    const std::uint32_t chip0 = cores + clusters, top = chip0 + chips;
    for (std::uint32_t i = 0; i < cores; ++i) rules.connect(t, i, 0, cores + i / n[0], 1 + i % n[0], kLinkX);
    for (std::uint32_t i = 0; i < clusters; ++i)
        rules.connect(t, cores + i, 0, chip0 + i / n[1], 1 + i % n[1], kLinkY);
    const auto& b = rules.spec.chips;
    for (std::uint32_t i = 0; i < chips; ++i) {
        t.connect(chip0 + i, 0, top, 1 + i, kLinkBridge, rules.latency(kLinkBridge, b.latency),
                  rules.flit_ps(kLinkBridge, b.width));
    }
    return t;
}

}  // namespace

TopologyKind hierarchy_topology() {
    return {.name = "hierarchy", .build = build_hierarchy, .has_bridges = true};
}

}  // namespace loom::noc
