// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"

#include "app/train/train_loop.hpp"
#include "training/many_core/training_target.hpp"

namespace loom::app {

/// Adds cycles, energy, phases, layers, memory and the epoch to stats.json.
void add_costs(Json& stats, const training::TrainingTarget& target,
               const training::StepExecutor& engine, const TrainLength& length);
/// Adds what ann_step() gave, and how the SNN's mean step stands to it.
void add_ann(Json& stats, const Json& ann);

}  // namespace loom::app
