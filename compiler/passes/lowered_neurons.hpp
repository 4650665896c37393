// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>
#include <vector>

#include "arch/neuron_group.hpp"
#include "compiler/ir/graph.hpp"
#include "compiler/neurons/constants.hpp"
#include "compiler/profile.hpp"

namespace loom::compiler {

/// How a real parameter becomes an integer of a core (docs/concepts/fixed-point.md).
enum class IntegerForm {
    Factor,     ///< the value is 1 - factor
    Membrane,   ///< rounded to membrane LSB
    Number,     ///< rounded to an integer, whatever the scale of the membrane
    Threshold,  ///< rounded to what a threshold may be, down for v > t and up for v >= t
};
struct FixedParameter {
    std::string_view name;
    IntegerForm form;
    Values values;  ///< factors: 1 - factor; others in normalised units
};
struct RealParameter {
    std::string_view name;
    Values values;
};

/// A population's neurons under a profile: the reference's own operands for float64, and the
/// normalised form for integers (docs/concepts/fixed-point.md), in which a weight enters the membrane with
/// factor one: membrane_network = gain * membrane_normalised. Each vector has 1 or count values.
struct LoweredNeurons {
    std::string_view model = "lif";
    arch::NeuronRule rule;
    arch::Integration integration = arch::Integration::Direct;
    arch::Synapse synapse = arch::Synapse::Euler;
    Values gain;                        ///< network units per normalised unit
    Values threshold;                   ///< in the network's units
    Values bias;                        ///< of the current
    Values bias_u;                      ///< normalised: with the leak's pull, where it can be part of it
    std::vector<RealParameter> real;    ///< what the model computes with in float64
    std::vector<FixedParameter> fixed;  ///< and in integers

    /// Values in the network's units divided by the gain.
    Values normalised(const Values& values) const;
};

/// Throws UnsupportedError for gains that are not positive.
LoweredNeurons lower_neurons(const Graph& graph, const Population& population, const Profile& profile);

/// x rounded to 40 significant bits: takes the rounding noise of tau and dt out of what is a round
/// number on paper, before it is rounded to an integer.
double snap(double x);

}  // namespace loom::compiler
