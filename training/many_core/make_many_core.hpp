// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "training/many_core/many_core_engine.hpp"

namespace loom::training {

/// Engines for chips of many cores on a network. All throw ConfigError for chips that cannot train.
std::unique_ptr<ManyCoreEngine> make_near_memory_training_engine(const arch::ChipSpec& chip,
                                                                 const arch::SparsityRules& sparsity);
/// Arrays that train in place; the optimiser must be a learn::PulseUpdate of the chip's cells.
std::unique_ptr<ManyCoreEngine> make_cim_training_engine(const arch::ChipSpec& chip,
                                                         const arch::SparsityRules& sparsity);
/// By the kind of the cores.
std::unique_ptr<ManyCoreEngine> make_many_core_training_engine(const arch::ChipSpec& chip,
                                                               const arch::SparsityRules& sparsity);

}  // namespace loom::training
