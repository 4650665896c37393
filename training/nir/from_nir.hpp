// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "compiler/ir/nir_graph.hpp"
#include "compiler/profile.hpp"
#include "training/learn/network_spec.hpp"

namespace loom::compiler {

/// What of a NIR graph is trained.
enum class BiasRule {
    Auto,   ///< biases that are all zero stay so: NIR's Conv2d and Affine always have one
    Train,  ///< every bias of the file
};

/// A NIR graph as layers with its weights; layers have the nodes' names, sources come first. A CubaLIF
/// becomes an integrator `<name>.syn` and a neuron. Euler, exp and jump as in a run (docs/concepts/fixed-point.md).
/// Throws UnsupportedError for nodes that cannot be trained, naming them.
learn::NetworkSpec network_from_nir(const NirModel& model, const Profile& profile, BiasRule biases);

/// Throws ConfigError "profile.<key>: ..." for rules that training does not know.
void check_training_profile(const Profile& profile);

}  // namespace loom::compiler
