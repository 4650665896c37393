// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "noc/network.hpp"

namespace loom::noc {

/// Kinds of router. The other catalogues: pipelines(), topology_names(), routing_names(), allocator_names(),
/// arbiter_names(), multicast_style_names(), pattern_names().
std::vector<std::string> router_kind_names();

/// Builds the network of a chip. The caller registers it with a scheduler and connects the
/// endpoints' links: the consumer side of `in` of endpoint e with port 2*e, the producer side of
/// `out` with port 2*e+1. Throws ConfigError for what is not known or not possible.
std::unique_ptr<Network> make_network(const arch::ChipSpec& spec);

}  // namespace loom::noc
