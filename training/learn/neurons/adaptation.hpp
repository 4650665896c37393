// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/neurons/part.hpp"

namespace loom::learn {

struct AdaptationSpec {
    float decay = 0.995F;   ///< r, per timestep: exp(-dt/tau)
    float jump = 0.005F;    ///< q, of a spike
    float strength = 1.7F;  ///< beta, threshold per unit of adaptation
};

/// ALIF, the model of cores/neuron/alif.hpp: threshold[t] = threshold + beta A[t], A[t] = r A[t-1] + q s[t-1]
/// (LSNN has q = 1 - r). Errors also
/// go through A: dA[t] = r dA[t+1] - beta h[t] z[t], z[t] += q dA[t+1].
class Adaptation final : public NeuronPart {
  public:
    explicit Adaptation(const AdaptationSpec& spec) : spec_(spec) {}
    void begin(const Pass& pass, NeuronConstants& constants) override;
    void forward(const NeuronRow& row) override;
    void begin_backward(const Pass& pass) override;
    void spike_error(const NeuronErrorRow& row) override;
    void backward(const NeuronErrorRow& row) override;
    bool varies_threshold() const override { return true; }
    void describe(arch::NeuronWork& work) const override { work.adaptive = true; }
    const AdaptationSpec* adaptation() const override { return &spec_; }

  private:
    AdaptationSpec spec_;
    Signal level_;  ///< A of the last timestep, one timestep long
    Signal error_;  ///< dL/dA of the timestep after
};

}  // namespace loom::learn
