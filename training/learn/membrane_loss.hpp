// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/loss.hpp"

namespace loom::learn {

/// Loss on the membranes of one population (before reset, all timesteps and samples of the pass).
class MembraneLoss {
  public:
    virtual ~MembraneLoss() = default;
    /// Adds factor * dL/du to `grad`; thresholds by neuron. Returns the loss without the factor.
    virtual double evaluate(const Signal& u, std::span<const float> thresholds, double factor,
                            Signal& grad) const = 0;
};

/// nullptr when there is no such kind.
std::unique_ptr<MembraneLoss> make_membrane_loss(std::string_view kind);
std::vector<std::string> membrane_loss_kinds();

/// main + weight * mean over populations that fire.
std::unique_ptr<Loss> with_membrane_loss(std::unique_ptr<Loss> main, std::unique_ptr<MembraneLoss> hidden,
                                         double weight);

}  // namespace loom::learn
