// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>

#include "arch/lost.hpp"
#include "compiler/passes/lowered.hpp"
#include "compiler/passes/lowered_neurons.hpp"
#include "compiler/passes/quantise.hpp"

namespace loom::compiler {

/// What the weights of a projection lose as multiples of 2^-exponent.
arch::RoundingLoss weight_loss(const LoweredProjection& projection, int exponent);

/// What the parameters lose that a population's neurons compute with.
std::vector<std::pair<std::string, arch::RoundingLoss>> parameter_losses(const LoweredNeurons& neurons,
                                                                         const PopulationFormat& format,
                                                                         const arch::SomaSpec& soma);

}  // namespace loom::compiler
