// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/layer.hpp"

namespace loom::learn {

/// Mean (or sum) over windows. Zeros around the map count in the mean, as in torch; what is left over at the
/// border is dropped.
class AveragePool final : public Layer {
  public:
    /// Every window has at least one input: padding is smaller than the window.
    AveragePool(const Shape& input, const arch::Window& window, bool mean);
    void forward(const Pass& pass, const Signal& in, Signal& out) override;
    void backward(const Pass& pass, const Signal& in, const Signal& out, const Signal& grad_out,
                  Signal* grad_in) override;
    void describe(const Pass& pass, arch::ElementWork& work) const override;
    /// Any of the window.
    arch::BitSignal pass_wanted(const arch::BitSignal& below) const override;
    const arch::Window& window() const { return window_; }
    bool mean() const { return mean_; }

  private:
    /// First channel of an input pixel and of an output pixel that has it.
    struct Pair {
        std::uint32_t from, to;
    };
    arch::Window window_;
    std::vector<Pair> pairs_;  ///< by outputs, inputs of an output by rows
    bool mean_;
    float factor_;
};

/// [row][column][channel] to a vector in channel-first order, as dense weights in files expect.
class Flatten final : public Layer {
  public:
    explicit Flatten(const Shape& input);
    void forward(const Pass& pass, const Signal& in, Signal& out) override;
    void backward(const Pass& pass, const Signal& in, const Signal& out, const Signal& grad_out,
                  Signal* grad_in) override;
    void describe(const Pass& pass, arch::ElementWork& work) const override;
    arch::BitSignal pass_wanted(const arch::BitSignal& below) const override;
};

}  // namespace loom::learn
