// SPDX-License-Identifier: Apache-2.0
// SumPool2d, AvgPool2d, AvgPool1d: sums or means over windows of each channel.
#include <algorithm>

#include "compiler/ir/sparse_sums.hpp"
#include "compiler/nodes/nodes.hpp"
#include "compiler/nodes/shape_rules.hpp"

namespace loom::compiler {
namespace {

/// Axis 0 is the first behind the channels.
arch::WindowAxis pool_axis(const NirNode& n, std::size_t axis) {
    const std::size_t zeros = whole(n, "padding", axis);
    return {whole(n, "kernel_size", axis), whole(n, "stride", axis), 1, zeros, zeros};
}

Shape pool_output(const NirNode& node, const Shape& a, const Shape&) {
    const std::size_t axes = node.rule->pool->axes;
    need_rank(a, axes + 1, axes == 2 ? "[C, H, W]" : "[C, N]");
    Shape out{a[0]};
    for (std::size_t i = 0; i < axes; ++i) out.push_back(windows(a[1 + i], pool_axis(node, i)));
    return out;
}

/// A pool of [channels, length] has windows of one row.
arch::Window pool_window(const NirNode& node) {
    const std::size_t axes = node.rule->pool->axes;
    return {axes == 2 ? pool_axis(node, 0) : arch::WindowAxis{}, pool_axis(node, axes - 1)};
}

void write_pool(std::size_t axes, const arch::Window& window, NirNode& node) {
    const auto pair = [&](std::size_t of_rows, std::size_t of_columns) {
        return axes == 1 ? integers({of_columns}) : integers({of_rows, of_columns});
    };
    node.arrays["kernel_size"] = pair(window.rows.kernel, window.columns.kernel);
    node.arrays["stride"] = pair(window.rows.stride, window.columns.stride);
    node.arrays["padding"] = pair(window.rows.before, window.columns.before);
}

void apply_pool(const NirNode& node, const SparseVector& in, SparseVector& out, const DelayMask&) {
    const std::size_t axes = node.rule->pool->axes;
    const Shape &is = node.input_shape, &os = node.output_shape;
    arch::LinearShape map;
    if (axes == 2) map.in_h = is[1], map.out_h = os[1];
    map.in_w = is[axes], map.out_w = os[axes];
    map.window = pool_window(node);
    const double scale = node.rule->pool->mean ? 1.0 / static_cast<double>(map.window.taps()) : 1.0;
    const std::size_t in_plane = map.in_h * map.in_w, out_plane = map.out_h * map.out_w;
    SparseSums sums;
    for (const auto& [element, value] : in) {
        map.each_output(element % in_plane, [&, element = element, value = value](std::size_t position, std::size_t) {
            sums.add(element / in_plane * out_plane + position, value * scale);
        });
    }
    sums.take(out);
}

}  // namespace

NodeRule pool_node(const char* type, std::size_t axes, PoolKind kind) {
    NodeRule rule{type,
                  NodeRole::Linear,
                  {{"kernel_size", KeyKind::Counts, Presence::Required, 0, axes},
                   {"stride", KeyKind::Counts, Presence::Required, 0, axes},
                   {"padding", KeyKind::Padding, Presence::Required, 0, axes}},
                  pool_output,
                  no_hint};
    rule.linear.apply = apply_pool;
    rule.pool =
        PoolForm{axes, kind == PoolKind::Mean, pool_window,
                 [axes](const arch::Window& window, NirNode& node) { write_pool(axes, window, node); }};
    return rule;
}

}  // namespace loom::compiler
