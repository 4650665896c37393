// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "compiler/ir/graph.hpp"

namespace loom::compiler {

/// Conv1d and Conv2d in one shape (Conv1d: height 1).
struct ConvShape {
    std::size_t in_c = 0, in_h = 1, in_w = 0, out_c = 0, out_h = 1, out_w = 0;
    std::size_t kernel_h = 1, kernel_w = 1, stride_y = 1, stride_x = 1, dilation_y = 1, dilation_x = 1;
    std::int64_t pad_y = 0, pad_x = 0;
    std::size_t groups = 1;
    std::size_t in_per_group() const { return in_c / groups; }
    std::size_t out_per_group() const { return out_c / groups; }
};
ConvShape conv_shape(const NirNode& node);

/// Applies one node to a sparse vector (no bias). Throws UnsupportedError for non-linear nodes.
/// `mask_delay` selects elements of a Delay node (< 0: all).
void apply_node(const NirNode& node, const SparseVector& in, SparseVector& out, double mask_delay = -1,
                double dt = 1);
/// Applies a chain to a unit vector at `element` times `value`.
SparseVector apply_chain(const NirModel& model, const std::vector<std::uint32_t>& chain, std::size_t from,
                         SparseVector start, double mask_delay, double dt);

bool has_state(const std::string& type);
bool is_linear(const std::string& type);

}  // namespace loom::compiler
