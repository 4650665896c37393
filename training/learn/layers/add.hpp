// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/layer.hpp"

namespace loom::learn {

/// Sum of its sources, which the network forms: SEW-ADD (spikes; values above 1 are possible) or a membrane
/// shortcut (currents). Several sources of any other layer are added too; this one gives the sum a name and a
/// count.
class Add final : public Layer {
  public:
    Add(const Shape& shape, std::size_t sources) : sources_(sources) { in = out = shape; }
    void forward(const Pass&, const Signal& in_signal, Signal& out_signal) override {
        out_signal = in_signal;
    }
    void backward(const Pass&, const Signal&, const Signal&, const Signal& grad_out,
                  Signal* grad_in) override;
    void describe(const Pass& pass, arch::ElementWork& work) const override;

  private:
    std::size_t sources_;
};

}  // namespace loom::learn
