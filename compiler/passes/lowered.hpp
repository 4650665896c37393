// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "compiler/ir/graph.hpp"
#include "compiler/ir/linear_ops.hpp"

namespace loom::compiler {

/// Compressed rows of small integers.
struct IndexRows {
    std::vector<std::uint32_t> first{0};
    std::vector<std::uint32_t> items;
};

/// What a projection becomes on a core. Source elements fan out to axons (pooling and reshaping is
/// only that); axons reach neurons through a matrix, a shared kernel or explicit rows.
struct LoweredProjection {
    enum class Form : std::uint8_t { Dense, Conv, Sparse };
    Form form = Form::Dense;
    std::uint32_t n_axons = 0;  ///< before slicing
    bool identity = true;       ///< source element n is axon n
    IndexRows axons_of;         ///< [source elements], unless identity
    /// Dense: none; they stay in the node's matrix [target][n_axons]. Conv:
    /// [in_c][kernel_h][kernel_w][out_per_group]. Sparse: per entry.
    std::vector<double> weights;
    struct DenseWeights {
        const Tensor* matrix = nullptr;
        double factor = 1.0;
        std::vector<double> scale;  ///< [target]
        /// f(target, weights[n_axons]) for every target element in order; one row in memory.
        void for_each_target(const std::function<void(std::size_t, std::span<const double>)>& f) const;
    } dense;
    double lowest = 0, highest = 0;  ///< of the weights
    arch::LinearShape conv;          ///< Conv: of the whole layer
    IndexRows targets;               ///< Sparse: [n_axons] -> target elements
    double ann_macs = 0;             ///< MACs of a dense frame, padding not counted
    double dense_flops = 0;          ///< the same with padding counted
};

/// "dense", "conv" or "sparse".
const char* form_name(LoweredProjection::Form form);

/// conv_hardware: the cores have an address generator for shared kernels.
LoweredProjection lower_projection(const Graph& graph, const Projection& projection, double dt,
                                   bool conv_hardware);

}  // namespace loom::compiler
