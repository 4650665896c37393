// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "noc/routing/routing_kind.hpp"

namespace loom::noc {

// Kinds that others are built on.

/// Dimension order from x on.
RoutingKind natural_dimension_order();
/// Up and down a spanning tree: on any graph.
RoutingKind up_down_routing();

}  // namespace loom::noc
