// SPDX-License-Identifier: Apache-2.0
#include "sim/learn/layers/pool.hpp"

#include <fmt/format.h>

#include "sim/learn/layer_kinds.hpp"
#include "sim/learn/layers/add.hpp"
#include "sim/learn/layers/max_pool.hpp"

namespace loom::learn {
namespace {

std::unique_ptr<Layer> make_pool(const LayerContext& c, bool mean) {
    const std::uint64_t size = c.need("size", c.spec.size);
    if (size > c.in.height || size > c.in.width)
        c.fail("size", fmt::format("{} is larger than the input, {} x {}", size, c.in.height, c.in.width));
    return std::make_unique<AveragePool>(c.in, size, mean);
}

}  // namespace

std::unique_ptr<Layer> make_avg_pool(const LayerContext& c) {
    return make_pool(c, true);
}
std::unique_ptr<Layer> make_sum_pool(const LayerContext& c) {
    return make_pool(c, false);
}
std::unique_ptr<Layer> make_flatten(const LayerContext& c) {
    return std::make_unique<Flatten>(c.in);
}

std::unique_ptr<Layer> make_max_pool(const LayerContext& c) {
    const std::uint64_t size = c.need("size", c.spec.size), stride = c.spec.stride.value_or(size);
    if (size > c.in.height || size > c.in.width)
        c.fail("size", fmt::format("{} is larger than the input, {} x {}", size, c.in.height, c.in.width));
    return std::make_unique<MaxPool>(c.in, size, stride);
}
std::unique_ptr<Layer> make_add(const LayerContext& c) {
    return std::make_unique<Add>(c.in, c.sources);
}

}  // namespace loom::learn
