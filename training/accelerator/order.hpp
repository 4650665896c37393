// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "training/accelerator/segment.hpp"
#include "training/accelerator/setup.hpp"

namespace loom::training {

/// Units: one for all phases, or one each for forward, backward and weights.
enum class UnitPlan : std::uint8_t { One, Three };

/// The segments of one step in the order in which their data come to be, samples in blocks of `block`; with
/// three units the forward pass of a block stands beside the backward pass of the block before. Tokens
/// between units are set. Returns their number in `tokens`.
std::vector<Segment> order_segments(const Setup& setup, UnitPlan units, std::size_t block,
                                    std::size_t& tokens);

}  // namespace loom::training
