// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "sim/learn/layer_kinds.hpp"
#include "sim/learn/layers/conv.hpp"
#include "sim/learn/layers/dense.hpp"

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

std::unique_ptr<Layer> make_conv(const LayerContext& c) {
    ConvShape s;
    s.in = c.in;
    s.channels = c.need("outputs", c.spec.outputs);
    s.kernel_h = s.kernel_w = c.need("kernel", c.spec.kernel);
    s.stride = c.spec.stride.value_or(1);
    s.padding = c.spec.padding.value_or(0);
    if (s.padding >= s.kernel_h) c.fail("padding", "must be smaller than the kernel");
    if (c.in.height + 2 * s.padding < s.kernel_h || c.in.width + 2 * s.padding < s.kernel_w)
        c.fail("kernel", fmt::format("{} is larger than the padded input, {} x {}", s.kernel_h,
                                     c.in.height + 2 * s.padding, c.in.width + 2 * s.padding));
    auto layer = std::make_unique<Conv>(s, c.spec.bias.value_or(false));
    c.init_uniform(*layer, 0, s.in.channels * s.kernel_h * s.kernel_w);
    return layer;
}

}  // namespace loom::learn
