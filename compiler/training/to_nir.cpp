// SPDX-License-Identifier: Apache-2.0
#include "compiler/training/to_nir.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/error.hpp"
#include "sim/learn/layers/conv.hpp"
#include "sim/learn/layers/dense.hpp"
#include "sim/learn/layers/pool.hpp"
#include "sim/learn/neurons/lif.hpp"

namespace loom::compiler {
namespace {

using Values = std::vector<double>;

std::vector<std::size_t> nir_shape(const learn::Shape& s) {
    if (s.spatial()) return {s.channels, s.height, s.width};
    return {s.channels};
}

Tensor list(std::initializer_list<std::size_t> values) {
    Tensor t{{values.size()}, {}, nullptr};
    for (const std::size_t v : values) t.data.push_back(static_cast<double>(v));
    return t;
}
Tensor list(const std::vector<std::size_t>& values) {
    return {{values.size()}, Values(values.begin(), values.end()), nullptr};
}

Tensor parameter(learn::Layer& layer, std::size_t p, std::vector<std::size_t> shape) {
    const std::vector<float> v = layer.exported(p, false);
    return {std::move(shape), Values(v.begin(), v.end()), nullptr};
}

struct Writer {
    const Profile& profile;

    bool dense(learn::Layer& layer, NirNode& node) const {
        auto* l = dynamic_cast<learn::Dense*>(&layer);
        if (l == nullptr) return false;
        node.type = l->has_bias() ? "Affine" : "Linear";
        node.arrays["weight"] = parameter(layer, 0, {layer.out.count(), layer.in.count()});
        if (l->has_bias()) node.arrays["bias"] = parameter(layer, 1, {layer.out.count()});
        return true;
    }
    bool conv(learn::Layer& layer, NirNode& node) const {
        auto* l = dynamic_cast<learn::Conv*>(&layer);
        if (l == nullptr) return false;
        const learn::ConvShape& s = l->shape();
        node.type = "Conv2d";
        node.arrays["input_shape"] = list({s.in.height, s.in.width});
        node.arrays["weight"] = parameter(layer, 0, {s.channels, s.in.channels, s.kernel_h, s.kernel_w});
        node.arrays["stride"] = list({s.stride, s.stride});
        node.arrays["padding"] = list({s.padding, s.padding});
        node.arrays["dilation"] = list({1, 1});
        node.arrays["groups"] = list({1});
        node.arrays["bias"] = l->has_bias() ? parameter(layer, 1, {s.channels})
                                            : Tensor{{s.channels}, Values(s.channels, 0.0), nullptr};
        return true;
    }
    bool pool(learn::Layer& layer, NirNode& node) const {
        auto* l = dynamic_cast<learn::AveragePool*>(&layer);
        if (l == nullptr) return false;
        node.type = l->mean() ? "AvgPool2d" : "SumPool2d";
        node.arrays["kernel_size"] = node.arrays["stride"] = list({l->size(), l->size()});
        node.arrays["padding"] = list({0, 0});
        return true;
    }
    bool flatten(learn::Layer& layer, NirNode& node) const {
        if (dynamic_cast<learn::Flatten*>(&layer) == nullptr) return false;
        node.type = "Flatten";
        node.arrays["start_dim"] = Tensor{{}, {0.0}, nullptr};
        node.arrays["end_dim"] = Tensor{{}, {-1.0}, nullptr};
        node.arrays["input_type"] = list(nir_shape(layer.in));
        return true;
    }
    bool lif(learn::Layer& layer, NirNode& node) const {
        auto* l = dynamic_cast<learn::Lif*>(&layer);
        if (l == nullptr) return false;
        const learn::LifSpec& s = l->spec();
        const auto all = [](const learn::PerNeuron& p, float v) {
            return std::ranges::all_of(p.values, [&](float x) { return x == v; });
        };
        const bool integrates = all(s.leak, 1.0F) && all(s.drift, 0.0F);
        node.type = integrates ? (s.fires ? "IF" : "I") : (s.fires ? "LIF" : "LI");
        if (integrates) {
            const double dt = profile.if_dt > 0 ? profile.if_dt : profile.dt_seconds();
            node.arrays["r"] = neurons(layer, [&](std::size_t i) { return double{s.gain[i]} / dt; });
        } else {
            leaky(layer, s, node);
        }
        if (s.fires) {
            node.arrays["v_threshold"] =
                neurons(layer, [&](std::size_t i) { return double{s.threshold[i]}; });
            node.arrays["v_reset"] = neurons(layer, [&](std::size_t i) { return double{s.reset_value[i]}; });
        }
        return true;
    }

  private:
    /// Values of all neurons, channel first.
    template <class F>
    static Tensor neurons(const learn::Layer& layer, F value) {
        Tensor t{nir_shape(layer.out), Values(layer.out.count()), nullptr};
        for (std::size_t i = 0; i < t.data.size(); ++i) t.data[layer.out.channel_first(i)] = value(i);
        return t;
    }
    /// tau, r, v_leak of leak, gain, drift: from_nir's equations solved for them.
    void leaky(const learn::Layer& layer, const learn::LifSpec& s, NirNode& node) const {
        const double dt = profile.dt_seconds();
        const bool euler = profile.method == "euler", jump = profile.method == "jump";
        constexpr double almost_none = 0x1p-40;  // stands for no leak: tau is finite
        const auto share = [&](std::size_t i) { return std::max(1 - double{s.leak[i]}, almost_none); };
        node.arrays["tau"] = neurons(layer, [&](std::size_t i) {
            return euler ? dt / share(i) : dt / -std::log(std::max(1 - share(i), 1e-300));
        });
        node.arrays["r"] = neurons(
            layer, [&](std::size_t i) { return jump ? double{s.gain[i]} : double{s.gain[i]} / share(i); });
        node.arrays["v_leak"] =
            neurons(layer, [&](std::size_t i) { return jump ? 0.0 : double{s.drift[i]} / share(i); });
    }
};

}  // namespace

NirModel network_to_nir(learn::Network& network, const Profile& profile) {
    using Convert = bool (Writer::*)(learn::Layer&, NirNode&) const;
    constexpr Convert kinds[] = {&Writer::dense, &Writer::conv, &Writer::pool, &Writer::flatten,
                                 &Writer::lif};
    const Writer writer{profile};
    NirModel m;
    const auto border = [&](const char* name, const char* type, const learn::Shape& shape) {
        NirNode node;
        node.name = name;
        while (network.find(node.name) != nullptr) node.name += '_';
        node.type = type;
        node.input_shape = node.output_shape = nir_shape(shape);
        node.arrays["shape"] = list(node.output_shape);
        m.nodes.push_back(std::move(node));
    };
    border("input", "Input", network.input_shape());
    for (std::uint32_t i = 0; i < network.nodes().size(); ++i) {
        learn::Layer& layer = *network.nodes()[i].layer;
        NirNode node;
        node.name = layer.name;
        node.input_shape = nir_shape(layer.in);
        node.output_shape = nir_shape(layer.out);
        if (!std::ranges::any_of(kinds, [&](Convert f) { return (writer.*f)(layer, node); }))
            throw UnsupportedError("layer '" + layer.name + "' cannot be written as NIR");
        m.nodes.push_back(std::move(node));
        for (const std::uint32_t s : network.nodes()[i].sources)
            m.edges.push_back({s == learn::Network::kInput ? 0 : s + 1, i + 1, ""});
    }
    border("output", "Output", network.nodes().back().layer->out);
    m.edges.push_back(
        {static_cast<std::uint32_t>(m.nodes.size() - 2), static_cast<std::uint32_t>(m.nodes.size() - 1), ""});
    return m;
}

}  // namespace loom::compiler
