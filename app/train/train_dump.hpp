// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "app/train/train_spec.hpp"
#include "training/learn/signal_recorder.hpp"

namespace loom::app {

/// Writes signals and weights of the last step as step<k>/<layer>/{spikes, membrane, grad_membrane}
/// [timesteps, batch, neurons] and {weight, grad_weight, bias, ...}, neurons in channel-first order, into a
/// file of its own. `recorded`: the step's signals, where the network has those of its last timestep; or
/// null. Atomic. Throws IoError.
void dump_step(const std::string& path, std::uint64_t step, const std::vector<Dump>& what,
               learn::Network& network, const learn::SignalRecorder* recorded);

/// One file with the contents of all.
void join_dumps(const std::vector<std::string>& parts, const std::string& path);

}  // namespace loom::app
