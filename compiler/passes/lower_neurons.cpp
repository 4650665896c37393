// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "compiler/ir/node_rule.hpp"
#include "compiler/passes/lowered_neurons.hpp"

namespace loom::compiler {
namespace {

double same(double d) {
    return d;
}

bool feeds_itself(const Graph& graph, const Population& population) {
    return std::ranges::any_of(graph.projections, [&](const Projection& p) {
        return &graph.populations[p.source] == &population && &graph.populations[p.target] == &population;
    });
}

/// `recurrent`: or with a filtered current. Such neurons of snnTorch lose the input of the timestep in which
/// a late reset to zero acts.
arch::NeuronRule rule_of(const NeuronForm& form, const Profile& p, bool recurrent) {
    arch::NeuronRule rule;
    rule.fires = form.fires;
    if (form.fires && !form.integrates()) return rule;  // a comparison: no state, no reset
    rule.greater_equal = p.compare == ">=";
    rule.multispike = p.multispike;
    rule.reset_delay = p.reset_delay;
    rule.clamp = p.clamp;
    rule.reset = p.reset == "value"      ? arch::Reset::Value
                 : p.reset == "subtract" ? arch::Reset::Subtract
                 : p.reset == "none"     ? arch::Reset::None
                                         : arch::Reset::SubtractSnn;
    const bool late_zero = rule.reset_delay && rule.reset == arch::Reset::Value;
    rule.late_after = late_zero && (p.late_reset == "after" || (p.late_reset == "snntorch" && recurrent));
    rule.max_spikes = static_cast<std::uint32_t>(p.max_spikes);
    return rule;
}

/// Parameters that all models have: a membrane and how it fires.
void add_membrane(LoweredNeurons& n, const NeuronConstants& c, const Values& v_min, const Values& v_init) {
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
    if (v_init == Values{0.0}) return;
    n.real.push_back({"v_init", v_init});
    n.fixed.push_back({"v_init", IntegerForm::Membrane, n.normalised(v_init)});
}

/// Membranes before the first timestep.
Values start_of(const NirNode& node, const Profile& p) {
    const auto it = node.arrays.find(p.v_init);
    if (it != node.arrays.end()) return map_values(same, it->second.data);
    return {p.v_init == "v_reset" || p.v_init == "v_leak" ? 0.0 : std::stod(p.v_init)};
}

Values lower_bound(const NeuronConstants& c, const Profile& p) {
    if (p.v_min_unit == "value") return {p.v_min};
    return map_values([&](double threshold) { return p.v_min * threshold; }, c.threshold);
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

LoweredNeurons lower_neurons(const Graph& graph, const Population& population, const Profile& profile) {
    const NirNode& node = graph.model->nodes[population.node];
    const Profile p = profile.of(node.name);
    const NeuronForm form = node.rule->neuron.value_or(NeuronForm{.fires = false});  // none: a read-out
    const NeuronConstants c = neuron_constants(node, p);
    LoweredNeurons n;
    n.model = form.model;
    n.rule = rule_of(form, p, form.model == "cuba_lif" || feeds_itself(graph, population));
    n.integration = c.integration;
    n.synapse = c.synapse;
    n.threshold = c.threshold;
    n.gain = c.weight_gain;
    check_gain(n, node);
    n.bias = population.bias.empty() ? Values{0.0} : map_values(same, population.bias);
    n.bias_u = map_values([](double u, double v) { return u + v; }, n.bias, n.normalised(c.drift));
    const bool compares = form.fires && !form.integrates();
    add_membrane(n, c, compares ? Values{0.0} : lower_bound(c, p),
                 form.integrates() ? start_of(node, p) : Values{0.0});
    for (const Extra& extra : kExtras)
        if (extra.model == n.model) extra.add(n, c, p);
    if (form.add_own != nullptr) form.add_own(n, node, p);
    n.fixed.push_back({"bias", IntegerForm::Membrane, n.bias_u});
    return n;
}

}  // namespace loom::compiler
