// SPDX-License-Identifier: Apache-2.0
#include "compiler/neurons/constants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/key_error.hpp"
#include "compiler/ir/node_rule.hpp"
#include "compiler/ir/times.hpp"

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

double to_float32(double d) {
    return static_cast<double>(static_cast<float>(d));
}

/// The timestep that a framework divided by: in float32 when its file has the time constants so.
double dt_for(const Values& taus, const Profile& p) {
    const double dt = p.dt_seconds();
    const bool single = std::ranges::all_of(taus, [](double tau) { return to_float32(tau) == tau; });
    return p.float32 && single ? to_float32(dt) : dt;
}

/// Of a membrane or current that never decays nothing is lost, and what enters it is not scaled: its file has
/// an infinite factor, too.
double entering(double share, double factor) {
    return std::isinf(factor) ? 1.0 : share * factor;
}

/// A gain as the framework has it: 1 up to the rounding of the file's float32, else in float32.
double framework_gain(double gain) {
    return std::abs(gain - 1) < 1e-6 ? 1.0 : to_float32(gain);
}

/// dt / tau of `key`. Throws KeyError when a step of Euler's would take more than there is.
Values shares(const NirNode& node, std::string_view key, const Values& taus, double dt, bool euler,
              const char* mend) {
    constexpr double rounding = 1e-6;
    for (const double tau : taus) {
        if (!euler || dt <= tau * (1 + rounding)) continue;
        throw KeyError("profile.dt", fmt::format("is {}, and {} of node '{}' is {}: a step would take dt / "
                                                 "{} = {:.4g} times what there is; the longest timestep that "
                                                 "fits it is {}{}",
                                                 seconds_text(dt), key, node.name, seconds_text(tau), key,
                                                 dt / tau, seconds_text(tau), mend));
    }
    return map_values([&](double tau) { return dt / tau; }, taus);
}

Values products(const Values& a, const Values& b) {
    return map_values([](double x, double y) { return x * y; }, a, b);
}

Values complements(const Values& a) {
    return map_values([](double x) { return 1 - x; }, a);
}

bool any_infinite(const Values& v) {
    return std::ranges::any_of(v, [](double d) { return std::isinf(d); });
}

/// A factor is infinite exactly where its time constant is.
void check_infinite(const NirNode& node, std::string_view tau, const Values& taus, const char* factor,
                    const Values& factors) {
    map_values(
        [&](double t, double f) {
            if (!std::isinf(f) || std::isinf(t)) return 0.0;
            throw UnsupportedError(
                fmt::format("node '{}': {} is infinite where {} is {}; it must be finite, or both infinite "
                            "for a neuron that never decays",
                            node.name, factor, tau, seconds_text(t)));
        },
        taus, factors);
}

/// A membrane whose factors are those of its update: v <- a v + (gain I + drift).
void multiplied_out(NeuronConstants& c) {
    c.integration = arch::Integration::Decay;
    c.a = complements(c.loss);
    c.r = c.gain;
    c.v_leak = c.drift;
}

void leaky(NeuronConstants& c, const NirNode& node, std::string_view tau, const Profile& p) {
    c.r = parameter(node, "r", 1.0);
    c.v_leak = parameter(node, "v_leak", 0.0);
    const Values taus = parameter(node, tau, 1.0);
    const bool euler = p.method == "euler", rockpool = p.method == "rockpool", jump = p.method == "jump";
    check_infinite(node, tau, taus, "r", c.r);
    c.k = shares(node, tau, taus, dt_for(taus, p), euler, ", or use method exp");
    c.a = map_values([](double k) { return std::exp(-k); }, c.k);
    if (euler) {
        c.integration = arch::Integration::Euler;
        c.loss = c.k;
    } else {
        c.integration = p.method == "exp" ? arch::Integration::Exp : arch::Integration::Jump;
        c.loss = complements(c.a);
    }
    // under jump the input is added as it is
    c.gain = map_values(entering, jump ? Values{1.0} : rockpool ? c.k : c.loss, c.r);
    c.drift = jump ? Values{0.0} : products(c.loss, c.v_leak);
    // Rockpool's r takes off the step that its synapse has decayed before
    if (rockpool && node.arrays.contains("tau_syn"))
        c.gain = map_values([](double gain, double a) { return gain / a; }, c.gain, c.a);
    if (p.float32) {
        c.loss = map_values([](double loss) { return 1 - to_float32(1 - loss); }, c.loss);
        c.gain = map_values(framework_gain, c.gain);
    }
    if (rockpool || p.float32 || any_infinite(c.r)) multiplied_out(c);
}

void integrator(NeuronConstants& c, const NirNode& node, const Profile& p) {
    c.integration = arch::Integration::Integrate;
    c.r = parameter(node, "r", 1.0);
    c.k = c.gain = map_values([&](double r) { return integrator_dt(p) * r; }, c.r);
    c.loss = {0.0};
}

/// What an input adds to a current that takes it as it is, whatever the file's w_in. Norse writes 1; others
/// write tau_syn / dt for it.
double unscaled(const NirNode& node, double share, double w_in) {
    if (w_in == 1.0 || std::abs(entering(share, w_in) - 1) < 1e-5) return 1.0;
    throw UnsupportedError(fmt::format(
        "node '{}': w_in is {}; under profile.synapse: jump it must be 1 or tau_syn / dt (here {:.6g})",
        node.name, w_in, 1 / share));
}

void filter(NeuronConstants& c, const NirNode& node, const Profile& p) {
    const Values taus = parameter(node, "tau_syn", 1.0);
    const bool rockpool = p.method == "rockpool", jump = p.synapse == "jump";
    c.ks = shares(node, "tau_syn", taus, dt_for(taus, p), !rockpool, "");
    c.w_in = parameter(node, "w_in", 1.0);
    check_infinite(node, "tau_syn", taus, "w_in", c.w_in);
    if (rockpool) {  // i <- a (i + w_in I)
        const Values a = map_values([](double k) { return std::exp(-k); }, c.ks);
        c.ks = complements(a);
        c.syn_gain = products(a, c.w_in);
    } else if (jump) {
        c.syn_gain = map_values([&](double ks, double w) { return unscaled(node, ks, w); }, c.ks, c.w_in);
    } else {
        c.syn_gain = map_values(entering, c.ks, c.w_in);
    }
    if (p.float32) {
        c.ks = map_values([](double ks) { return 1 - to_float32(1 - ks); }, c.ks);
        c.syn_gain = map_values(framework_gain, c.syn_gain);
    }
    if (rockpool || jump || p.float32 || any_infinite(c.w_in)) {
        c.synapse = arch::Synapse::Jump;
        c.w_in = c.syn_gain;
        c.weight_gain = products(c.gain, c.syn_gain);
    } else {
        c.weight_gain = map_values([](double gain, double ks, double w) { return gain * ks * w; }, c.gain,
                                   c.ks, c.w_in);
    }
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
