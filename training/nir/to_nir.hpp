// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "compiler/nodes/node_catalogue.hpp"
#include "compiler/profile.hpp"
#include "training/learn/network.hpp"

namespace loom::compiler {

/// The network as it is now (weights, biases, leaks) as a NIR graph that means the same under `profile`.
/// Layers keep their names; norms go into the matrices before them, sums into edges, recurrent weights become
/// a Linear in a loop. Trained leaks are those of the last pass. Throws UnsupportedError for layers that NIR
/// has no node for.
NirModel network_to_nir(learn::Network& network, const Profile& profile,
                        const NodeCatalogue& types = builtin_nodes());

}  // namespace loom::compiler
