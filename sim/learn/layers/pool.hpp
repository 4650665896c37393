// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sim/learn/layer.hpp"

namespace loom::learn {

/// Mean (or sum) over windows of `size` x `size` that do not overlap; what is left over at the border is
/// dropped.
class AveragePool final : public Layer {
  public:
    AveragePool(const Shape& input, std::size_t size, bool mean);
    void forward(const Pass& pass, const Signal& in, Signal& out) override;
    void backward(const Pass& pass, const Signal& in, const Signal& out, const Signal& grad_out,
                  Signal* grad_in) override;
    void describe(const Pass& pass, arch::ElementWork& work) const override;
    /// Any of the window.
    arch::BitSignal pass_wanted(const arch::BitSignal& below) const override;
    std::size_t size() const { return size_; }
    bool mean() const { return factor_ != 1.0F || size_ == 1; }

  private:
    template <class F>
    void each(F f) const;
    std::size_t size_;
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
