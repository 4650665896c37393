// SPDX-License-Identifier: Apache-2.0
// Conv1d and Conv2d: cross-correlation as in torch, with groups, dilation and zeros around the map.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/ir/sparse_sums.hpp"
#include "compiler/nodes/nodes.hpp"
#include "compiler/nodes/shape_rules.hpp"

namespace loom::compiler {
namespace {

/// Axis 0 is the first behind the channels.
arch::WindowAxis conv_axis(const NirNode& n, std::size_t axis) {
    arch::WindowAxis a{n.arrays.at("weight").shape[2 + axis], whole(n, "stride", axis),
                       whole(n, "dilation", axis)};
    const auto text = n.strings.find("padding");
    if (text == n.strings.end()) {
        a.before = a.after = whole(n, "padding", axis);
    } else if (text->second == "same") {
        a.before = (a.span() - 1) / 2;  // an odd cell is on the far side, as in torch
        a.after = a.span() - 1 - a.before;
    }
    return a;
}

Shape conv_output(const NirNode& node, const Shape& a, const Shape&) {
    const std::size_t axes = node.rule->conv->axes;
    const Tensor& w = node.arrays.at("weight");
    if (w.shape.size() != axes + 2) {
        throw NodeProblem(fmt::format("weight has shape {}, expected {} dimensions {}", shape_text(w.shape),
                                      axes + 2,
                                      axes == 2 ? "[out, in/groups, kH, kW]" : "[out, in/groups, K]"));
    }
    need_rank(a, axes + 1, axes == 2 ? "[C, H, W]" : "[C, N]");
    const std::size_t groups = whole(node, "groups");
    if (w.shape[0] % groups != 0) {
        throw NodeProblem(fmt::format("{} output channels do not divide into {} groups", w.shape[0], groups));
    }
    if (a[0] != w.shape[1] * groups) {
        throw NodeProblem(fmt::format("weight {} with {} group(s) takes {} channels, the input has shape {}",
                                      shape_text(w.shape), groups, w.shape[1] * groups, shape_text(a)));
    }
    need_bias(node, {w.shape[0]}, w.shape[0]);
    Shape out{w.shape[0]};
    for (std::size_t i = 0; i < axes; ++i) out.push_back(windows(a[1 + i], conv_axis(node, i)));
    return out;
}

std::optional<Shape> conv_input(const NirNode& node) {
    const auto spatial = node.arrays.find("input_shape");
    const Shape& w = node.arrays.at("weight").shape;
    if (spatial == node.arrays.end() || w.size() < 3) return std::nullopt;
    Shape s{w[1] * whole(node, "groups")};
    for (std::size_t i = 0; i + 2 < w.size(); ++i) s.push_back(whole(node, "input_shape", i));
    return s;
}

/// Conv1d has maps and kernels of one row.
arch::LinearShape conv_shape(const NirNode& node) {
    const std::size_t axes = node.rule->conv->axes;
    arch::LinearShape s;
    s.groups = whole(node, "groups");
    s.in_c = node.input_shape.at(0);
    s.out_c = node.output_shape.at(0);
    s.in_w = node.input_shape.at(axes);
    s.out_w = node.output_shape.at(axes);
    s.window.columns = conv_axis(node, axes - 1);
    if (axes == 2) {
        s.in_h = node.input_shape.at(1);
        s.out_h = node.output_shape.at(1);
        s.window.rows = conv_axis(node, 0);
    }
    return s;
}

void write_conv(std::size_t axes, const arch::LinearShape& s, NirNode& node) {
    const auto pair = [&](std::size_t of_rows, std::size_t of_columns) {
        return axes == 1 ? integers({of_columns}) : integers({of_rows, of_columns});
    };
    const arch::WindowAxis &rows = s.window.rows, &columns = s.window.columns;
    node.arrays["input_shape"] = axes == 1 ? integer(s.in_w) : integers({s.in_h, s.in_w});
    node.arrays["stride"] = pair(rows.stride, columns.stride);
    node.arrays["dilation"] = pair(rows.dilation, columns.dilation);
    node.arrays["groups"] = integer(s.groups);
    if (rows.before == rows.after && columns.before == columns.after)
        node.arrays["padding"] = pair(rows.before, columns.before);
    else
        node.strings["padding"] = "same";  // the only one whose sides differ
}

void apply_conv(const NirNode& node, const SparseVector& in, SparseVector& out, const DelayMask&) {
    const arch::LinearShape s = conv_shape(node);
    const std::vector<double>& w = node.arrays.at("weight").data;
    const std::size_t taps = s.window.taps(), per_in = s.group_inputs(), per_out = s.group_outputs();
    SparseSums sums;
    for (const auto& [element, value] : in) {
        const std::size_t ci = element / (s.in_h * s.in_w), first = ci / per_in * per_out;
        s.each_output(element % (s.in_h * s.in_w), [&, value = value](std::size_t position, std::size_t tap) {
            for (std::size_t co = first; co < first + per_out; ++co) {
                sums.add(co * s.out_h * s.out_w + position,
                         value * w[(co * per_in + ci % per_in) * taps + tap]);
            }
        });
    }
    sums.take(out);
}

}  // namespace

NodeRule conv_node(const char* type, std::size_t axes) {
    NodeRule rule{type,
                  NodeRole::Linear,
                  {{"input_shape", KeyKind::SpatialShape, Presence::Inferred},
                   {"weight", KeyKind::Array},
                   {"stride", KeyKind::Counts, Presence::Required, 0, axes},
                   {"padding", KeyKind::PaddingOrName, Presence::Required, 0, axes},
                   {"dilation", KeyKind::Counts, Presence::Required, 0, axes},
                   {"groups", KeyKind::Count},
                   {"bias", KeyKind::Array, Presence::Default, 0}},
                  conv_output,
                  conv_input};
    rule.linear.apply = apply_conv;
    rule.conv = ConvForm{axes, conv_shape,
                         [axes](const arch::LinearShape& s, NirNode& node) { write_conv(axes, s, node); }};
    return rule;
}

}  // namespace loom::compiler
