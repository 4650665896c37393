// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arch/window.hpp"
#include "base/fields.hpp"

namespace loom::train_estimate {

/// OutLinear: the readout. SATA_Sim knows the name and then ignores the layer (defects.hpp).
enum class LayerKind { Conv, Linear, OutLinear };
inline std::span<const std::string_view> enum_names(LayerKind*) {
    static constexpr std::array<std::string_view, 3> names{"conv", "linear", "out_linear"};
    return names;
}

/// A layer of synapses with its neurons. Counts are doubles: whole numbers, exact below 2^53.
struct LayerShape {
    LayerKind kind = LayerKind::Conv;
    std::uint64_t in_channels = 0, out_channels = 0;  ///< conv
    std::uint64_t kernel = 0, stride = 1, padding = 0, groups = 1;
    /// In place of kernel, stride and padding: a window that is not the same along both axes, or with a
    /// dilation. Files cannot say it; layers that were trained have it.
    std::optional<arch::Window> window = std::nullopt;
    std::uint64_t in_height = 0, in_width = 0;
    std::uint64_t out_height = 0, out_width = 0;  ///< 0: computed by completed()
    std::uint64_t in = 0, out = 0;                ///< linear

    static LayerShape linear(std::uint64_t in, std::uint64_t out, LayerKind kind = LayerKind::Linear);

    bool is_conv() const { return kind == LayerKind::Conv; }
    arch::Window windows() const { return window.value_or(arch::square_window(kernel, stride, padding)); }
    double weights() const;
    double inputs() const;
    double outputs() const;
    double in_positions() const;   ///< places of the input map; 1 in a linear layer
    double out_positions() const;  ///< places of the output map; 1 in a linear layer
    double synapses() const;       ///< pairs of input and output; taps that fall on padding are none
};
template <class V>
void fields(V& v, LayerShape& s) {
    constexpr double most = 1 << 24;
    v("kind", s.kind, {.doc = "conv, linear, out_linear (the readout)"});
    v("in_channels", s.in_channels, {.doc = "conv: channels of the input", .max = most});
    v("out_channels", s.out_channels, {.doc = "conv: channels of the output", .max = most});
    v("kernel", s.kernel, {.doc = "conv: side of the square kernel", .max = most});
    v("stride", s.stride, {.doc = "conv: step of the kernel", .min = 1, .max = most});
    v("padding", s.padding, {.doc = "conv: zeros around the input", .max = most});
    v("groups", s.groups,
      {.doc = "conv: parts of the channels that only see each other", .min = 1, .max = most});
    v("in_height", s.in_height, {.doc = "conv: height of the input", .max = most});
    v("in_width", s.in_width, {.doc = "conv: width of the input", .max = most});
    v("out_height", s.out_height, {.doc = "conv: height of the output; 0: computed", .max = most});
    v("out_width", s.out_width, {.doc = "conv: width of the output; 0: computed", .max = most});
    v("in", s.in, {.doc = "linear: inputs", .max = most});
    v("out", s.out, {.doc = "linear: outputs", .max = most});
}

/// Checks the layers and computes the output sizes that are 0. ConfigError "layers.<i>.<key>: ...".
std::vector<LayerShape> completed(std::vector<LayerShape> layers);

/// VGG5 for CIFAR-10 as in SATA_Sim: three 3x3 convolutions, pooling after the first and the third,
/// 8192-1024-10.
std::vector<LayerShape> vgg5();

/// Layers of a named network. ConfigError "network: ..." for unknown names.
std::vector<LayerShape> network_layers(const std::string& name);

}  // namespace loom::train_estimate
