// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "app/train/train_data.hpp"
#include "app/train/train_spec.hpp"
#include "training/learn/pulse_update.hpp"
#include "training/learn/trainer.hpp"
#include "training/many_core/training_target.hpp"

namespace loom::app {

/// Everything that a training works with.
struct Training {
    std::unique_ptr<learn::CountedFormats> formats;  ///< null: float32
    std::unique_ptr<learn::Trainer> trainer;
    std::unique_ptr<TrainData> data;
    std::unique_ptr<training::TrainingTarget> target;  ///< the chip; null: none
    std::unique_ptr<training::StepExecutor> engine;    ///< null: functional
    learn::PulseUpdate* cells = nullptr;               ///< the optimiser of weights in cells, or null
};

/// Reads network, weights and data, builds the trainer. `cycle`: with the chip's engine. A functional
/// training sums in the order of the chip's engine, if there is a chip, so its weights are the same.
/// Throws ConfigError (with places), InputError, IoError, UnsupportedError.
Training set_up_training(const LoadedTrain& loaded, bool cycle);

}  // namespace loom::app
