// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "compiler/ir/nir_graph.hpp"

namespace loom::compiler {

using Shape = std::vector<std::size_t>;

/// What is wrong with one node; whoever knows file and node name makes an InputError of it.
struct NodeProblem : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// "[16, 8, 8]"
std::string shape_text(const Shape& shape);
/// Product of the dimensions; NodeProblem above 2^31.
std::size_t element_count(const Shape& shape);
/// numpy's broadcasting of two shapes, nothing if they do not fit.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);
/// A key of integers >= 1 as a shape.
Shape to_shape(const Tensor& numbers);

// Output shape of a node from its input shape (b: second port). NodeProblem if they do not fit.
Shape same_shape(const NirNode& node, const Shape& a, const Shape& b);
Shape matrix_shape(const NirNode& node, const Shape& a, const Shape& b);
Shape conv_output(const NirNode& node, const Shape& a, const Shape& b);
Shape pool_output(const NirNode& node, const Shape& a, const Shape& b);
Shape flatten_output(const NirNode& node, const Shape& a, const Shape& b);
Shape matmul_output(const NirNode& node, const Shape& a, const Shape& b);
Shape mul_output(const NirNode& node, const Shape& a, const Shape& b);

// Input shape as far as the node's own keys tell it.
std::optional<Shape> no_hint(const NirNode& node);
std::optional<Shape> declared_shape(const NirNode& node);
std::optional<Shape> parameter_shape(const NirNode& node);
std::optional<Shape> matrix_input(const NirNode& node);
std::optional<Shape> conv_input(const NirNode& node);

}  // namespace loom::compiler
