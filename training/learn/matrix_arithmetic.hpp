// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "training/learn/signal.hpp"

namespace loom::learn {

struct Pass;

/// Codes of converters in training passes, and those beyond their range.
struct CodeCounts {
    std::uint64_t codes = 0, clipped = 0;
};

/// How a matrix multiplies where its products are not float32. One virtual call per layer and pass; biases
/// and weight gradients stay the layer's own.
class MatrixArithmetic {
  public:
    virtual ~MatrixArithmetic() = default;
    /// out += W in, for every timestep and sample. A constant input is read once.
    virtual void forward(const Pass& pass, const Signal& in, Signal& out) = 0;
    /// grad_in += W^T grad_out.
    virtual void backward(const Pass& pass, const Signal& grad_out, Signal& grad_in) = 0;
    /// The weights changed.
    virtual void updated() = 0;

    CodeCounts forward_codes, backward_codes;
};

}  // namespace loom::learn
