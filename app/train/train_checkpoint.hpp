// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "app/train/train_state.hpp"
#include "base/config/located_yaml.hpp"
#include "training/learn/trainer.hpp"

namespace loom::app {

/// What a checkpoint belongs to: the configuration with contents in place of paths, without the length of
/// the training.
config::Node checkpoint_key(config::Node resolved, const std::string& fidelity);

/// checkpoint.h5: configuration, state, weights, optimiser state, statistics of norms. Atomic: a reader finds
/// the old or the new one. Throws IoError.
void save_checkpoint(const std::string& path, const config::Node& key, const TrainState& state,
                     learn::Trainer& trainer);

/// Puts a checkpoint into the trainer. Throws ConfigError "<key>: ..." when it was made with another
/// configuration, InputError when it is no sound checkpoint.
TrainState load_checkpoint(const std::string& path, const config::Node& key, learn::Trainer& trainer);

}  // namespace loom::app
