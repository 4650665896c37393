// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "compiler/ir/node_rule.hpp"
#include "compiler/passes/lowered_neurons.hpp"

namespace loom::compiler {
namespace {

double same(double d) {
    return d;
}

arch::NeuronRule rule_of(const NeuronForm& form, const Profile& p) {
    arch::NeuronRule rule;
    rule.fires = form.fires;
    if (form.fires && !form.integrates()) return rule;  // a comparison: no state, no reset
    rule.greater_equal = p.compare == ">=";
    rule.multispike = p.multispike;
    rule.reset_delay = p.reset_delay;
    rule.clamp = p.clamp;
    rule.reset = p.reset == "value"      ? arch::Reset::Value
                 : p.reset == "subtract" ? arch::Reset::Subtract
                                         : arch::Reset::SubtractSnn;
    // the reference subtracts a late reset from an integrator, whatever the kind of reset
    const bool late = p.reset_delay && form.membrane == MembraneKind::Integrator;
    if (late && rule.reset == arch::Reset::Value) rule.reset = arch::Reset::Subtract;
    return rule;
}

/// Parameters that all models have: a membrane and how it fires.
void add_membrane(LoweredNeurons& n, const NeuronConstants& c, const Values& v_min) {
    n.real = {{"k", c.k},
              {"a", c.a},
              {"leak", c.v_leak},
              {"r", c.r},
              {"bias", n.bias},
              {"threshold", c.threshold},
              {"v_reset", c.v_reset},
              {"v_min", v_min}};
    n.fixed = {{"decay_v", IntegerForm::Factor, c.loss},
               {"threshold", IntegerForm::Threshold, n.normalised(c.threshold)},
               {"v_reset", IntegerForm::Membrane, n.normalised(c.v_reset)},
               {"v_min", IntegerForm::Membrane, n.normalised(v_min)}};
}

/// The current is a state: the leak's pull on the membrane cannot be part of the current's bias.
void add_filter(LoweredNeurons& n, const NeuronConstants& c, const Profile& p) {
    n.rule.parallel = p.cuba == "par";
    n.bias_u = n.bias;
    n.real.push_back({"ks", c.ks});
    n.real.push_back({"w_in", c.w_in});
    n.fixed.push_back({"decay_u", IntegerForm::Factor, c.ks});
    n.fixed.push_back({"bias_v", IntegerForm::Membrane, n.normalised(c.drift)});
}

/// Integers keep the rise of the threshold itself, in membrane LSB.
void add_adaptation(LoweredNeurons& n, const NeuronConstants& c, const Profile&) {
    n.real.push_back({"adapt_decay", c.adapt_decay});
    n.real.push_back({"adapt_jump", c.adapt_jump});
    n.real.push_back({"adapt_strength", c.adapt_strength});
    n.fixed.push_back(
        {"adapt_decay", IntegerForm::Factor, map_values([](double d) { return 1 - d; }, c.adapt_decay)});
    const Values rise =
        map_values([](double s, double jump) { return s * jump; }, c.adapt_strength, c.adapt_jump);
    n.fixed.push_back({"adapt_jump", IntegerForm::Membrane, n.normalised(rise)});
}

/// What models have besides a membrane; a line per model that has something.
struct Extra {
    std::string_view model;
    void (*add)(LoweredNeurons&, const NeuronConstants&, const Profile&);
};
constexpr Extra kExtras[] = {{"cuba_lif", add_filter}, {"alif", add_adaptation}};

void check_gain(const LoweredNeurons& n, const NirNode& node) {
    for (const double g : n.gain) {
        if (g > 0 && std::isfinite(g)) continue;
        throw UnsupportedError(fmt::format(
            "node '{}': its input enters the membrane with factor {}; it must be positive", node.name, g));
    }
}

}  // namespace

Values LoweredNeurons::normalised(const Values& values) const {
    return map_values([](double v, double g) { return v / g; }, values, gain);
}

double snap(double x) {
    int exponent = 0;
    const double m = std::frexp(x, &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(m, 40)), exponent - 40);
}

LoweredNeurons lower_neurons(const Graph& graph, const Population& population, const Profile& p) {
    const NirNode& node = graph.model->nodes[population.node];
    const NeuronForm form = node.rule->neuron.value_or(NeuronForm{.fires = false});  // none: a read-out
    const NeuronConstants c = neuron_constants(node, p);
    LoweredNeurons n;
    n.model = form.model;
    n.rule = rule_of(form, p);
    n.integration = c.integration;
    n.threshold = c.threshold;
    n.gain = c.weight_gain;
    check_gain(n, node);
    n.bias = population.bias.empty() ? Values{0.0} : map_values(same, population.bias);
    n.bias_u = map_values([](double u, double v) { return u + v; }, n.bias, n.normalised(c.drift));
    const bool compares = form.fires && !form.integrates();
    add_membrane(n, c, compares ? Values{0.0} : Values{p.v_min});
    for (const Extra& extra : kExtras)
        if (extra.model == n.model) extra.add(n, c, p);
    if (form.add_own != nullptr) form.add_own(n, node, p);
    n.fixed.push_back({"bias", IntegerForm::Membrane, n.bias_u});
    return n;
}

}  // namespace loom::compiler
