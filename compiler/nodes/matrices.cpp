// SPDX-License-Identifier: Apache-2.0
// Affine and Linear: a matrix [..., out, in] on the last dimension; leading dimensions of it are batches.
#include <fmt/format.h>

#include "compiler/ir/sparse_sums.hpp"
#include "compiler/nodes/nodes.hpp"
#include "compiler/nodes/shape_rules.hpp"

namespace loom::compiler {
namespace {

Shape matrix_shape(const NirNode& node, const Shape& a, const Shape&) {
    const Tensor& w = node.arrays.at("weight");
    if (w.shape.size() < 2) {
        throw NodeProblem(fmt::format("weight has shape {}, expected [..., out, in]", shape_text(w.shape)));
    }
    const std::size_t in = w.shape.back(), out = w.shape[w.shape.size() - 2];
    const Shape batch(w.shape.begin(), w.shape.end() - 2);
    if (a.empty() || a.back() != in) {
        throw NodeProblem(fmt::format(
            "weight {} takes {} values in the last dimension, the input has shape {}{}", shape_text(w.shape),
            in, shape_text(a), element_count(a) == in ? "; put a Flatten before it" : ""));
    }
    if (!batch.empty() && Shape(a.begin(), a.end() - 1) != batch) {
        throw NodeProblem(fmt::format("weight {} has leading dimensions other than those of the input {}",
                                      shape_text(w.shape), shape_text(a)));
    }
    Shape full = batch;
    full.push_back(out);
    need_bias(node, full, out);
    Shape result = a;
    result.back() = out;
    return result;
}

std::optional<Shape> matrix_input(const NirNode& node) {
    Shape s = node.arrays.at("weight").shape;
    if (s.size() < 2) return std::nullopt;
    s.erase(s.end() - 2);
    return s;
}

void apply_matrix(const NirNode& node, const SparseVector& in, SparseVector& out, const DelayMask&) {
    const Tensor& w = node.arrays.at("weight");
    const std::size_t n_in = w.shape.back(), n_out = w.shape[w.shape.size() - 2];
    const bool batched = w.shape.size() > 2;
    SparseSums sums;
    for (const auto& [element, value] : in) {
        const std::size_t batch = element / n_in, i = element % n_in;
        const FileMatrix::Column m =
            w.file != nullptr
                ? w.file->column(i)
                : FileMatrix::Column{w.data.data() + (batched ? batch * n_in * n_out : 0) + i, n_in};
        for (std::size_t o = 0; o < n_out; ++o) sums.add(batch * n_out + o, value * m.first[o * m.stride]);
    }
    sums.take(out);
}

const Tensor* matrix(const NirNode& node) {
    const Tensor& w = node.arrays.at("weight");
    return w.shape.size() == 2 ? &w : nullptr;
}

NodeRule matrix_node(const char* type, std::vector<KeyRule> keys) {
    NodeRule rule{type, NodeRole::Linear, std::move(keys), matrix_shape, matrix_input};
    rule.linear.apply = apply_matrix;
    rule.linear.matrix = matrix;
    return rule;
}

}  // namespace

NodeRule affine_node() {
    return matrix_node("Affine", {{"weight", KeyKind::Matrix}, {"bias", KeyKind::Array}});
}
NodeRule linear_node() {
    return matrix_node("Linear", {{"weight", KeyKind::Matrix}});
}

}  // namespace loom::compiler
