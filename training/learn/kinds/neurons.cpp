// SPDX-License-Identifier: Apache-2.0
#include "training/learn/layer_kinds.hpp"
#include "training/learn/neurons/make_neurons.hpp"

namespace loom::learn {
namespace {

NeuronSpec neurons(const LayerContext& c) {
    NeuronSpec n;
    LifSpec& s = n.lif;
    s.leak = c.per_neuron("leak", c.spec.leak, 0.5F);
    s.gain = c.per_neuron("gain", c.spec.gain, 1.0F);
    s.drift = c.per_neuron("drift", c.spec.drift, 0.0F);
    s.threshold = c.per_neuron("threshold", c.spec.threshold, 1.0F);
    s.reset_value = c.per_neuron("v_reset", c.spec.v_reset, 0.0F);
    s.reset = c.options.reset;
    s.at_threshold = c.options.at_threshold;
    s.fires = !(c.output && c.options.integrate_output);
    return n;
}

void adapt(const LayerContext& c, NeuronSpec& n) {
    AdaptationSpec a;
    a.decay = static_cast<float>(c.spec.adapt_decay.value_or(double{a.decay}));
    a.jump = static_cast<float>(c.spec.adapt_jump.value_or(double{a.jump}));
    a.strength = static_cast<float>(c.spec.adapt_strength.value_or(double{a.strength}));
    n.adaptation = a;
}

std::unique_ptr<Lif> make(const LayerContext& c, const NeuronSpec& n) {
    return make_neurons(c.in, n, c.options.surrogate);
}

std::unique_ptr<Layer> make_with_recurrence(const LayerContext& c, NeuronSpec n) {
    n.recurrent = true;
    std::unique_ptr<Lif> layer = make(c, n);
    for (std::size_t p = 0; p < layer->parameters().size(); ++p)
        if (layer->parameters()[p].name == "recurrent") c.init_uniform(*layer, p, c.in.count());
    return layer;
}

}  // namespace

std::unique_ptr<Layer> make_lif(const LayerContext& c) {
    return make(c, neurons(c));
}

std::unique_ptr<Layer> make_if(const LayerContext& c) {
    NeuronSpec n = neurons(c);
    n.lif.leak = {{1.0F}};
    return make(c, n);
}

std::unique_ptr<Layer> make_li(const LayerContext& c) {
    NeuronSpec n = neurons(c);
    n.lif.fires = false;
    return std::make_unique<Lif>(c.in, n.lif, make_surrogate({}));
}

std::unique_ptr<Layer> make_cuba_lif(const LayerContext& c) {
    NeuronSpec n = neurons(c);
    n.current_decay = static_cast<float>(c.spec.current_leak.value_or(0.5));
    return make(c, n);
}

std::unique_ptr<Layer> make_plif(const LayerContext& c) {
    NeuronSpec n = neurons(c);
    for (const float leak : n.lif.leak.values)
        if (leak <= 0 || leak >= 1 || leak != n.lif.leak.values[0])
            c.fail("leak", "a trained leak starts from one value between 0 and 1 for all neurons of a layer");
    n.learns_leak = true;
    n.scales_input = c.spec.scales_input.value_or(false);
    return make(c, n);
}

std::unique_ptr<Layer> make_alif(const LayerContext& c) {
    NeuronSpec n = neurons(c);
    adapt(c, n);
    return make(c, n);
}

std::unique_ptr<Layer> make_recurrent(const LayerContext& c) {
    return make_with_recurrence(c, neurons(c));
}

std::unique_ptr<Layer> make_recurrent_alif(const LayerContext& c) {
    NeuronSpec n = neurons(c);
    adapt(c, n);
    return make_with_recurrence(c, n);
}

}  // namespace loom::learn
