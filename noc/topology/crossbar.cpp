// SPDX-License-Identifier: Apache-2.0
#include "base/key_error.hpp"
#include "noc/topology/topology_kind.hpp"

namespace loom::noc {
namespace {

Topology build_crossbar(const LinkRules& rules) {
    sizes(rules, "crossbar", 1, "its cores", kMaxPorts - 1);
    if (rules.spec.cores_per_router != 1) {
        throw KeyError("noc.cores_per_router", "a crossbar's cores are given by noc.size");
    }
    return Topology(1, 0);
}

/// One router with all cores.
arch::NocShape crossbar_shape(const arch::NocSpec& spec) {
    arch::NocShape s;
    s.cores_per_router = spec.size.empty() ? spec.cores_per_router : spec.size[0];
    return s;
}

}  // namespace

TopologyKind crossbar_topology() {
    return {.name = "crossbar", .build = build_crossbar, .shape = crossbar_shape};
}

}  // namespace loom::noc
