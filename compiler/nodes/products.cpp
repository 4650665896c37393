// SPDX-License-Identifier: Apache-2.0
// MatMul and Mul: products of two signals, extensions of NIR for attention.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/nodes/nodes.hpp"
#include "compiler/nodes/shape_rules.hpp"

namespace loom::compiler {
namespace {

Shape matmul_output(const NirNode& node, const Shape& a, const Shape& b) {
    if (node.arrays.at("scale").size() != 1) throw NodeProblem("key 'scale' must be one number");
    if (a.size() < 2 || a.size() != b.size() || !std::equal(a.begin(), a.end() - 2, b.begin())) {
        throw NodeProblem(fmt::format("operands {} and {} are not matrices with equal leading dimensions",
                                      shape_text(a), shape_text(b)));
    }
    const auto matrix = [&](const Shape& s, const char* key) {
        const bool swap = node.arrays.at(key).data[0] != 0;
        const std::size_t rows = s[s.size() - 2], cols = s.back();
        return swap ? std::pair{cols, rows} : std::pair{rows, cols};
    };
    const auto [rows, inner_a] = matrix(a, "transpose_a");
    const auto [inner_b, cols] = matrix(b, "transpose_b");
    if (inner_a != inner_b) {
        throw NodeProblem(
            fmt::format("op(a) has {} columns but op(b) {} rows (a {}, b {}); check the transposes", inner_a,
                        inner_b, shape_text(a), shape_text(b)));
    }
    Shape out(a.begin(), a.end() - 2);
    out.push_back(rows);
    out.push_back(cols);
    return out;
}

Shape mul_output(const NirNode&, const Shape& a, const Shape& b) {
    const auto out = broadcast(a, b);
    if (!out) throw NodeProblem(fmt::format("operands {} and {} do not fit", shape_text(a), shape_text(b)));
    return *out;
}

KeyRule shape_a() {
    return {"a_shape", KeyKind::InputShape, Presence::Inferred};
}
KeyRule shape_b() {
    return {"b_shape", KeyKind::SecondShape, Presence::Inferred};
}

}  // namespace

NodeRule matmul_node() {
    return {"MatMul",
            NodeRole::Product,
            {{"transpose_a", KeyKind::Flag, Presence::Default, 0},
             {"transpose_b", KeyKind::Flag, Presence::Default, 0},
             {"scale", KeyKind::Array, Presence::Default, 1},
             shape_a(),
             shape_b()},
            matmul_output,
            no_hint};
}

NodeRule mul_node() {
    return {"Mul", NodeRole::Product, {shape_a(), shape_b()}, mul_output, no_hint};
}

}  // namespace loom::compiler
