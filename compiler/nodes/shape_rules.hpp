// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <stdexcept>
#include <string>

#include "compiler/ir/node_rule.hpp"

namespace loom::compiler {

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

bool is_per_element(KeyKind kind);
bool is_shape(KeyKind kind);

// Checks that shape rules share. NodeProblem if they do not hold.
void need_rank(const Shape& shape, std::size_t rank, const char* meaning);
/// A bias has one value, one per output channel, or the `full` shape.
void need_bias(const NirNode& node, const Shape& full, std::size_t outputs);
/// How many windows fit along an axis of n cells.
std::size_t windows(std::size_t n, const arch::WindowAxis& axis);

// Output shape and input shape (as far as the keys tell it) of types that do not change the shape.
Shape same_shape(const NirNode& node, const Shape& a, const Shape& b);
std::optional<Shape> no_hint(const NirNode& node);
/// The key "shape" or "input_type".
std::optional<Shape> declared_shape(const NirNode& node);
/// What all keys per element broadcast to.
std::optional<Shape> parameter_shape(const NirNode& node);

}  // namespace loom::compiler
