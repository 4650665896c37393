// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/neurons/part.hpp"

namespace loom::learn {

/// PLIF: leak = sigmoid(a), one trained a per layer (parameter "leak"); da = leak (1 - leak) sum over g[t]
/// v[t-1], v: membranes after their reset. `scales_input`: the gain is 1 - leak and shares the gradient.
class LearnedLeak final : public NeuronPart {
  public:
    explicit LearnedLeak(bool scales_input) : scales_input_(scales_input) {}
    /// a starts at the leak that the population has (all neurons alike, between 0 and 1: ConfigError).
    void attach(const Shape& shape, NeuronConstants& constants, std::vector<Parameter>& parameters) override;
    void begin(const Pass& pass, NeuronConstants& constants) override;
    void begin_backward(const Pass&) override { sum_ = 0; }
    void backward(const NeuronErrorRow& row) override;
    void end_backward() override;
    bool wants_currents() const override { return scales_input_; }
    void describe(arch::NeuronWork& work) const override {
        work.learns_leak = true;
        work.scales_input = scales_input_;
    }

  private:
    Parameter& parameter() { return (*parameters_)[index_]; }
    bool scales_input_;
    std::vector<Parameter>* parameters_ = nullptr;
    std::size_t index_ = 0;
    float leak_ = 0;
    double sum_ = 0;
};

}  // namespace loom::learn
