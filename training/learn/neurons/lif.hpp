// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/learn/neurons/part.hpp"
#include "training/learn/surrogate.hpp"

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
/// reference, section 4. Parts add adaptation, filters, recurrent weights, trained constants. The reset
/// subtracts the threshold at rest.
class Lif : public NeuronLayer {
  public:
    Lif(const Shape& shape, LifSpec spec, std::shared_ptr<const Surrogate> surrogate);
    Lif(const Lif&) = delete;
    Lif& operator=(const Lif&) = delete;
    /// Parts that need spikes are refused by a population that does not fire (InternalError).
    void add(std::unique_ptr<NeuronPart> part);

    void forward(const Pass& pass, const Signal& in, Signal& out) override;
    void backward(const Pass& pass, const Signal& in, const Signal& out, const Signal& grad_out,
                  Signal* grad_in) override;
    void no_errors(const Pass& pass) override { g_.resize(pass.steps, pass.batch, out.count()); }
    std::span<Parameter> parameters() override { return parameters_; }
    std::vector<float> exported(std::size_t p, bool gradient) override;
    void import(std::size_t p, std::span<const float> values) override;
    std::vector<std::size_t> file_shape(std::size_t p) override;

    const LifSpec& spec() const { return spec_; }
    const Surrogate& surrogate() const { return *active_; }
    /// As the last pass had them (trained leaks).
    const NeuronConstants& constants() const { return constants_; }
    const Signal& membranes() const override { return u_; }
    const Signal& membrane_gradients() const override { return g_; }
    void derivative(std::size_t t, std::size_t b, std::span<float> h) const override;
    void describe_neurons(arch::NeuronWork& work) const override;
    bool fires() const override { return spec_.fires; }
    /// Of a part, if one has it.
    std::optional<float> current_decay() const;
    const AdaptationSpec* adaptation() const;
    std::span<const float> thresholds() const override { return constants_.threshold; }
    std::span<const float> leaks() const override { return constants_.leak; }
    const Recurrence* recurrence() const override;

  protected:
    Signal g_;  ///< dL/du

  private:
    struct Scratch;
    std::span<const float> membrane_before(std::size_t t, std::size_t b) const;
    std::span<const float> spikes_before(const Signal& spikes, std::size_t t, std::size_t b) const;
    void start(const Pass& pass);
    void finish(const Pass& pass, const Signal& out);
    void update_membranes(std::span<const float> before, std::span<const float> spikes,
                          std::span<const float> current, std::span<float> u) const;
    void fire(std::span<const float> u, std::span<const float> threshold, std::span<float> s) const;
    void above_threshold(std::size_t t, std::size_t b, std::span<float> x) const;
    void reset_error(std::span<const float> u, std::span<const float> later, std::span<float> z) const;
    void membrane_error(const NeuronErrorRow& row, std::span<const float> s, std::span<const float> later,
                        std::span<float> g) const;
    void after_reset(std::size_t t, std::size_t b, std::span<const float> s, std::span<float> v) const;
    void backward_row(const Pass& pass, NeuronErrorRow& row, const Signal& out, Scratch& scratch);

    LifSpec spec_;
    std::shared_ptr<const Surrogate> surrogate_;
    const Surrogate* active_;  ///< surrogate_ or a part's
    NeuronConstants constants_;
    std::vector<std::unique_ptr<NeuronPart>> parts_;
    std::vector<Parameter> parameters_;
    std::vector<std::size_t> matrix_rows_;  ///< by parameter; 0: no matrix
    bool records_currents_ = false, records_thresholds_ = false;
    double progress_ = 0;
    Signal u_, currents_, thresholds_;
    std::vector<float> first_u_, first_s_, last_u_, last_s_;  ///< [batch][neuron] before, after the pass
    mutable std::vector<float> x_;
};

}  // namespace loom::learn
