// SPDX-License-Identifier: Apache-2.0
#include "compiler/training/to_nir.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/error.hpp"
#include "sim/learn/layers/add.hpp"
#include "sim/learn/layers/conv.hpp"
#include "sim/learn/layers/dense.hpp"
#include "sim/learn/layers/pool.hpp"
#include "sim/learn/neurons/lif.hpp"
#include "sim/learn/norms/norm.hpp"

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
        arch::NeuronWork model;
        l->describe_neurons(model);
        if (model.adaptive) return false;
        const learn::NeuronConstants& c = l->constants();
        const auto all = [](const std::vector<float>& values, float v) {
            return std::ranges::all_of(values, [&](float x) { return x == v; });
        };
        const bool integrates = all(c.leak, 1.0F) && all(c.drift, 0.0F), fires = l->fires();
        node.type = integrates ? (fires ? "IF" : "I") : (fires ? "LIF" : "LI");
        if (integrates) {
            const double dt = profile.if_dt > 0 ? profile.if_dt : profile.dt_seconds();
            node.arrays["r"] = neurons(layer, [&](std::size_t i) { return double{c.gain[i]} / dt; });
        } else {
            leaky(layer, c, node);
        }
        if (fires) {
            node.arrays["v_threshold"] =
                neurons(layer, [&](std::size_t i) { return double{c.threshold[i]}; });
            node.arrays["v_reset"] = neurons(layer, [&](std::size_t i) { return double{c.reset_value[i]}; });
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
    void leaky(const learn::Layer& layer, const learn::NeuronConstants& s, NirNode& node) const {
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

/// Builds the graph: most layers are a node, sums and norms are edges and scaled weights.
class Graph {
  public:
    Graph(learn::Network& network, const Profile& profile)
        : network_(network), writer_{profile}, end_of_(network.nodes().size()) {}

    NirModel build() {
        input_ = border("input", "Input", network_.input_shape());
        for (std::uint32_t i = 0; i < network_.nodes().size(); ++i) {
            learn::Layer& layer = *network_.nodes()[i].layer;
            if (dynamic_cast<learn::Add*>(&layer) != nullptr) {
                end_of_[i] = sources(i);
            } else if (auto* norm = dynamic_cast<learn::Norm*>(&layer)) {
                fold(i, *norm);
            } else {
                add(i, layer);
            }
        }
        const std::uint32_t output = border("output", "Output", network_.nodes().back().layer->out);
        connect(end_of_.back(), output);
        return std::move(model_);
    }

  private:
    std::uint32_t border(const char* name, const char* type, const learn::Shape& shape) {
        NirNode node;
        node.name = name;
        while (network_.find(node.name) != nullptr) node.name += '_';
        node.type = type;
        node.input_shape = node.output_shape = nir_shape(shape);
        node.arrays["shape"] = list(node.output_shape);
        return put(std::move(node));
    }
    std::uint32_t put(NirNode node) {
        model_.nodes.push_back(std::move(node));
        return static_cast<std::uint32_t>(model_.nodes.size() - 1);
    }
    void connect(const std::vector<std::uint32_t>& from, std::uint32_t to) {
        for (const std::uint32_t f : from) model_.edges.push_back({f, to, ""});
    }
    /// NIR nodes whose sum feeds node i.
    std::vector<std::uint32_t> sources(std::uint32_t i) const {
        std::vector<std::uint32_t> all;
        for (const std::uint32_t s : network_.nodes()[i].sources) {
            if (s == learn::Network::kInput)
                all.push_back(input_);
            else
                all.insert(all.end(), end_of_[s].begin(), end_of_[s].end());
        }
        return all;
    }
    void add(std::uint32_t i, learn::Layer& layer) {
        using Convert = bool (Writer::*)(learn::Layer&, NirNode&) const;
        constexpr Convert kinds[] = {&Writer::dense, &Writer::conv, &Writer::pool, &Writer::flatten,
                                     &Writer::lif};
        NirNode node;
        node.name = layer.name;
        node.input_shape = nir_shape(layer.in);
        node.output_shape = nir_shape(layer.out);
        if (!std::ranges::any_of(kinds, [&](Convert f) { return (writer_.*f)(layer, node); }))
            throw UnsupportedError("layer '" + layer.name + "' has no node in NIR");
        const std::uint32_t number = put(std::move(node));
        connect(sources(i), number);
        end_of_[i] = {number};
        add_recurrence(layer, number);
    }
    /// Weights from a population to itself: a Linear in a loop, which NIR delays by a timestep.
    void add_recurrence(learn::Layer& layer, std::uint32_t number) {
        for (std::size_t p = 0; p < layer.parameters().size(); ++p) {
            if (layer.parameters()[p].name != "recurrent") continue;
            NirNode node;
            node.name = layer.name + ".recurrent";
            node.type = "Linear";
            const std::size_t n = layer.out.count();
            node.input_shape = node.output_shape = {n};
            node.arrays["weight"] = parameter(layer, p, {n, n});
            const std::uint32_t weights = put(std::move(node));
            connect({number}, weights);
            connect({weights}, number);
        }
    }
    /// A norm in use is a factor and an offset per channel: they go into the matrix before it.
    void fold(std::uint32_t i, learn::Norm& norm) {
        end_of_[i] = sources(i);
        const std::vector<std::uint32_t>& from = network_.nodes()[i].sources;
        NirNode* node = end_of_[i].size() == 1 && from.size() == 1 ? &model_.nodes[end_of_[i][0]] : nullptr;
        const bool matrix = node != nullptr && node->arrays.count("weight") != 0 &&
                            node->name == network_.nodes()[from[0]].layer->name && readers(from[0]) == 1;
        if (!matrix)
            throw UnsupportedError("layer '" + norm.name +
                                   "' does not follow a matrix of its own; NIR has no norms");
        const std::vector<double> at_0 = value_at(norm, 0), at_1 = value_at(norm, 1);
        Tensor& weight = node->arrays["weight"];
        const std::size_t channels = weight.shape[0], row = weight.data.size() / channels;
        Values bias(channels);
        if (const auto it = node->arrays.find("bias"); it != node->arrays.end()) bias = it->second.data;
        for (std::size_t c = 0; c < channels; ++c) {
            const double factor = at_1[c] - at_0[c];
            for (std::size_t k = 0; k < row; ++k) weight.data[c * row + k] *= factor;
            bias[c] = bias[c] * factor + at_0[c];
        }
        if (node->type == "Linear") node->type = "Affine";
        node->arrays["bias"] = Tensor{{channels}, std::move(bias), nullptr};
    }
    std::size_t readers(std::uint32_t source) const {
        std::size_t n = 0;
        for (const learn::Network::Node& node : network_.nodes())
            n += static_cast<std::size_t>(std::ranges::count(node.sources, source));
        return n;
    }
    /// Output of every channel for an input that is `x` everywhere, with running statistics.
    static std::vector<double> value_at(learn::Norm& norm, float x) {
        learn::Pass pass;
        pass.steps = pass.batch = 1;
        pass.training = false;
        learn::Signal in(1, 1, norm.in.count()), out(1, 1, norm.out.count());
        std::ranges::fill(in.all(), x);
        norm.forward(pass, in, out);
        const auto first = out.all().begin();
        return {first, first + static_cast<std::ptrdiff_t>(norm.out.channels)};
    }

    learn::Network& network_;
    Writer writer_;
    NirModel model_;
    std::uint32_t input_ = 0;
    std::vector<std::vector<std::uint32_t>> end_of_;  ///< by layer: NIR nodes whose sum is its output
};

}  // namespace

NirModel network_to_nir(learn::Network& network, const Profile& profile) {
    return Graph(network, profile).build();
}

}  // namespace loom::compiler
