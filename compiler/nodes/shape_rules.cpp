// SPDX-License-Identifier: Apache-2.0
#include "compiler/nodes/shape_rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace loom::compiler {
namespace {
constexpr std::size_t kMaxElements = std::size_t{1} << 31;
}

std::string shape_text(const Shape& shape) {
    constexpr std::size_t most = 8;
    const auto shown = static_cast<std::ptrdiff_t>(std::min(most, shape.size()));
    return fmt::format("[{}{}]", fmt::join(shape.begin(), shape.begin() + shown, ", "),
                       shape.size() > most ? ", ..." : "");
}

std::size_t element_count(const Shape& shape) {
    std::size_t n = 1;
    for (const std::size_t d : shape) {
        if (d != 0 && n > kMaxElements / d) {
            throw NodeProblem(fmt::format("shape {} has more than 2^31 elements", shape_text(shape)));
        }
        n *= d;
    }
    return n;
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
    Shape out(std::max(a.size(), b.size()), 1);
    for (std::size_t i = 0; i < out.size(); ++i) {  // i counts from the last dimension
        const std::size_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
        const std::size_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
        if (x != y && x != 1 && y != 1) return std::nullopt;
        out[out.size() - 1 - i] = x == 1 ? y : x;
    }
    return out;
}

Shape to_shape(const Tensor& numbers) {
    Shape s;
    for (const double d : numbers.data) s.push_back(static_cast<std::size_t>(d));
    return s;
}

bool is_per_element(KeyKind kind) {
    return kind == KeyKind::PerElement || kind == KeyKind::Positive || kind == KeyKind::NonNegative ||
           kind == KeyKind::Factor;
}

bool is_shape(KeyKind kind) {
    return kind == KeyKind::Declared || kind == KeyKind::InputShape || kind == KeyKind::SecondShape ||
           kind == KeyKind::SpatialShape;
}

void need_rank(const Shape& shape, std::size_t rank, const char* meaning) {
    if (shape.size() == rank) return;
    const bool batch = shape.size() == rank + 1;
    throw NodeProblem(fmt::format(
        "input has shape {}, expected {} dimensions {}{}", shape_text(shape), rank, meaning,
        batch ? fmt::format(
                    "; the first looks like a batch: export the network with the shape of one sample, {}",
                    shape_text(Shape(shape.begin() + 1, shape.end())))
              : ""));
}

void need_bias(const NirNode& node, const Shape& full, std::size_t outputs) {
    const auto it = node.arrays.find("bias");
    if (it == node.arrays.end()) return;
    const Shape& s = it->second.shape;
    if (it->second.size() == 1 || s == full || s == Shape{outputs}) return;
    throw NodeProblem(fmt::format("bias has shape {}, expected {}", shape_text(s), shape_text(full)));
}

std::size_t windows(std::size_t n, const arch::WindowAxis& axis) {
    if (!axis.fits(n)) {
        throw NodeProblem(fmt::format("a kernel that spans {} cells does not fit an input of {} (padding {})",
                                      axis.span(), n, axis.before + axis.after));
    }
    return axis.outputs(n);
}

Shape same_shape(const NirNode&, const Shape& a, const Shape&) {
    return a;
}

std::optional<Shape> no_hint(const NirNode&) {
    return std::nullopt;
}

std::optional<Shape> declared_shape(const NirNode& node) {
    for (const char* key : {"shape", "input_type"}) {
        const auto it = node.arrays.find(key);
        if (it != node.arrays.end()) return to_shape(it->second);
    }
    return std::nullopt;
}

std::optional<Shape> parameter_shape(const NirNode& node) {
    Shape all{1};
    for (const KeyRule& key : node.rule->keys) {
        if (!is_per_element(key.kind)) continue;
        const Shape& one = node.arrays.at(key.name).shape;
        const auto both = broadcast(all, one);
        if (!both) {
            throw NodeProblem(fmt::format("parameter '{}' has shape {}, the others have {}", key.name,
                                          shape_text(one), shape_text(all)));
        }
        all = *both;
    }
    return all;
}

}  // namespace loom::compiler
