// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <vector>

#include "training/learn/trainer.hpp"
#include "training/work/training_work.hpp"

namespace loom::learn {

/// What the last Trainer::step() or gradients() did, as work for an engine: which values were zero.
/// After step() with a PulseUpdate, matrices have the cells and pulses of that update.
/// Element-wise work of a layer that is neither linear nor a neuron comes from Layer::describe(). For
/// schedules with one pass over all timesteps; the input signal of the step must still exist.
arch::TrainingWork collect_work(Trainer& trainer);

/// The same for every schedule: records while it exists, take() after each step(). Online schedules:
/// timesteps are joined, the constant input of a network counts as different at every timestep.
class WorkRecorder {
  public:
    /// needed: false: layers that no engine knows make take() return work without items, not an error.
    explicit WorkRecorder(Trainer& trainer, bool needed = true);
    ~WorkRecorder();
    WorkRecorder(const WorkRecorder&) = delete;
    WorkRecorder& operator=(const WorkRecorder&) = delete;
    arch::TrainingWork take();

  private:
    template <class F>
    bool known(F f);
    Trainer& trainer_;
    bool needed_, unknown_ = false;
    std::function<void(const Pass&)> before_;  ///< who listened before
    std::vector<arch::TrainingWork> passes_;
};

}  // namespace loom::learn
