// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "noc/topology/topology.hpp"

namespace loom::noc {

/// How long flits take over links: what a specification says of delays, widths and clocks.
struct LinkRules {
    const arch::NocSpec& spec;
    double period;              ///< of the routers' clock, ps
    bool asynchronous = false;  ///< a hop takes the times of noc.router.async

    /// Cycles over a link that would take `cycles`. `width`: as for flit_ps.
    std::uint32_t latency(LinkKind kind, std::uint64_t cycles, std::uint64_t width = 0) const;
    /// Cycles over a link of this kind where nothing else is said.
    std::uint32_t default_latency(LinkKind kind, std::uint64_t width = 0) const;
    std::uint32_t local_latency() const;
    /// Time that a flit takes a link of `width` bits (0: the default), clocked with `link_period`.
    std::uint64_t flit_ps(LinkKind kind, std::uint64_t width = 0) const;
    /// Joins two ports of a topology by a link of this kind, both ways.
    void connect(Topology& t, std::uint32_t a, unsigned port_a, std::uint32_t b, unsigned port_b,
                 LinkKind kind) const;
};

}  // namespace loom::noc
