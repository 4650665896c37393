// SPDX-License-Identifier: Apache-2.0
#include "training/estimate/layer_shape.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/nearest.hpp"

namespace loom::train_estimate {
namespace {

double real(std::uint64_t n) {
    return static_cast<double>(n);
}

/// Pairs of output position and kernel tap along one axis that fall on the input. Time: O(kernel). Written
/// out on purpose: the estimate is compared with work that was counted through arch::WindowAxis.
double valid_taps(std::uint64_t in, std::uint64_t out, const arch::WindowAxis& a) {
    double pairs = 0;
    for (std::uint64_t k = 0; k < a.kernel; ++k) {
        // outputs o with before <= o * stride + at < before + in
        const std::uint64_t at = k * a.dilation;
        const std::uint64_t first = at >= a.before ? 0 : (a.before - at + a.stride - 1) / a.stride;
        if (a.before + in <= at) continue;
        const std::uint64_t end = std::min(out, (a.before + in - at - 1) / a.stride + 1);
        if (end > first) pairs += real(end - first);
    }
    return pairs;
}

struct Key {
    const char* name;
    std::uint64_t value;
};

void check_keys(const std::string& path, std::initializer_list<Key> needed, std::initializer_list<Key> others,
                const char* of) {
    for (const Key& k : needed) {
        if (k.value == 0) throw ConfigError(fmt::format("{}.{}: missing", path, k.name));
    }
    for (const Key& k : others) {
        if (k.value != 0) throw ConfigError(fmt::format("{}.{}: {}", path, k.name, of));
    }
}

/// Size of the output along one axis; checks the one that is given.
std::uint64_t out_size(const std::string& path, const char* axis, std::uint64_t in, std::uint64_t given,
                       const arch::WindowAxis& a) {
    if (!a.fits(in)) {
        throw ConfigError(fmt::format("{}.kernel: {} is larger than the padded input, {}", path, a.span(),
                                      in + a.before + a.after));
    }
    const std::uint64_t size = a.outputs(in);
    if (given != 0 && given != size) {
        throw ConfigError(
            fmt::format("{}.out_{}: {}, but kernel, stride and padding give {}", path, axis, given, size));
    }
    return size;
}

LayerShape completed(LayerShape l, const std::string& path) {
    if (!l.is_conv()) {
        check_keys(path, {{"in", l.in}, {"out", l.out}},
                   {{"in_channels", l.in_channels},
                    {"out_channels", l.out_channels},
                    {"kernel", l.kernel},
                    {"padding", l.padding},
                    {"groups", l.groups - 1},
                    {"in_height", l.in_height},
                    {"in_width", l.in_width},
                    {"out_height", l.out_height},
                    {"out_width", l.out_width}},
                   "of a convolution, but this layer is linear");
        return l;
    }
    check_keys(path,
               {{"in_channels", l.in_channels},
                {"out_channels", l.out_channels},
                {"kernel", l.kernel},
                {"stride", l.stride},
                {"in_height", l.in_height},
                {"in_width", l.in_width}},
               {{"in", l.in}, {"out", l.out}}, "of a linear layer, but this one is a convolution");
    for (const std::uint64_t channels : {l.in_channels, l.out_channels})
        if (channels % l.groups != 0)
            throw ConfigError(
                fmt::format("{}.groups: {} channels do not divide into {} groups", path, channels, l.groups));
    l.out_height = out_size(path, "height", l.in_height, l.out_height, l.windows().rows);
    l.out_width = out_size(path, "width", l.in_width, l.out_width, l.windows().columns);
    return l;
}

LayerShape conv3x3(std::uint64_t in_channels, std::uint64_t out_channels, std::uint64_t size) {
    LayerShape l;
    l.in_channels = in_channels;
    l.out_channels = out_channels;
    l.kernel = 3;
    l.padding = 1;
    l.in_height = l.in_width = size;
    return l;
}

struct NamedNetwork {
    const char* name;
    std::vector<LayerShape> (*layers)();
};
constexpr std::array<NamedNetwork, 1> kNetworks{{{"vgg5", vgg5}}};

}  // namespace

LayerShape LayerShape::linear(std::uint64_t in, std::uint64_t out, LayerKind kind) {
    LayerShape l;
    l.kind = kind;
    l.in = in;
    l.out = out;
    return l;
}

double LayerShape::weights() const {
    return is_conv() ? real(out_channels) * real(in_channels / groups) * real(windows().taps())
                     : real(in) * real(out);
}
double LayerShape::inputs() const {
    return is_conv() ? real(in_channels) * in_positions() : real(in);
}
double LayerShape::outputs() const {
    return is_conv() ? real(out_channels) * out_positions() : real(out);
}
double LayerShape::in_positions() const {
    return is_conv() ? real(in_height) * real(in_width) : 1;
}
double LayerShape::out_positions() const {
    return is_conv() ? real(out_height) * real(out_width) : 1;
}
double LayerShape::synapses() const {
    if (!is_conv()) return weights();
    return real(out_channels) * real(in_channels / groups) *
           valid_taps(in_height, out_height, windows().rows) *
           valid_taps(in_width, out_width, windows().columns);
}

std::vector<LayerShape> completed(std::vector<LayerShape> layers) {
    if (layers.empty()) throw ConfigError("layers: there are none");
    for (std::size_t i = 0; i < layers.size(); ++i)
        layers[i] = completed(layers[i], fmt::format("layers.{}", i));
    return layers;
}

std::vector<LayerShape> vgg5() {
    return completed({conv3x3(3, 64, 32), conv3x3(64, 128, 16), conv3x3(128, 128, 16),
                      LayerShape::linear(8192, 1024), LayerShape::linear(1024, 10, LayerKind::OutLinear)});
}

std::vector<LayerShape> network_layers(const std::string& name) {
    std::vector<std::string> known;
    for (const NamedNetwork& n : kNetworks) {
        if (name == n.name) return n.layers();
        known.emplace_back(n.name);
    }
    throw ConfigError("network: " + unknown_name(name, known));
}

}  // namespace loom::train_estimate
