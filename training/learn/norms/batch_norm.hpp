// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/norms/norm.hpp"

namespace loom::learn {

/// Batch normalisation at every timestep by itself: statistics over samples and positions of that timestep;
/// running statistics follow timestep by timestep. Works in passes of one timestep.
class BatchNorm final : public Norm {
  public:
    explicit BatchNorm(const Shape& shape, const NormSpec& spec = {}) : Norm(shape, spec, 1.0F) {}

  private:
    std::size_t window(const Pass&) const override { return 1; }
};

}  // namespace loom::learn
