// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>

#include "app/train/train_setup.hpp"
#include "app/train/train_state.hpp"
#include "training/learn/signal_recorder.hpp"

namespace loom::app {

/// How long a training is.
struct TrainLength {
    std::uint64_t steps_per_epoch = 0, steps = 0;
    std::uint64_t batch = 0, samples = 0;
    bool drop_last = true;
};
TrainLength length_of(const TrainSpec& spec, const TrainData& data);

/// What happens after a step or an epoch.
struct TrainHooks {
    /// Signals and weights of this step are in the network; of algorithms that go timestep by timestep the
    /// signals are recorded (else null).
    std::function<void(std::uint64_t step, const learn::SignalRecorder* recorded)> dump;
    std::function<void()> checkpoint;  ///< state and trainer agree
    bool quiet = false;
};

/// Trains from state.step to the end; state grows step by step. Throws ModelError when a value is no longer
/// finite or the loss exceeds its limit, naming step, epoch and the layer where it began.
void run_training(Training& training, const TrainSpec& spec, TrainState& state, const TrainHooks& hooks);

/// Whether all trained values, and all membranes of the last pass, are finite.
bool all_finite(learn::Network& network);
/// "layer 'fc1': its output" where the first value that is not finite appeared, in the order of computation;
/// empty: all are finite. `labelled` network state is that of the last step.
std::string first_not_finite(learn::Network& network);

}  // namespace loom::app
