// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "compiler/ir/node_rule.hpp"

namespace loom::compiler {

/// Type of a nested graph, which is no node of its own: the import puts its nodes in its place.
inline constexpr const char* kGraphType = "NIRGraph";

// borders.cpp
NodeRule input_node();
NodeRule output_node();
// matrices.cpp
NodeRule affine_node();
NodeRule linear_node();
// convolutions.cpp
NodeRule conv_node(const char* type, std::size_t axes);
// pools.cpp
enum class PoolKind { Sum, Mean };
NodeRule pool_node(const char* type, std::size_t axes, PoolKind kind);
// pointwise.cpp
NodeRule scale_node();
NodeRule delay_node();
NodeRule flatten_node();
// neurons.cpp
NodeRule threshold_node();
NodeRule i_node();
NodeRule li_node();
NodeRule if_node();
NodeRule lif_node();
NodeRule alif_node();
NodeRule cuba_li_node();
NodeRule cuba_lif_node();
// products.cpp
NodeRule matmul_node();
NodeRule mul_node();

}  // namespace loom::compiler
