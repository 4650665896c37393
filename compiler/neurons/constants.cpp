// SPDX-License-Identifier: Apache-2.0
#include "compiler/neurons/constants.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "compiler/ir/node_rule.hpp"

namespace loom::compiler {
namespace {

constexpr double kAlmostNone = 0x1p-40;  ///< stands for no leak: tau is finite

Values parameter(const NirNode& node, std::string_view key, double fallback) {
    const auto it = node.arrays.find(std::string(key));
    return it == node.arrays.end() ? Values{fallback}
                                   : map_values([](double d) { return d; }, it->second.data);
}

double integrator_dt(const Profile& p) {
    return p.if_dt > 0 ? p.if_dt : p.dt_seconds();
}

void leaky(NeuronConstants& c, const NirNode& node, std::string_view tau, const Profile& p) {
    c.r = parameter(node, "r", 1.0);
    c.v_leak = parameter(node, "v_leak", 0.0);
    c.k = map_values([&](double t) { return p.dt_seconds() / t; }, parameter(node, tau, 1.0));
    c.a = map_values([](double k) { return std::exp(-k); }, c.k);
    const auto product = [](double x, double y) { return x * y; };
    if (p.method == "euler") {
        c.integration = arch::Integration::Euler;
        c.loss = c.k;
    } else {
        c.integration = p.method == "exp" ? arch::Integration::Exp : arch::Integration::Jump;
        c.loss = map_values([](double a) { return 1 - a; }, c.a);
    }
    const bool jump = c.integration == arch::Integration::Jump;  // the input is added as it is
    c.gain = jump ? c.r : map_values(product, c.loss, c.r);
    c.drift = jump ? Values{0.0} : map_values(product, c.loss, c.v_leak);
}

void integrator(NeuronConstants& c, const NirNode& node, const Profile& p) {
    c.integration = arch::Integration::Integrate;
    c.r = parameter(node, "r", 1.0);
    c.k = c.gain = map_values([&](double r) { return integrator_dt(p) * r; }, c.r);
    c.loss = {0.0};
}

void filter(NeuronConstants& c, const NirNode& node, const Profile& p) {
    c.ks = map_values([&](double tau) { return p.dt_seconds() / tau; }, parameter(node, "tau_syn", 1.0));
    c.w_in = parameter(node, "w_in", 1.0);
    c.weight_gain =
        map_values([](double gain, double ks, double w) { return gain * ks * w; }, c.gain, c.ks, c.w_in);
}

void adaptation(NeuronConstants& c, const NirNode& node) {
    c.adapt_decay = parameter(node, "adapt_decay", 0.0);
    c.adapt_jump = parameter(node, "adapt_jump", 0.0);
    c.adapt_strength = parameter(node, "adapt_strength", 0.0);
    for (const double d : c.adapt_decay) {
        if (!(d >= 0 && d <= 1))
            throw UnsupportedError(
                fmt::format("node '{}': adapt_decay is {}; it must be between 0 and 1", node.name, d));
    }
}

}  // namespace

NeuronConstants neuron_constants(const NirNode& node, const Profile& profile) {
    NeuronConstants c;
    const auto& form = node.rule->neuron;
    if (!form) return c;
    if (form->membrane == MembraneKind::Leaky) leaky(c, node, form->tau, profile);
    if (form->membrane == MembraneKind::Integrator) integrator(c, node, profile);
    c.weight_gain = c.gain;
    if (node.arrays.contains("tau_syn")) filter(c, node, profile);
    if (node.arrays.contains("adapt_decay")) adaptation(c, node);
    c.threshold = parameter(node, form->threshold, 1.0);
    c.v_reset = parameter(node, "v_reset", 0.0);
    return c;
}

LeakyParameters leaky_parameters(double leak, double gain, double drift, const Profile& p) {
    const bool euler = p.method == "euler", jump = p.method == "jump";
    const double share = std::max(1 - leak, kAlmostNone);
    return {euler ? p.dt_seconds() / share : p.dt_seconds() / -std::log(std::max(1 - share, 1e-300)),
            jump ? gain : gain / share, jump ? 0.0 : drift / share};
}

double integrator_r(double gain, const Profile& p) {
    return gain / integrator_dt(p);
}

FilterParameters filter_parameters(double decay, const Profile& p) {
    const double share = std::max(1 - decay, kAlmostNone);
    return {p.dt_seconds() / share, 1 / share};
}

}  // namespace loom::compiler
