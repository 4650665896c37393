// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/neurons/lif.hpp"

namespace loom::learn {

/// DSR: integrate and fire with a soft reset forward; backward it is the clipped line between mean input and
/// mean output: 1/threshold where 0 < mean input < threshold, 0 elsewhere. No loop over time: every timestep
/// gets the mean error. Needs leak 1, a soft reset and spikes (ConfigError). Its mask is derivative(). The
/// paper sends `threshold` for a spike and trains the threshold; here a spike is 1 and the threshold stays.
class RateLif final : public Lif {
  public:
    RateLif(const Shape& shape, LifSpec spec);
    void forward(const Pass& pass, const Signal& in, Signal& out) override;
    void backward(const Pass& pass, const Signal& in, const Signal& out, const Signal& grad_out,
                  Signal* grad_in) override;
    void derivative(std::size_t t, std::size_t b, std::span<float> h) const override;
    bool needs_all_timesteps() const override { return true; }

  private:
    std::vector<float> slope_;  ///< [batch][neuron]
};

}  // namespace loom::learn
