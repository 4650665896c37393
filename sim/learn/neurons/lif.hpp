// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sim/learn/layer.hpp"
#include "sim/learn/surrogate.hpp"

namespace loom::learn {

enum class Reset {
    Value,              ///< hard: the membrane becomes `reset`
    Subtract,           ///< soft: u = leak (u - threshold s) + i
    SubtractAfterLeak,  ///< soft: u = leak u - threshold s + i
};

/// One value for all neurons or one for each.
struct PerNeuron {
    std::vector<float> values{0.0F};
    float operator[](std::size_t i) const { return values.size() == 1 ? values[0] : values[i]; }
};

struct LifSpec {
    PerNeuron leak{{0.5F}};   ///< factor of the membrane per timestep; 1: integrate and fire
    PerNeuron gain{{1.0F}};   ///< factor of the input current
    PerNeuron drift{{0.0F}};  ///< added in every timestep
    PerNeuron threshold{{1.0F}};
    PerNeuron reset_value{{0.0F}};
    Reset reset = Reset::Value;
    bool at_threshold = true;  ///< fires when u >= threshold (false: >)
    bool fires = true;         ///< false: a leaky integrator, its membrane is the output
};

/// u[t] = leak * (u after reset) + gain * i[t] + drift; s[t] = [u[t] - threshold >= 0]; equations of the
/// reference, section 4.
class Lif final : public NeuronLayer {
  public:
    Lif(const Shape& shape, LifSpec spec, std::shared_ptr<const Surrogate> surrogate);
    void forward(const Pass& pass, const Signal& in, Signal& out) override;
    void backward(const Pass& pass, const Signal& in, const Signal& out, const Signal& grad_out,
                  Signal* grad_in) override;

    const LifSpec& spec() const { return spec_; }
    const Surrogate& surrogate() const { return *surrogate_; }
    const Signal& membranes() const override { return u_; }
    const Signal& membrane_gradients() const override { return g_; }
    void derivative(std::size_t t, std::size_t b, std::span<float> h) const override;
    void describe_neurons(arch::NeuronWork& work) const override;

  private:
    LifSpec spec_;
    std::shared_ptr<const Surrogate> surrogate_;
    Signal u_, g_;
    std::vector<float> last_u_, last_s_;  ///< [batch][neuron], from pass to pass
    mutable std::vector<float> x_;
};

}  // namespace loom::learn
