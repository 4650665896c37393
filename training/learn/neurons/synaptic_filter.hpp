// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/neurons/part.hpp"

namespace loom::learn {

/// CUBA: the current decays too, i[t] = d i[t-1] + x[t]; dx[t] = di[t] + d dx[t+1].
class SynapticFilter final : public NeuronPart {
  public:
    explicit SynapticFilter(float decay) : decay_(decay) {}
    void begin(const Pass& pass, NeuronConstants& constants) override {
        if (pass.first == 0) current_.resize(1, pass.batch, constants.leak.size());
    }
    void forward(const NeuronRow& row) override {
        const auto i = current_.at(0, row.b);
        for (std::size_t k = 0; k < i.size(); ++k) row.current[k] = i[k] = decay_ * i[k] + row.current[k];
    }
    void begin_backward(const Pass& pass) override { error_.resize(1, pass.batch, current_.count()); }
    void backward(const NeuronErrorRow& row) override {
        const auto later = error_.at(0, row.b);
        for (std::size_t k = 0; k < later.size(); ++k) {
            if (row.joined) row.grad_current[k] += decay_ * later[k];
            later[k] = row.grad_current[k];
        }
    }
    bool changes_currents() const override { return true; }
    void describe(arch::NeuronWork& work) const override { work.filters_current = true; }
    std::optional<float> current_decay() const override { return decay_; }

  private:
    float decay_;
    Signal current_, error_;  ///< i of the timestep before, dx of the one after; one timestep long
};

}  // namespace loom::learn
