// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "compiler/passes/lowered_neurons.hpp"

namespace loom::compiler {
namespace {

using Values = std::vector<double>;

/// f(x[i], y[i], ...) with broadcasting of single values.
template <class F, class... V>
Values map(F f, const V&... v) {
    const std::size_t n = std::max({v.size()...});
    Values out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = f(v[v.size() == 1 ? 0 : i]...);
    if (std::all_of(out.begin(), out.end(), [&](double d) { return d == out[0]; })) out.resize(1);
    return out;
}

Values parameter(const NirNode& node, const char* key, double fallback) {
    const auto it = node.arrays.find(key);
    return it == node.arrays.end() ? Values{fallback} : map([](double d) { return d; }, it->second.data);
}

void integration(LoweredNeurons& n, const NirNode& node, const Profile& p, const char* tau_key) {
    using Method = arch::NeuronGroup::Method;
    n.k = map([&](double tau) { return p.dt_seconds() / tau; }, parameter(node, tau_key, 1.0));
    n.r = parameter(node, "r", 1.0);
    n.leak = parameter(node, "v_leak", 0.0);
    n.a = map([](double k) { return std::exp(-k); }, n.k);
    const auto once = [](double k, double r) { return k * r; };
    if (p.method == "euler") {
        n.method = Method::Euler;
        n.gain = map(once, n.k, n.r);
        n.loss_v = n.k;
        n.bias_v = map([](double k, double l) { return k * l; }, n.k, n.leak);
    } else if (p.method == "exp") {
        n.method = Method::Exp;
        n.gain = map([](double a, double r) { return (1 - a) * r; }, n.a, n.r);
        n.loss_v = map([](double a) { return 1 - a; }, n.a);
        n.bias_v = map([](double a, double l) { return (1 - a) * l; }, n.a, n.leak);
    } else {
        n.method = Method::Jump;
        n.gain = n.r;
        n.loss_v = map([](double a) { return 1 - a; }, n.a);
        n.bias_v = {0.0};
    }
}

}  // namespace

Values LoweredNeurons::normalised(const Values& values) const {
    return map([](double v, double g) { return v / g; }, values, gain);
}

double snap(double x) {
    int exponent = 0;
    const double m = std::frexp(x, &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(m, 40)), exponent - 40);
}

LoweredNeurons lower_neurons(const Graph& graph, const Population& population, const Profile& p) {
    using Method = arch::NeuronGroup::Method;
    const NirNode& node = graph.model->nodes[population.node];
    const std::string& type = node.type();
    LoweredNeurons n;
    n.k = n.a = n.leak = n.ks = n.bias_v = {0.0};
    n.r = n.w_in = n.gain = {1.0};
    n.loss_u = {0.0};
    n.loss_v = {0.0};
    n.bias = population.bias.empty() ? Values{0.0} : map([](double d) { return d; }, population.bias);
    n.rule.fires = type == "IF" || type == "LIF" || type == "CubaLIF" || type == "Threshold";
    n.rule.greater_equal = p.compare == ">=";
    n.rule.multispike = p.multispike;
    n.rule.reset_delay = p.reset_delay;
    n.rule.clamp = p.clamp;
    n.rule.reset = p.reset == "value"      ? arch::Reset::Value
                   : p.reset == "subtract" ? arch::Reset::Subtract
                                           : arch::Reset::SubtractSnn;
    n.rule.parallel = p.cuba == "par";
    if (type == "LIF" || type == "LI") {
        integration(n, node, p, "tau");
    } else if (type == "CubaLIF" || type == "CubaLI") {
        integration(n, node, p, "tau_mem");
        n.rule.has_current = true;
        n.ks = map([&](double tau) { return p.dt_seconds() / tau; }, parameter(node, "tau_syn", 1.0));
        n.w_in = parameter(node, "w_in", 1.0);
        n.loss_u = n.ks;
        n.gain = map([](double g, double ks, double w) { return g * ks * w; }, n.gain, n.ks, n.w_in);
    } else if (type == "IF" || type == "I") {
        n.method = Method::Integrate;
        const double dt = p.if_dt > 0 ? p.if_dt : p.dt_seconds();
        n.r = parameter(node, "r", 1.0);
        n.k = n.gain = map([&](double r) { return dt * r; }, n.r);
    } else {  // Threshold, and an Output fed by a linear map
        n.method = Method::Direct;
        n.loss_v = {1.0};
    }
    if (type == "Threshold") {
        n.threshold = parameter(node, "threshold", 1.0);
        n.v_reset = n.v_min = {0.0};
        n.rule = {};
    } else {
        n.threshold = parameter(node, "v_threshold", 1.0);
        n.v_reset = parameter(node, "v_reset", 0.0);
        n.v_min = {p.v_min};
    }
    for (const double g : n.gain) {
        if (!(g > 0) || !std::isfinite(g)) {
            throw UnsupportedError(
                fmt::format("node '{}': its input enters the membrane with factor {}; it must be positive",
                            node.name, g));
        }
    }
    n.bias_v = n.normalised(n.bias_v);
    n.bias_u = n.bias;
    if (!n.rule.has_current) {
        n.bias_u = map([](double u, double v) { return u + v; }, n.bias_u, n.bias_v);
        n.bias_v = {0.0};
    }
    return n;
}

}  // namespace loom::compiler
