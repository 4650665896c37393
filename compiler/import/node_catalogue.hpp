// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/import/shape_rules.hpp"
#include "compiler/ir/nir_graph.hpp"

namespace loom::compiler {

/// What a key of a node may hold.
enum class KeyKind {
    Array,         ///< real numbers (weight, bias, a scalar factor)
    PerElement,    ///< real numbers that broadcast to the output shape
    Positive,      ///< per element, > 0
    NonNegative,   ///< per element, >= 0
    Counts,        ///< `length` integers >= 1, one value stands for all
    Padding,       ///< `length` integers >= 0, or (convolutions) "same" | "valid"
    Integer,       ///< one integer
    Flag,          ///< 0 or 1
    Declared,      ///< integers >= 1: the shape of an Input or Output
    InputShape,    ///< the same, equal to the shape of the (first) input; inferred if absent
    SecondShape,   ///< the same for port b
    SpatialShape,  ///< the input shape without the channels; inferred if absent
};

enum class Need { Required, Default, Inferred };

struct KeyRule {
    std::string_view name;
    KeyKind kind;
    Need need = Need::Required;
    double fallback = 0;     ///< for Need::Default
    std::size_t length = 1;  ///< for Counts and Padding
};

bool is_per_element(KeyKind kind);
bool is_shape(KeyKind kind);

/// One primitive: its keys, its output shape, and the input shape it tells by itself (if any).
struct NodeRule {
    std::string_view type;
    std::vector<KeyRule> keys;
    Shape (*output)(const NirNode& node, const Shape& a, const Shape& b);
    std::optional<Shape> (*hint)(const NirNode& node);
    bool two_ports = false;  ///< operands at "name.a" and "name.b"
};

const std::vector<NodeRule>& node_catalogue();
/// nullptr for an unknown type.
const NodeRule* find_rule(std::string_view type);
/// Every type name, NIRGraph included.
std::vector<std::string> known_types();

}  // namespace loom::compiler
