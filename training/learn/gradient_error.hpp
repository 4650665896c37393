// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/trainer.hpp"

namespace loom::learn {

/// What number formats did to the gradient of one parameter.
struct GradientError {
    std::string layer, parameter;
    double largest = 0;   ///< difference / largest element of the float32 gradient
    double relative = 0;  ///< Euclidean length of the difference / that of the float32 gradient
    double cosine = 1;    ///< of the angle between the two
};

/// Gradients of a minibatch with trainer.formats against float32 with the same (master) weights; rounded as
/// the optimiser gets them. No update. 0/0 counts as 0. Two passes.
std::vector<GradientError> gradient_error(Trainer& trainer, const Signal& input,
                                          std::span<const std::int64_t> labels);

}  // namespace loom::learn
