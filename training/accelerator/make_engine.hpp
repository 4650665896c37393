// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "training/work/step_executor.hpp"
#include "training/work/training_chip.hpp"

namespace loom::training {

/// The engine of a training chip. Throws ConfigError for an unknown kind and for what a kind does not have.
std::unique_ptr<StepExecutor> make_engine(const arch::TrainingChip& chip);

}  // namespace loom::training
