// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/learn/number_format.hpp"
#include "sim/learn/signal.hpp"

namespace loom::learn {

/// Trained values and their gradient, in the layer's own order.
struct Parameter {
    std::string name;  ///< "weight", "bias", "gamma", ...
    std::vector<float> value, grad;
    bool decays = true;  ///< weight decay applies
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
    bool training = true;
    std::uint64_t iteration = 0;  ///< of the optimiser; keys stochastic rounding
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
    virtual std::span<Parameter> parameters() { return {}; }
    /// Called after parameters changed (derived copies are renewed).
    virtual void updated() {}
    /// Parameter p as files have it ([out][in], [out channel][in channel][row][column], [element] channel
    /// first).
    virtual std::vector<float> exported(std::size_t p, bool gradient) {
        return gradient ? parameters()[p].grad : parameters()[p].value;
    }
    /// Inverse of exported(p, false).
    virtual void import(std::size_t p, std::span<const float> values) {
        parameters()[p].value.assign(values.begin(), values.end());
        updated();
    }
    /// State beyond parameters that a checkpoint must hold (running statistics of a norm).
    virtual std::vector<std::span<float>> buffers() { return {}; }

    std::string name;
    Shape in, out;
};

}  // namespace loom::learn
