// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "training/learn/layer.hpp"

namespace loom::learn {

/// What a matrix gave for an input that stays the same over the timesteps of a sample: computed at its first
/// timestep, in one pass over all timesteps or in passes of one (Pass::first).
class ConstantProduct {
  public:
    /// Fills row (t, b) of `out` if it is known.
    bool take(const Pass& pass, const Signal& in, std::size_t t, std::size_t b, Signal& out) const {
        if (!in.constant) return false;
        if (t > 0) {
            std::ranges::copy(out.at(0, b), out.at(t, b).begin());
            return true;
        }
        if (pass.first == 0 || product_.batch() != pass.batch) return false;
        std::ranges::copy(product_.at(0, b), out.at(0, b).begin());
        return true;
    }
    /// Keeps timestep 0 of `out`, as long as no pass of a sample has it.
    void keep(const Pass& pass, const Signal& in, const Signal& out) {
        if (!in.constant || pass.steps != 1 || (pass.first > 0 && product_.batch() == pass.batch)) return;
        product_.resize(1, pass.batch, out.count());
        std::ranges::copy(out.all(), product_.all().begin());
    }
    /// The weights have changed.
    void forget() { product_.resize(0, 0, 0); }

  private:
    Signal product_;  ///< of the sample's first timestep, before rounding
};

}  // namespace loom::learn
