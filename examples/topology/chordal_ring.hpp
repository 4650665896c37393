// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "noc/topology/topology_kind.hpp"

/// `topology: chordal_ring, size: [n, k]`: n routers in a ring, and from each a chord to the k-th after it.
loom::noc::TopologyKind chordal_ring();
