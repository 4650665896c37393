// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "training/estimate/sata_model.hpp"
#include "training/work/training_work.hpp"

namespace loom::app {

struct MeasuredLayers {
    std::vector<train_estimate::LayerShape> layers;
    std::vector<train_estimate::Densities> activity;
};

/// Shapes of an executed step's matrices, in their order, and the densities they met, for
/// train_estimate_json(). `derivative` of a layer is that of the inputs of the next matrix whose error is of
/// use (behind pooling: of windows).
MeasuredLayers measured_layers(const arch::TrainingWork& work);

}  // namespace loom::app
