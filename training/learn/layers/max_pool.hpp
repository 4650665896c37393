// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/layer.hpp"

namespace loom::learn {

/// Largest of every window (OR, for spikes); padding is never the largest, what is left over at the border is
/// dropped. The error goes to the first of the largest, as in torch.
class MaxPool final : public Layer {
  public:
    /// Every window has at least one input: padding is smaller than the window.
    MaxPool(const Shape& input, const arch::Window& window);
    void forward(const Pass& pass, const Signal& in, Signal& out) override;
    void backward(const Pass& pass, const Signal& in, const Signal& out, const Signal& grad_out,
                  Signal* grad_in) override;
    void describe(const Pass& pass, arch::ElementWork& work) const override;
    arch::BitSignal pass_wanted(const arch::BitSignal& below) const override;

  private:
    template <class F>
    void each(std::size_t output, F f) const;
    arch::Window window_;
    std::vector<std::uint32_t> chosen_;  ///< input of every output of the last pass
};

}  // namespace loom::learn
