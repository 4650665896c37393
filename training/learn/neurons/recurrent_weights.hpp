// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/neurons/part.hpp"

namespace loom::learn {

/// SRNN: i[t] = x[t] + R s[t-1], R dense (parameter "recurrent", files [to][from]). Errors: z[t] += R^T
/// di[t+1]; dR = sum of di[t] s[t-1]^T, with presynaptic traces of s under OTTT.
class RecurrentWeights final : public NeuronPart {
  public:
    void attach(const Shape& shape, NeuronConstants& constants, std::vector<Parameter>& parameters) override;
    void begin(const Pass& pass, NeuronConstants& constants) override;
    void forward(const NeuronRow& row) override;
    void begin_backward(const Pass& pass) override;
    void spike_error(const NeuronErrorRow& row) override;
    void backward(const NeuronErrorRow& row) override;
    bool changes_currents() const override { return true; }
    const Recurrence* recurrence() const override { return &activity_; }
    std::size_t matrix_rows() const override { return n_; }

  private:
    Parameter& parameter() { return (*parameters_)[index_]; }
    std::size_t n_ = 0;
    std::vector<Parameter>* parameters_ = nullptr;
    std::size_t index_ = 0;
    bool traces_ = false;
    const NeuronConstants* constants_ = nullptr;
    Recurrence activity_;
    Signal last_trace_;              ///< one timestep long
    std::vector<float> transposed_;  ///< R [to][from]; own order is [from][to]
};

}  // namespace loom::learn
