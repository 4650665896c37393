// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sim/arch/training_work.hpp"

namespace loom::training {

/// The same step of an ANN of the same shape: one pass instead of timesteps, values instead of spikes,
/// rectifiers instead of neurons (a comparison each way, counted as an addition), nothing zero.
arch::TrainingWork ann_of(const arch::TrainingWork& snn);

}  // namespace loom::training
