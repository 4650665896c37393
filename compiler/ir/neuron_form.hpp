// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string_view>

namespace loom::compiler {

struct NirNode;
struct Profile;
struct LoweredNeurons;

enum class MembraneKind : std::uint8_t {
    Leaky,       ///< tau, r, v_leak
    Integrator,  ///< r
    None,        ///< the value is the input
};

/// What a NIR node is as a population of neurons: the model of cores/neuron that computes it, and what its
/// membrane does until it fires.
struct NeuronForm {
    std::string_view model = "lif";
    MembraneKind membrane = MembraneKind::None;
    bool fires = true;  ///< false: the membrane is the output
    /// Keys of the node.
    std::string_view tau = "tau", threshold = "v_threshold";
    /// Adds the parameters that the model has and others have not (lowered_neurons.hpp); null: none. Models
    /// that training knows too say theirs in neuron_constants().
    void (*add_own)(LoweredNeurons& to, const NirNode& node, const Profile& profile) = nullptr;

    /// It depends on earlier timesteps, and has an output without any input too.
    bool integrates() const { return membrane != MembraneKind::None; }
};

}  // namespace loom::compiler
