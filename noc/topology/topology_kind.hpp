// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "arch/noc_shape.hpp"
#include "noc/topology/link_rules.hpp"

namespace loom::noc {

/// Ports of a router: they fit a mask of 64 bits, with room for cores and the host.
inline constexpr unsigned kMaxPorts = 63;

/// A kind of topology: a file in noc/topology with a function that returns one of these, and a line in
/// catalogue.cpp.
struct TopologyKind {
    std::string name;
    /// Routers and links; endpoints come later. ConfigError for a size that it cannot have.
    Topology (*build)(const LinkRules& rules);
    /// What can be said before it is built; must agree with `build` where that succeeds.
    arch::NocShape (*shape)(const arch::NocSpec& spec) = arch::grid_shape;
    bool joins_chips = false;  ///< takes noc.chips
    bool has_bridges = false;   ///< links with the times of noc.chips, whatever its grid
};

/// The numbers of noc.size: as many as `n`, each in 1..most. `what` and `meaning` are for the message.
std::vector<std::uint32_t> sizes(const LinkRules& rules, const char* what, std::size_t n, const char* meaning,
                                 std::uint64_t most);

}  // namespace loom::noc
