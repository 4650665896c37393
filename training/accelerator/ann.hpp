// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/work/training_work.hpp"

namespace loom::training {

/// What stands for neurons: element-wise layers, or populations (NeuronWork::rectifier) for engines whose
/// cores hold populations.
enum class Rectifiers { Elements, Populations };

/// The same step of an ANN of the same shape: one pass instead of timesteps, values instead of spikes,
/// rectifiers instead of neurons (a comparison each way, counted as an addition), nothing zero. Recurrent
/// weights stay a matrix of the one pass.
arch::TrainingWork ann_of(const arch::TrainingWork& snn, Rectifiers rectifiers = Rectifiers::Elements);

}  // namespace loom::training
