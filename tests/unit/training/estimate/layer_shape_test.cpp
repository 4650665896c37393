// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "training/estimate/layer_shape.hpp"

namespace loom::train_estimate {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

LayerShape conv(std::uint64_t in, std::uint64_t out, std::uint64_t size, std::uint64_t kernel,
                std::uint64_t stride, std::uint64_t padding) {
    LayerShape l;
    l.in_channels = in;
    l.out_channels = out;
    l.kernel = kernel;
    l.stride = stride;
    l.padding = padding;
    l.in_height = l.in_width = size;
    return completed({l})[0];
}

TEST(LayerShape, SizesOfVgg5) {
    const auto layers = vgg5();
    ASSERT_EQ(layers.size(), 5u);
    double weights = 0, outputs = 0;
    for (const LayerShape& l : layers) {
        weights += l.weights();
        outputs += l.outputs();
    }
    EXPECT_EQ(weights, 8621760);
    EXPECT_EQ(outputs, 132106);
    EXPECT_EQ(layers[0].out_height, 32u);
    EXPECT_EQ(layers[4].kind, LayerKind::OutLinear);
}

TEST(LayerShape, ValidTapsByBruteForce) {
    for (const std::uint64_t size : {1u, 2u, 5u, 8u, 11u})
        for (const std::uint64_t kernel : {1u, 2u, 3u, 5u})
            for (const std::uint64_t stride : {1u, 2u, 3u, 7u})
                for (const std::uint64_t padding : {0u, 1u, 2u, 4u}) {
                    if (size + 2 * padding < kernel) continue;
                    const LayerShape l = conv(2, 3, size, kernel, stride, padding);
                    double pairs = 0, taps = 0;
                    for (std::uint64_t o = 0; o * stride + kernel <= size + 2 * padding; ++o, ++taps) {
                        for (std::uint64_t k = 0; k < kernel; ++k) {
                            const std::uint64_t at = o * stride + k;
                            pairs += at >= padding && at < padding + size;
                        }
                    }
                    SCOPED_TRACE(testing::Message()
                                 << size << ' ' << kernel << ' ' << stride << ' ' << padding);
                    EXPECT_EQ(static_cast<double>(l.out_height), taps);
                    EXPECT_EQ(l.synapses(), 6 * pairs * pairs);
                    EXPECT_LE(l.synapses(), l.weights() * l.out_positions());
                }
}

TEST(LayerShape, NotSquare) {
    LayerShape l = conv(1, 1, 6, 3, 1, 1);
    l.in_width = 4;
    l.out_width = 0;
    const LayerShape c = completed({l})[0];
    EXPECT_EQ(c.out_positions(), 6 * 4);
    EXPECT_EQ(c.in_positions(), 6 * 4);
    EXPECT_EQ(c.synapses(), 16 * 10);
}

std::string problem(LayerShape l) {
    try {
        completed({LayerShape::linear(2, 2), l});
    } catch (const ConfigError& e) {
        return e.what();
    }
    return "nothing wrong";
}

TEST(LayerShape, WhatIsRefused) {
    const LayerShape good = conv(2, 3, 5, 3, 1, 1);
    EXPECT_EQ(problem(good), "nothing wrong");
    LayerShape l = good;
    l.kernel = 8;
    EXPECT_THAT(problem(l), StartsWith("layers.1.kernel: 8"));
    l = good;
    l.in_channels = 0;
    EXPECT_THAT(problem(l), StartsWith("layers.1.in_channels: missing"));
    l = good;
    l.out_width = 4;
    EXPECT_THAT(problem(l), AllOf(StartsWith("layers.1.out_width: 4"), HasSubstr("5")));
    l = good;
    l.in = 7;
    EXPECT_THAT(problem(l), StartsWith("layers.1.in: of a linear layer"));
    l = LayerShape::linear(3, 0);
    EXPECT_THAT(problem(l), StartsWith("layers.1.out: missing"));
    l = LayerShape::linear(3, 4);
    l.kernel = 3;
    EXPECT_THAT(problem(l), StartsWith("layers.1.kernel: of a convolution"));
    EXPECT_THROW(completed({}), ConfigError);
    EXPECT_THROW(network_layers("vgg55"), ConfigError);
}

}  // namespace
}  // namespace loom::train_estimate
