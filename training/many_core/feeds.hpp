// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/many_core/placement.hpp"

namespace loom::training {

/// Finds what feeds what: populations, feeds, and who executes which element-wise layer. UnsupportedError as
/// place_training().
void find_feeds(const arch::NetworkLayout& work, Placement& placement);

/// Sets how many steps each population is behind; blocks and shared kernels are known.
void set_steps(const arch::NetworkLayout& work, Placement& placement);

}  // namespace loom::training
