// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/norms/norm.hpp"

namespace loom::learn {

/// tdBN (Zheng et al., AAAI 2021): statistics over timesteps, samples and positions, scaled by alpha x
/// threshold of the neurons that follow (alpha 1; 1/sqrt(2) where branches join: from memory). Needs all
/// timesteps at once.
class TdBatchNorm final : public Norm {
  public:
    TdBatchNorm(const Shape& shape, float alpha, float threshold, const NormSpec& spec = {})
        : Norm(shape, spec, alpha * threshold) {}
    bool needs_all_timesteps() const override { return true; }

  private:
    std::size_t window(const Pass& pass) const override { return pass.steps; }
};

}  // namespace loom::learn
