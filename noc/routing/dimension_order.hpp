// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "noc/topology/mesh.hpp"

namespace loom::noc {

/// Dimension-order routing: x first, then y, then the local port. Deadlock-free on a mesh: a packet
/// never turns from y to x, hence channel dependencies have no cycle.
unsigned route_xy(Coord here, Coord destination, unsigned local_port);

}  // namespace loom::noc
