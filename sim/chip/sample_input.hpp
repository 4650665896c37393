// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "base/ids.hpp"
#include "base/sparse_vector.hpp"

namespace loom::chip {

/// What one sample presents to the input layer.
class SampleInput {
  public:
    virtual ~SampleInput() = default;
    /// Fills `out` with the values of algorithmic timestep `step` that are not zero.
    virtual void values(Step step, SparseVector& out) const = 0;
    /// Its number among all samples.
    virtual std::uint64_t number() const { return 0; }
    /// The same values in every step.
    virtual bool constant() const = 0;
};

}  // namespace loom::chip
