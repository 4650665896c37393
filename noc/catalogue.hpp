// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "noc/kinds.hpp"
#include "noc/router_kind.hpp"
#include "noc/routing/routing_kind.hpp"
#include "noc/topology/topology_kind.hpp"

namespace loom::noc {

/// Kinds of networks and of their parts. A program makes one, adds the built-in kinds and its own, and gives
/// it to its chips (NocSpec::shapes). The lists that cannot be added to: pipelines(), allocator_names(),
/// arbiter_names(), multicast_style_names(), pattern_names().
class Catalogue final : public arch::NocShapes {
  public:
    Kinds<TopologyKind> topologies{"noc.topology"};
    Kinds<RoutingKind> routings{"noc.routing"};
    Kinds<RouterKind> routers{"noc.router.kind"};

    /// By the topology's and the router's word. ConfigError for a topology that is not known.
    arch::NocShape shape(const arch::NocSpec& spec) const override;
};

/// Adds all kinds that come with the library. ConfigError when one of their names is taken.
void add_builtin(Catalogue& catalogue);
/// A catalogue of the built-in kinds alone.
const Catalogue& builtin();
/// The catalogue that a specification was given, or that of the built-in kinds.
const Catalogue& catalogue_of(const arch::NocSpec& spec);

/// Builds the network of a chip. The caller registers it with a scheduler and joins the endpoints to it
/// (Network::join). Throws ConfigError for what is not known or not possible.
std::unique_ptr<Network> make_network(const arch::ChipSpec& spec);

}  // namespace loom::noc
