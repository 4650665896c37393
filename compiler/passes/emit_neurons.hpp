// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "arch/chip_spec.hpp"
#include "arch/neuron_group.hpp"
#include "compiler/passes/lowered_neurons.hpp"
#include "compiler/passes/quantise.hpp"
#include "compiler/passes/slices.hpp"

namespace loom::compiler {

/// The neurons of a slice as its core holds them: integers of the population's format for a fixed-point soma,
/// real values for a float64 one. start_step: the layer's chip timestep 0.
arch::NeuronGroup emit_neurons(const Slice& slice, const LoweredNeurons& neurons,
                               const PopulationFormat& format, const arch::SomaSpec& soma,
                               std::uint32_t start_step);

}  // namespace loom::compiler
