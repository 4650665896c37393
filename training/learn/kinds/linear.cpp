// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "training/learn/layer_kinds.hpp"
#include "training/learn/layers/conv.hpp"
#include "training/learn/layers/dense.hpp"

namespace loom::learn {

std::unique_ptr<Layer> make_dense(const LayerContext& c) {
    if (c.in.spatial())
        c.fail("", fmt::format("a matrix takes a vector, its input is {} x {} x {}; put a flatten before it",
                               c.in.channels, c.in.height, c.in.width));
    const std::uint64_t outputs = c.need("outputs", c.spec.outputs);
    auto layer = std::make_unique<Dense>(c.in.count(), outputs, c.spec.bias.value_or(false));
    c.init_uniform(*layer, 0, c.in.count());
    return layer;
}

namespace {

/// Zeros on both sides of both axes, into `window`, whose other members are set.
void pad(const LayerContext& c, arch::Window& window, std::size_t axes) {
    if (!c.spec.padding) return;
    const std::vector<std::string>& v = c.spec.padding->values;
    if (v.size() == 1 && v[0] == "valid") return;
    if (v.size() == 1 && v[0] == "same") {
        for (arch::WindowAxis* a : {&window.rows, &window.columns}) {
            if (a->stride != 1) c.fail("padding", "same needs stride 1");
            a->before = (a->span() - 1) / 2;  // an odd cell is on the far side, as in torch
            a->after = a->span() - 1 - a->before;
        }
        return;
    }
    const std::array<std::size_t, 2> zeros = c.padding(axes, "; or same, or valid");
    window.rows.before = window.rows.after = zeros[0];
    window.columns.before = window.columns.after = zeros[1];
}

std::unique_ptr<Layer> convolution(const LayerContext& c, std::size_t axes) {
    const std::uint64_t channels = c.need("outputs", c.spec.outputs);
    if (!c.spec.kernel) c.need("kernel", std::nullopt);
    const auto kernel = c.pair("kernel", c.spec.kernel, {1, 1}, axes);
    const auto stride = c.pair("stride", c.spec.stride, {1, 1}, axes);
    const auto dilation = c.pair("dilation", c.spec.dilation, {1, 1}, axes);
    arch::Window window{{kernel[0], stride[0], dilation[0]}, {kernel[1], stride[1], dilation[1]}};
    pad(c, window, axes);
    const std::uint64_t groups = c.spec.groups.value_or(1);
    for (const std::size_t n : {c.in.channels, std::size_t{channels}})
        if (n % groups != 0)
            c.fail("groups", fmt::format("{} channels do not divide into {} groups", n, groups));
    c.check_window("kernel", window);
    const arch::LinearShape shape = conv_shape(c.in, channels, window, groups);
    auto layer = std::make_unique<Conv>(shape, c.spec.bias.value_or(false), axes == 1);
    c.init_uniform(*layer, 0, shape.group_inputs() * window.taps());
    return layer;
}

}  // namespace

std::unique_ptr<Layer> make_conv(const LayerContext& c) {
    return convolution(c, 2);
}

std::unique_ptr<Layer> make_conv1d(const LayerContext& c) {
    if (c.in.height != 1)
        c.fail("", fmt::format("conv1d takes [channels, length], its input is {} x {} x {}", c.in.channels,
                               c.in.height, c.in.width));
    return convolution(c, 1);
}

}  // namespace loom::learn
