// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <string_view>

namespace loom::noc {

/// What tells one router pipeline from another.
struct Pipeline {
    std::string_view name;
    unsigned route_cycles = 0;  ///< cycles in which the route of a head is computed, before VA
    bool speculative = false;   ///< VA and SA in the same cycle
};

std::span<const Pipeline> pipelines();
/// Throws ConfigError, naming the known ones.
const Pipeline& find_pipeline(std::string_view name);

}  // namespace loom::noc
