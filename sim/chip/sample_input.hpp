// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "base/ids.hpp"

namespace loom::chip {

/// (input element, value), elements ascending, values not zero.
using InputValues = std::vector<std::pair<std::uint32_t, double>>;

/// What one sample presents to the input layer.
class SampleInput {
  public:
    virtual ~SampleInput() = default;
    /// Fills `out` with the values of algorithmic timestep `step`.
    virtual void values(Step step, InputValues& out) const = 0;
    /// Its number among all samples.
    virtual std::uint64_t number() const { return 0; }
    /// The same values in every step.
    virtual bool constant() const = 0;
};

}  // namespace loom::chip
