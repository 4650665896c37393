// SPDX-License-Identifier: Apache-2.0
#include "compiler/import/shape_rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compiler/import/node_catalogue.hpp"

namespace loom::compiler {
namespace {

constexpr std::size_t kMaxElements = std::size_t{1} << 31;

std::size_t integer(const NirNode& n, const char* key, std::size_t i) {
    return static_cast<std::size_t>(n.arrays.at(key).data.at(i));
}

void need_rank(const Shape& shape, std::size_t rank, const char* meaning) {
    if (shape.size() == rank) return;
    throw NodeProblem(
        fmt::format("input has shape {}, expected {} dimensions {}", shape_text(shape), rank, meaning));
}

const Tensor& weight_of_rank(const NirNode& n, std::size_t rank, const char* meaning) {
    const Tensor& w = n.arrays.at("weight");
    if (w.shape.size() != rank) {
        throw NodeProblem(fmt::format("weight has shape {}, expected {} dimensions {}", shape_text(w.shape),
                                      rank, meaning));
    }
    return w;
}

void need_bias(const NirNode& n, const Shape& full, std::size_t outputs) {
    const auto it = n.arrays.find("bias");
    if (it == n.arrays.end()) return;
    const Shape& s = it->second.shape;
    if (it->second.size() == 1 || s == full || s == Shape{outputs}) return;
    throw NodeProblem(fmt::format("bias has shape {}, expected {}", shape_text(s), shape_text(full)));
}

struct Window {
    std::size_t padding;  ///< both sides together
    std::size_t kernel, stride, dilation;
};

/// How many windows fit along an axis of n cells.
std::size_t windows(std::size_t n, const Window& w) {
    const std::size_t span = w.dilation * (w.kernel - 1) + 1;
    if (n + w.padding < span) {
        throw NodeProblem(fmt::format("a kernel that spans {} cells does not fit an input of {} (padding {})",
                                      span, n, w.padding));
    }
    return (n + w.padding - span) / w.stride + 1;
}

std::size_t conv_padding(const NirNode& n, std::size_t axis, std::size_t kernel) {
    const auto text = n.strings.find("padding");
    if (text == n.strings.end()) return 2 * integer(n, "padding", axis);
    return text->second == "same" ? integer(n, "dilation", axis) * (kernel - 1) : 0;
}

}  // namespace

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

Shape same_shape(const NirNode&, const Shape& a, const Shape&) {
    return a;
}

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

Shape conv_output(const NirNode& node, const Shape& a, const Shape&) {
    const bool two = node.type == "Conv2d";
    const std::size_t axes = two ? 2 : 1;
    const Tensor& w =
        weight_of_rank(node, axes + 2, two ? "[out, in/groups, kH, kW]" : "[out, in/groups, K]");
    need_rank(a, axes + 1, two ? "[C, H, W]" : "[C, N]");
    const std::size_t groups = integer(node, "groups", 0);
    if (w.shape[0] % groups != 0) {
        throw NodeProblem(fmt::format("{} output channels do not divide into {} groups", w.shape[0], groups));
    }
    if (a[0] != w.shape[1] * groups) {
        throw NodeProblem(fmt::format("weight {} with {} group(s) takes {} channels, the input has shape {}",
                                      shape_text(w.shape), groups, w.shape[1] * groups, shape_text(a)));
    }
    need_bias(node, {w.shape[0]}, w.shape[0]);
    Shape out{w.shape[0]};
    for (std::size_t i = 0; i < axes; ++i) {
        const std::size_t kernel = w.shape[2 + i];
        out.push_back(windows(a[1 + i], {conv_padding(node, i, kernel), kernel, integer(node, "stride", i),
                                         integer(node, "dilation", i)}));
    }
    return out;
}

Shape pool_output(const NirNode& node, const Shape& a, const Shape&) {
    need_rank(a, 3, "[C, H, W]");
    Shape out{a[0]};
    for (std::size_t i = 0; i < 2; ++i) {
        out.push_back(windows(a[1 + i], {2 * integer(node, "padding", i), integer(node, "kernel_size", i),
                                         integer(node, "stride", i), 1}));
    }
    return out;
}

Shape flatten_output(const NirNode& node, const Shape& a, const Shape&) {
    const auto rank = static_cast<double>(a.size());
    const auto dimension = [&](const char* key) {
        const double d = node.arrays.at(key).data[0];
        if (d < -rank || d >= rank) {
            throw NodeProblem(
                fmt::format("key '{}' is {}, the input {} has {} dimensions (batch not counted)", key, d,
                            shape_text(a), a.size()));
        }
        return static_cast<std::ptrdiff_t>(d < 0 ? d + rank : d);
    };
    const auto first = dimension("start_dim"), last = dimension("end_dim");
    if (first > last) throw NodeProblem("start_dim lies behind end_dim");
    Shape out(a.begin(), a.begin() + first);
    out.push_back(element_count(Shape(a.begin() + first, a.begin() + last + 1)));
    out.insert(out.end(), a.begin() + last + 1, a.end());
    return out;
}

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
    for (const auto& rule : find_rule(node.type)->keys) {
        if (!is_per_element(rule.kind)) continue;
        const Shape& one = node.arrays.at(std::string(rule.name)).shape;
        const auto both = broadcast(all, one);
        if (!both) {
            throw NodeProblem(fmt::format("parameter '{}' has shape {}, the others have {}", rule.name,
                                          shape_text(one), shape_text(all)));
        }
        all = *both;
    }
    return all;
}

std::optional<Shape> matrix_input(const NirNode& node) {
    Shape s = node.arrays.at("weight").shape;
    if (s.size() < 2) return std::nullopt;
    s.erase(s.end() - 2);
    return s;
}

std::optional<Shape> conv_input(const NirNode& node) {
    const auto spatial = node.arrays.find("input_shape");
    const Shape& w = node.arrays.at("weight").shape;
    if (spatial == node.arrays.end() || w.size() < 3) return std::nullopt;
    Shape s{w[1] * integer(node, "groups", 0)};
    for (std::size_t i = 0; i + 2 < w.size(); ++i) {
        const auto& d = spatial->second.data;
        s.push_back(static_cast<std::size_t>(d.size() == 1 ? d[0] : d.at(std::min(i, d.size() - 1))));
    }
    return s;
}

}  // namespace loom::compiler
