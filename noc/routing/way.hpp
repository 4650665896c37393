// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "noc/routing/routing.hpp"

namespace loom::noc {

/// A router on the way of a packet.
struct Step {
    std::uint32_t router;
    std::uint16_t in_port, port;  ///< comes in by, goes out by
    bool high;                    ///< tori: goes out in the upper half of the VCs
};

/// The way of a packet by the first candidate of every router, its last port being the core's; empty when
/// there is none.
std::vector<Step> way_of(const Routing& routing, std::uint32_t from, std::uint32_t to);

/// What a way costs a packet that meets nobody.
struct WayCost {
    bool found = false;
    unsigned hops = 0;          ///< links
    Cycles latency = 0;         ///< of the links
    Cycles longest = 0;         ///< of the links
    std::uint64_t slowest = 0;  ///< ps that a flit takes the slowest link; 0: a cycle
};
WayCost cost_of(const Topology& topology, const std::vector<Step>& way);

}  // namespace loom::noc
