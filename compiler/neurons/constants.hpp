// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <vector>

#include "arch/neuron_group.hpp"
#include "compiler/ir/nir_graph.hpp"
#include "compiler/profile.hpp"

namespace loom::compiler {

/// One value for all neurons of a node, or one for each.
using Values = std::vector<double>;

/// f(x[i], y[i], ...) with broadcasting of single values; one value when all are equal.
template <class F, class... V>
Values map_values(F f, const V&... v) {
    Values out(std::max({v.size()...}));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = f(v[v.size() == 1 ? 0 : i]...);
    if (std::all_of(out.begin(), out.end(), [&](double d) { return d == out[0]; })) out.resize(1);
    return out;
}

/// A NIR node's neurons as a timestep computes them under a profile (docs/concepts/fixed-point.md), for
/// inference and training: u <- (1 - loss) u + gain I + drift, fires at `threshold`. In the network's units.
struct NeuronConstants {
    arch::Integration integration = arch::Integration::Direct;
    Values loss{1.0}, gain{1.0}, drift{0.0};
    /// What a weight adds to the membrane: the gain, times that of a filtered current.
    Values weight_gain{1.0};
    Values threshold{1.0}, v_reset{0.0};
    /// What float64 computes with (arch::Integration): k = dt / tau (integrators: dt r), a = exp(-k).
    Values k{0.0}, a{0.0}, r{1.0}, v_leak{0.0};
    /// A filtered current: what it loses in a timestep, what an input adds to it, and its float64 form.
    Values ks{0.0}, syn_gain{1.0}, w_in{1.0};
    arch::Synapse synapse = arch::Synapse::Euler;
    /// An adaptive threshold: A <- adapt_decay A + adapt_jump z, fires at threshold + adapt_strength A
    Values adapt_decay{0.0}, adapt_jump{0.0}, adapt_strength{0.0};
};

/// The constants of a neuron node; a node of another type is a read-out that shows its input. Throws
/// UnsupportedError for an adaptation that grows by itself, KeyError for a timestep that does not fit.
NeuronConstants neuron_constants(const NirNode& node, const Profile& profile);

/// The inverse for one neuron: parameters of a leaky node with these constants. No leak becomes a very long
/// tau.
struct LeakyParameters {
    double tau, r, v_leak;
};
LeakyParameters leaky_parameters(double leak, double gain, double drift, const Profile& profile);
/// The inverse for one neuron without leak: r of an integrator with this gain.
double integrator_r(double gain, const Profile& profile);
/// The inverse for a current of which `decay` is left after a timestep and which takes its input unscaled.
struct FilterParameters {
    double tau_syn, w_in;
};
FilterParameters filter_parameters(double decay, const Profile& profile);

}  // namespace loom::compiler
