// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "arch/core_catalogue.hpp"
#include "cores/kind.hpp"
#include "cores/neuron/catalogue.hpp"

namespace loom::cores {

/// Adds the kinds of cores that come with the program. models: what their neurons can be; outlives the kinds.
void add_builtin(arch::CoreKinds& kinds, const NeuronModels& models = builtin_neuron_models());

/// Builds a core of the image's kind. Throws ConfigError for unknown kinds.
std::unique_ptr<Core> make_core(const arch::ChipSpec& chip, std::shared_ptr<const arch::CoreImage> image,
                                const arch::Program& program, CoreContext context, CoreSchedule schedule);

}  // namespace loom::cores
