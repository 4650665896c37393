// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "training/work/training_work.hpp"
#include "training/learn/matrix_arithmetic.hpp"
#include "training/learn/number_format.hpp"
#include "training/learn/signal.hpp"

namespace loom::learn {

/// Trained values and their gradient, in the layer's own order.
struct Parameter {
    std::string name;  ///< "weight", "bias", "gamma", ...
    std::vector<float> value, grad;
    std::vector<float> stored = {};  ///< value in its number format (Formats, master weights); else empty
    /// What layers compute with.
    const std::vector<float>& used() const { return stored.empty() ? value : stored; }
};

/// How errors go through time; set by the algorithm.
struct TimeRules {
    bool temporal = true;      ///< g[t] depends on g[t+1] (BPTT); false: OTTT, SLTT
    bool detach_reset = true;  ///< no gradient through the reset
    bool traces = false;       ///< weight gradients use presynaptic traces (OTTT)
    std::size_t truncate = 0;  ///< the error chain is cut every so many timesteps; 0: never
    /// Whether g[t + 1] reaches g[t]; `t` counts from the start of the sample.
    bool joined(std::size_t t) const { return temporal && (truncate == 0 || (t + 1) % truncate != 0); }
};

/// One pass over timesteps first ... first + steps - 1 of a minibatch. Layers keep the state between passes
/// of a sample; `first` = 0 starts anew.
struct Pass {
    std::size_t first = 0, steps = 0, batch = 0;
    std::uint64_t first_sample = 0;  ///< number of the minibatch's first sample; keys noise
    bool training = true;
    std::uint64_t iteration = 0;  ///< of the optimiser; keys stochastic rounding
    double progress = 0;          ///< share of the training done; surrogates that evolve follow it
    TimeRules rules;
    /// So many neighbouring inputs are summed first and then added (engines with tables of partial sums).
    std::size_t sum_group = 1;
    const Formats* formats = nullptr;  ///< null: float32 throughout
};

/// A node of the trained network: signals in, signals out, gradients back. One virtual call per layer and
/// pass.
class Layer {
  public:
    virtual ~Layer() = default;
    virtual void forward(const Pass& pass, const Signal& in, Signal& out) = 0;
    /// in, out: as forward had them. grad_out: dL/d out. dL/d in is added to grad_in (null: nobody needs it),
    /// parameter gradients to Parameter::grad.
    virtual void backward(const Pass& pass, const Signal& in, const Signal& out, const Signal& grad_out,
                          Signal* grad_in) = 0;
    /// In place of backward() where there is no error: recorded gradients of signals are zero.
    virtual void no_errors(const Pass&) {}
    virtual std::span<Parameter> parameters() { return {}; }
    /// Called after parameters changed (derived copies are renewed).
    virtual void updated() {}
    /// Parameter p as files have it ([out][in], [out channel][in channel][row][column], [element] channel
    /// first).
    virtual std::vector<float> exported(std::size_t p, bool gradient) {
        return gradient ? parameters()[p].grad : parameters()[p].value;
    }
    /// Axes of exported(p, ...).
    virtual std::vector<std::size_t> file_shape(std::size_t p) { return {parameters()[p].value.size()}; }
    /// Inverse of exported(p, false).
    virtual void import(std::size_t p, std::span<const float> values) {
        parameters()[p].value.assign(values.begin(), values.end());
        updated();
    }
    /// State beyond parameters that a checkpoint must hold (running statistics of a norm).
    virtual std::vector<std::span<float>> buffers() { return {}; }
    /// Operations of a layer that is neither a LinearLayer nor a NeuronLayer, of the whole pass.
    virtual void describe(const Pass&, arch::ElementWork&) const {}
    /// Which inputs' errors are of use, when `below` says it of the elements that feed this layer: what it
    /// means for the layer's outputs. Same elements unless the layer moves them.
    virtual arch::BitSignal pass_wanted(const arch::BitSignal& below) const { return below; }
    /// Its outputs are stored as currents (Role::Current) rather than spikes.
    virtual bool makes_currents() const { return false; }
    /// Cannot work in passes of one timestep (statistics over time).
    virtual bool needs_all_timesteps() const { return false; }

    std::string name;
    std::uint32_t index = 0;  ///< in its network
    Shape in, out;
};

/// A matrix: dense, convolution.
class LinearLayer : public Layer {
  public:
    virtual arch::LinearShape linear_shape() const = 0;
    virtual bool has_bias() const = 0;
    bool makes_currents() const override { return true; }
    /// Overridden, to be called as well.
    void updated() override {
        if (arithmetic) arithmetic->updated();
    }
    /// Presynaptic traces of the last backward pass (TimeRules::traces).
    const Signal& trace() const { return trace_; }
    float trace_leak = 0;  ///< of the traces: the leak of the neurons that it feeds
    /// Products with the matrix, forward and backward; null: float32.
    std::unique_ptr<MatrixArithmetic> arithmetic;

  protected:
    Signal trace_;
};

/// Rounds values of timestep t (of the pass) and sample b, if the pass has formats.
inline void round_row(const Pass& pass, Role role, const Layer& layer, std::size_t t, std::size_t b,
                      std::span<float> row) {
    if (pass.formats == nullptr) return;
    const std::uint64_t at = ((pass.first + t) * pass.batch + b) * row.size();
    pass.formats->round(role, row, layer.index, pass.iteration, at);
}

/// Weights from a population to itself, with what the last pass brought to them.
struct Recurrence {
    Signal input;  ///< spikes of the timestep before
    Signal trace;  ///< of `input` (TimeRules::traces)
    Signal error;  ///< dL/d output
};

/// A population with membranes.
class NeuronLayer : public Layer {
  public:
    /// Membranes before reset and dL/du of the last pass.
    virtual const Signal& membranes() const = 0;
    virtual const Signal& membrane_gradients() const = 0;
    /// h: zero where no error can pass.
    virtual void derivative(std::size_t t, std::size_t b, std::span<float> h) const = 0;
    /// Model and costs; not the signals.
    virtual void describe_neurons(arch::NeuronWork& work) const = 0;
    virtual bool fires() const = 0;
    /// At rest and by neuron, as they are now.
    virtual std::span<const float> thresholds() const = 0;
    virtual std::span<const float> leaks() const = 0;
    virtual const Recurrence* recurrence() const { return nullptr; }
    /// Added to dL/du (losses on membranes); same shape as membranes(), or empty.
    Signal extra_gradient;
};

}  // namespace loom::learn
