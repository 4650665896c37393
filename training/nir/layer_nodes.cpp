// SPDX-License-Identifier: Apache-2.0
#include "training/nir/layer_nodes.hpp"

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "compiler/neurons/constants.hpp"
#include "training/learn/layers/conv.hpp"
#include "training/learn/layers/dense.hpp"
#include "training/learn/layers/pool.hpp"
#include "training/learn/neurons/adaptation.hpp"
#include "training/learn/neurons/lif.hpp"

namespace loom::compiler {
namespace {

/// One function per kind of layer; false: another kind.
struct Writer {
    const NodeCatalogue& types;
    const Profile& profile;
    bool line;

    std::vector<std::size_t> map_shape(const learn::Layer& layer, const learn::Shape& s) const {
        return NodeWriter{types, profile, line}.map_shape(layer, s);
    }
    bool dense(learn::Layer& layer, NirNode& node) const {
        auto* l = dynamic_cast<learn::Dense*>(&layer);
        if (l == nullptr) return false;
        node.rule = &types.at(l->has_bias() ? "Affine" : "Linear");
        node.output_shape = {layer.out.count()};
        node.arrays["weight"] = parameter_tensor(layer, 0, {layer.out.count(), layer.in.count()});
        if (l->has_bias()) node.arrays["bias"] = parameter_tensor(layer, 1, {layer.out.count()});
        return true;
    }
    bool conv(learn::Layer& layer, NirNode& node) const {
        auto* l = dynamic_cast<learn::Conv*>(&layer);
        if (l == nullptr) return false;
        const arch::LinearShape s = l->linear_shape();
        const arch::WindowAxis& rows = s.window.rows;
        node.output_shape = map_shape(layer, layer.out);
        if (line && (rows.kernel != 1 || rows.before + rows.after != 0))
            refuse_layer(layer, "has kernels of two dimensions beside others of one");
        node.rule = types.convolution(line ? 1 : 2);
        std::vector<std::size_t> axes = l->file_shape(0);
        if (line && !l->line()) axes.erase(axes.begin() + 2);
        node.arrays["weight"] = parameter_tensor(layer, 0, std::move(axes));
        node.rule->conv->write(s, node);
        node.arrays["bias"] = l->has_bias() ? parameter_tensor(layer, 1, {s.out_c})
                                            : Tensor{{s.out_c}, Values(s.out_c, 0.0), nullptr};
        return true;
    }
    bool pool(learn::Layer& layer, NirNode& node) const {
        auto* l = dynamic_cast<learn::AveragePool*>(&layer);
        if (l == nullptr) return false;
        node.rule = types.pool(line ? 1 : 2, l->mean());
        if (node.rule == nullptr) refuse_layer(layer, "pools [channels, length]; NIR has no such node");
        const arch::WindowAxis& rows = l->window().rows;
        if (line && (rows.kernel != 1 || rows.before != 0))
            refuse_layer(layer, "has windows of two dimensions beside kernels of one");
        node.output_shape = map_shape(layer, layer.out);
        node.rule->pool->write(l->window(), node);
        return true;
    }
    bool flatten(learn::Layer& layer, NirNode& node) const {
        if (dynamic_cast<learn::Flatten*>(&layer) == nullptr) return false;
        make_flatten(types, node, layer.out.count());
        return true;
    }
    bool lif(learn::Layer& layer, NirNode& node) const {
        auto* l = dynamic_cast<learn::Lif*>(&layer);
        if (l == nullptr) return false;
        node.output_shape = node.input_shape;
        const learn::NeuronConstants& c = l->constants();
        const learn::AdaptationSpec* adaptation = l->adaptation();
        const std::optional<float> decay = l->current_decay();
        if (decay && adaptation != nullptr)
            refuse_layer(layer, "has a current that decays and an adaptive threshold; NIR has no such node");
        const char* model = decay ? "cuba_lif" : adaptation != nullptr ? "alif" : "lif";
        const auto all = [](const std::vector<float>& values, float v) {
            return std::ranges::all_of(values, [&](float x) { return x == v; });
        };
        const bool integrates = all(c.leak, 1.0F) && all(c.drift, 0.0F) && !decay && adaptation == nullptr;
        node.rule =
            types.neuron(model, integrates ? MembraneKind::Integrator : MembraneKind::Leaky, l->fires());
        if (node.rule == nullptr) return false;
        if (integrates) {
            node.arrays["r"] =
                neurons(node, layer, [&](std::size_t i) { return integrator_r(c.gain[i], profile); });
        } else {
            leaky(layer, c, node);
        }
        if (decay) filter(layer, *decay, node);
        if (adaptation != nullptr) adapts(layer, *adaptation, node);
        if (l->fires()) firing(layer, c, node);
        return true;
    }

  private:
    /// Values of all neurons, channel first.
    template <class F>
    static Tensor neurons(const NirNode& node, const learn::Layer& layer, F value) {
        Tensor t{node.output_shape, Values(layer.out.count()), nullptr};
        for (std::size_t i = 0; i < t.data.size(); ++i) t.data[layer.out.channel_first(i)] = value(i);
        return t;
    }
    static void firing(const learn::Layer& layer, const learn::NeuronConstants& c, NirNode& node) {
        node.arrays["v_threshold"] =
            neurons(node, layer, [&](std::size_t i) { return double{c.threshold[i]}; });
        node.arrays["v_reset"] =
            neurons(node, layer, [&](std::size_t i) { return double{c.reset_value[i]}; });
    }
    /// A current that decays.
    void filter(const learn::Layer& layer, float decay, NirNode& node) const {
        if (profile.cuba != "seq") refuse_layer(layer, "has a current that decays: profile.cuba must be seq");
        const FilterParameters p = filter_parameters(decay, profile);
        node.arrays["tau_syn"] = neurons(node, layer, [&](std::size_t) { return p.tau_syn; });
        node.arrays["w_in"] = neurons(node, layer, [&](std::size_t) { return p.w_in; });
    }
    static void adapts(const learn::Layer& layer, const learn::AdaptationSpec& a, NirNode& node) {
        const auto all = [&](float value) {
            return neurons(node, layer, [&](std::size_t) { return double{value}; });
        };
        node.arrays["adapt_decay"] = all(a.decay);
        node.arrays["adapt_jump"] = all(a.jump);
        node.arrays["adapt_strength"] = all(a.strength);
    }
    void leaky(const learn::Layer& layer, const learn::NeuronConstants& c, NirNode& node) const {
        const auto parameter = [&](double LeakyParameters::*which) {
            return neurons(node, layer, [&](std::size_t i) {
                return leaky_parameters(c.leak[i], c.gain[i], c.drift[i], profile).*which;
            });
        };
        node.arrays[std::string(node.rule->neuron->tau)] = parameter(&LeakyParameters::tau);
        node.arrays["r"] = parameter(&LeakyParameters::r);
        node.arrays["v_leak"] = parameter(&LeakyParameters::v_leak);
    }
};

}  // namespace

void NodeWriter::write(learn::Layer& layer, NirNode& node) const {
    using Convert = bool (Writer::*)(learn::Layer&, NirNode&) const;
    constexpr Convert kinds[] = {&Writer::dense, &Writer::conv, &Writer::pool, &Writer::flatten,
                                 &Writer::lif};
    const Writer writer{types, profile, line};
    if (takes_maps(layer) && node.input_shape.size() == 1)
        refuse_layer(layer, "takes the output of a matrix as a map; NIR has no node for that");
    if (!std::ranges::any_of(kinds, [&](Convert f) { return (writer.*f)(layer, node); }))
        refuse_layer(layer, "has no node in NIR");
}

std::vector<std::size_t> NodeWriter::map_shape(const learn::Layer& layer, const learn::Shape& s) const {
    if (!line) return {s.channels, s.height, s.width};
    if (s.height != 1) refuse_layer(layer, "has maps of several rows beside [channels, length]");
    return {s.channels, s.width};
}

bool takes_maps(const learn::Layer& layer) {
    return dynamic_cast<const learn::Conv*>(&layer) != nullptr ||
           dynamic_cast<const learn::AveragePool*>(&layer) != nullptr;
}

void refuse_layer(const learn::Layer& layer, const char* why) {
    throw UnsupportedError("layer '" + layer.name + "' " + why);
}

void make_flatten(const NodeCatalogue& types, NirNode& node, std::size_t count) {
    node.rule = &types.at("Flatten");
    node.arrays["start_dim"] = Tensor{{}, {0.0}, nullptr};
    node.arrays["end_dim"] = Tensor{{}, {-1.0}, nullptr};
    node.arrays["input_type"] = integers(node.input_shape);
    node.output_shape = {count};
}

Tensor parameter_tensor(learn::Layer& layer, std::size_t p, std::vector<std::size_t> shape) {
    const std::vector<float> v = layer.exported(p, false);
    return {std::move(shape), Values(v.begin(), v.end()), nullptr};
}

}  // namespace loom::compiler
