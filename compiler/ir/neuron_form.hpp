// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string_view>

namespace loom::compiler {

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

    /// It depends on earlier timesteps, and has an output without any input too.
    bool integrates() const { return membrane != MembraneKind::None; }
};

}  // namespace loom::compiler
