// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "noc/topology/topology_kind.hpp"

namespace loom::noc {
namespace {

constexpr std::uint64_t kMaxDimensions = 16;

/// Router r is linked to those whose numbers differ from r in one bit; port d crosses bit d. Tables find the
/// lowest bit that differs first (e-cube), which cannot deadlock.
Topology build_hypercube(const LinkRules& rules) {
    const std::uint32_t dimensions = sizes(rules, "hypercube", 1, "its dimensions", kMaxDimensions)[0];
    Topology t(1u << dimensions, dimensions);
    t.auto_routing = "table";
    for (std::uint32_t r = 0; r < t.n_routers(); ++r) {
        for (unsigned d = 0; d < dimensions; ++d) {
            if ((r >> d & 1u) == 0) rules.connect(t, r, d, r | 1u << d, d, kLinkOther);
        }
    }
    return t;
}

/// The distance of two routers is the number of bits in which they differ.
arch::NocShape hypercube_shape(const arch::NocSpec& spec) {
    const std::uint64_t dimensions = spec.size.empty() ? 0 : std::min(spec.size[0], kMaxDimensions);
    arch::NocShape s = arch::line_shape(spec, std::uint64_t{1} << dimensions);
    s.distance = [](std::uint64_t a, std::uint64_t b) { return std::uint64_t(std::popcount(a ^ b)); };
    return s;
}

}  // namespace

TopologyKind hypercube_topology() {
    return {.name = "hypercube", .build = build_hypercube, .shape = hypercube_shape};
}

}  // namespace loom::noc
