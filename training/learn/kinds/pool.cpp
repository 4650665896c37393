// SPDX-License-Identifier: Apache-2.0
#include "training/learn/layers/pool.hpp"

#include "training/learn/layer_kinds.hpp"
#include "training/learn/layers/add.hpp"
#include "training/learn/layers/max_pool.hpp"

namespace loom::learn {
namespace {

/// Windows of `size`, `stride` apart (default: side by side). Of [channels, length] a number goes along the
/// length.
arch::Window window_of(const LayerContext& c) {
    if (!c.spec.size) c.need("size", std::nullopt);
    const auto axes = [&](const auto& key) -> std::size_t {
        return c.in.height == 1 && c.in.width > 1 && key && key->values.size() == 1 ? 1 : 2;
    };
    const auto size = c.pair("size", c.spec.size, {1, 1}, axes(c.spec.size));
    const auto stride = c.pair("stride", c.spec.stride, size, axes(c.spec.stride));
    const auto zeros = c.padding(axes(c.spec.padding));
    if (zeros[0] >= size[0] || zeros[1] >= size[1]) c.fail("padding", "must be smaller than the window");
    const arch::Window window{{size[0], stride[0], 1, zeros[0], zeros[0]},
                              {size[1], stride[1], 1, zeros[1], zeros[1]}};
    c.check_window("size", window);
    return window;
}

}  // namespace

std::unique_ptr<Layer> make_avg_pool(const LayerContext& c) {
    return std::make_unique<AveragePool>(c.in, window_of(c), true);
}
std::unique_ptr<Layer> make_sum_pool(const LayerContext& c) {
    return std::make_unique<AveragePool>(c.in, window_of(c), false);
}
std::unique_ptr<Layer> make_flatten(const LayerContext& c) {
    return std::make_unique<Flatten>(c.in);
}

std::unique_ptr<Layer> make_max_pool(const LayerContext& c) {
    return std::make_unique<MaxPool>(c.in, window_of(c));
}
std::unique_ptr<Layer> make_add(const LayerContext& c) {
    return std::make_unique<Add>(c.in, c.sources);
}

}  // namespace loom::learn
