// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "training/learn/trainer.hpp"

namespace loom::learn {

/// Signals of neurons over all timesteps of a step, whatever its passes: records while it exists. Of
/// algorithms that update at every timestep also the gradients of parameters, summed over the updates.
class SignalRecorder {
  public:
    explicit SignalRecorder(Trainer& trainer);
    ~SignalRecorder();
    SignalRecorder(const SignalRecorder&) = delete;
    SignalRecorder& operator=(const SignalRecorder&) = delete;
    /// Before a step.
    void clear();

    /// [timestep][sample][neuron] of a population, node `node` of the network.
    Signal spikes(std::size_t node) const { return joined(node, &Parts::spikes); }
    Signal membranes(std::size_t node) const { return joined(node, &Parts::membranes); }
    Signal membrane_gradients(std::size_t node) const { return joined(node, &Parts::gradients); }
    /// Of parameter p of the node's layer, in the layer's own order; empty: those of the layer.
    std::span<const float> gradient(std::size_t node, std::size_t p) const;

  private:
    /// Of one node, one signal per pass.
    struct Parts {
        std::vector<Signal> spikes, membranes, gradients;
        std::vector<std::vector<float>> parameters;
    };
    Signal joined(std::size_t node, std::vector<Signal> Parts::*what) const;
    void record(const Pass& pass);

    Trainer& trainer_;
    std::function<void(const Pass&)> before_;  ///< who listened before
    std::vector<Parts> nodes_;
};

}  // namespace loom::learn
