// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"
#include <string>

#include "app/train/train_loop.hpp"
#include "app/train/train_spec.hpp"
#include "app/train/train_state.hpp"

namespace loom::app {

/// All figures of a training as one JSON object; the same training gives the same bytes.
Json train_stats(const TrainSpec& spec, Training& training, const TrainState& state,
                                   const TrainLength& length);
/// The step of an ANN of this shape on this chip, weights in place: cycles and energy, in all
/// and by phase; or `does_not_fit`: what it needs, and what the chip has.
Json ann_step(const training::TrainingTarget& target, const arch::TrainingWork& work);
/// Bits in use in every buffer over the last step: buffer,cycle,bits.
std::string memory_csv(const training::EngineRecord& record);
/// The figures for people: accuracy, phases, layers.
std::string train_summary(const Json& stats);
/// step,epoch,samples,loss,accuracy,cycles: a row per step.
std::string steps_csv(const TrainState& state);
/// epoch,steps,loss,accuracy,test_loss,test_accuracy: a row per epoch.
std::string epochs_csv(const TrainState& state);

}  // namespace loom::app
