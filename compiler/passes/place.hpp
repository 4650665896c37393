// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "compiler/passes/slices.hpp"

namespace loom::compiler {

/// Fan-out entries from one logical core to another; core == n_cores stands for the host.
struct Traffic {
    std::uint32_t from = 0, to = 0;
    double entries = 0;
};
std::vector<Traffic> traffic_of(const Graph& graph, const std::vector<LoweredProjection>& lowered,
                                const std::vector<bool>& on_host, const Partition& partition);

struct Placement {
    std::vector<std::uint32_t> endpoint;  ///< [logical cores]
    double cost = 0;                      ///< entries times hops
    double sequential_cost = 0;           ///< of the sequential placement
};

/// How logical cores are put on the chip: "sequential" or "auto" (swaps that shorten the way of the
/// traffic, same seed, same result). kind_of_core: a logical core goes to cores of its kind only.
/// Throws ConfigError for other names.
Placement place(const std::string& method, std::uint64_t seed, const std::vector<Traffic>& traffic,
                const std::vector<std::uint32_t>& kind_of_core, const arch::ChipSpec& chip);

}  // namespace loom::compiler
