// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <span>
#include <string_view>

#include "noc/network.hpp"
#include "noc/topology/mesh.hpp"
#include "sim/clocking/scheduler.hpp"

namespace loom::noc {

/// What tells one router pipeline from another.
struct Pipeline {
    std::string_view name;
    unsigned route_cycles = 0;  ///< cycles in which the route of a head is computed, before VA
    bool speculative = false;   ///< VA and SA in the same cycle
    /// Cycles per hop, the first one of the link included (c of the closed form).
    constexpr unsigned hop_cycles() const { return route_cycles + (speculative ? 1 : 2) + 2; }
};

using Route = unsigned (*)(Coord here, Coord destination, unsigned local_port);
struct Routing {
    std::string_view name;
    Route route = nullptr;
};

std::span<const Pipeline> pipelines();
std::span<const Routing> routings();
/// Throw ConfigError, naming the known ones, when there is none of that name.
const Pipeline& find_pipeline(std::string_view name);
const Routing& find_routing(std::string_view name);

/// Builds the network of a chip. The caller registers it with the scheduler and connects the
/// endpoints' links: the consumer side of `in` of endpoint e with port 2*e, the producer side of
/// `out` with port 2*e+1. Throws ConfigError for what is not known or not possible.
std::unique_ptr<Network> make_network(const arch::ChipSpec& spec, Scheduler& scheduler);

}  // namespace loom::noc
