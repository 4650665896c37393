// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "noc/topology/topology.hpp"

namespace loom::noc {

/// What builders share: link delays by kind, and messages.
struct LinkRules {
    const arch::NocSpec& spec;
    double period;  ///< ps

    /// `width`: as for flit_ps.
    std::uint32_t latency(LinkKind kind, std::uint64_t cycles, std::uint64_t width = 0) const;
    /// The same with the cycles that the specification gives for links of this kind.
    std::uint32_t default_latency(LinkKind kind, std::uint64_t width = 0) const;
    std::uint32_t local_latency() const;
    /// Time that a flit takes a link of `width` bits (0: the default), clocked with `link_period`.
    std::uint64_t flit_ps(LinkKind kind, std::uint64_t width = 0) const;
    void connect(Topology& t, std::uint32_t a, unsigned pa, std::uint32_t b, unsigned pb,
                 LinkKind kind) const {
        t.connect(a, pa, b, pb, kind, default_latency(kind), flit_ps(kind));
        t.channel(b, pb).latency = default_latency(opposite(kind));
        t.channel(b, pb).flit_ps = flit_ps(opposite(kind));
    }
};

// One builder per topology: routers and links; endpoints come later. ConfigError for a wrong size.
Topology build_mesh(const LinkRules& rules);
Topology build_torus(const LinkRules& rules);
Topology build_ring(const LinkRules& rules);
Topology build_triangular(const LinkRules& rules);
Topology build_star(const LinkRules& rules);
Topology build_crossbar(const LinkRules& rules);
Topology build_tree(const LinkRules& rules);
Topology build_hierarchy(const LinkRules& rules);
Topology build_graph(const LinkRules& rules);

}  // namespace loom::noc
