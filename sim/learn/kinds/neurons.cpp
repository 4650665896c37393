// SPDX-License-Identifier: Apache-2.0
#include "sim/learn/layer_kinds.hpp"

namespace loom::learn {
namespace {

LifSpec neuron_spec(const LayerContext& c) {
    LifSpec s;
    s.leak = c.per_neuron("leak", c.spec.leak, 0.5F);
    s.gain = c.per_neuron("gain", c.spec.gain, 1.0F);
    s.drift = c.per_neuron("drift", c.spec.drift, 0.0F);
    s.threshold = c.per_neuron("threshold", c.spec.threshold, 1.0F);
    s.reset_value = c.per_neuron("v_reset", c.spec.v_reset, 0.0F);
    s.reset = c.options.reset;
    s.at_threshold = c.options.at_threshold;
    s.fires = !(c.output && c.options.integrate_output);
    return s;
}

}  // namespace

std::unique_ptr<Layer> make_lif(const LayerContext& c) {
    return std::make_unique<Lif>(c.in, neuron_spec(c), c.options.surrogate);
}

std::unique_ptr<Layer> make_if(const LayerContext& c) {
    LifSpec s = neuron_spec(c);
    s.leak = {{1.0F}};
    return std::make_unique<Lif>(c.in, s, c.options.surrogate);
}

std::unique_ptr<Layer> make_li(const LayerContext& c) {
    LifSpec s = neuron_spec(c);
    s.fires = false;
    return std::make_unique<Lif>(c.in, s, c.options.surrogate);
}

}  // namespace loom::learn
