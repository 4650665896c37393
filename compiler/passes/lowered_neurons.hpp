// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "arch/program.hpp"
#include "compiler/ir/graph.hpp"
#include "compiler/profile.hpp"

namespace loom::compiler {

/// A population's neuron under a profile: the reference's own operands for float64, and the
/// normalised form for integers (docs/fixed-point.md), in which a weight enters the membrane with
/// factor one: membrane_network = gain * membrane_normalised. Each vector has 1 or count values.
struct LoweredNeurons {
    arch::NeuronRule rule;
    arch::NeuronGroup::Method method = arch::NeuronGroup::Method::Euler;
    std::vector<double> k, a, leak, r, ks, w_in, bias;  ///< float64 operands
    std::vector<double> threshold, v_reset, v_min;      ///< in the network's units
    std::vector<double> gain;                           ///< network units per normalised unit
    std::vector<double> loss_v, loss_u;                 ///< 1 - decay factor per timestep
    std::vector<double> bias_u, bias_v;                 ///< normalised

    /// Values in the network's units divided by the gain.
    std::vector<double> normalised(const std::vector<double>& values) const;
};

/// Throws UnsupportedError for gains that are not positive.
LoweredNeurons lower_neurons(const Graph& graph, const Population& population, const Profile& profile);

/// x rounded to 40 significant bits: takes the rounding noise of tau and dt out of what is a round
/// number on paper, before it is rounded to an integer.
double snap(double x);

}  // namespace loom::compiler
