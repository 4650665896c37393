// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "compiler/ir/graph.hpp"
#include "compiler/ir/node_rule.hpp"

namespace loom::compiler {

/// Applies one node to a sparse vector, without the bias. Throws UnsupportedError for nodes that are not
/// linear maps of one signal.
void apply_node(const NirNode& node, const SparseVector& in, SparseVector& out, const DelayMask& mask = {});

/// Applies the nodes of a chain, from number `from` on, to `start`.
SparseVector apply_chain(const NirModel& model, const std::vector<std::uint32_t>& chain, std::size_t from,
                         SparseVector start, double mask_delay, double dt);

}  // namespace loom::compiler
