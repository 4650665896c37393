// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sim/arch/training_work.hpp"
#include "sim/learn/trainer.hpp"

namespace loom::learn {

/// What the last Trainer::step() or gradients() did, as work for an engine: which values were zero.
/// Element-wise work of a layer that is neither linear nor a neuron comes from Layer::element_work().
arch::TrainingWork collect_work(Trainer& trainer);

}  // namespace loom::learn
