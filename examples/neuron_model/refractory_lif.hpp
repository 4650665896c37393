// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>

#include "compiler/nodes/neuron_node.hpp"
#include "compiler/passes/lowered_neurons.hpp"
#include "cores/neuron/model_array.hpp"

/// A leaky neuron that rests after each spike: for `refractory` seconds its membrane stays where the reset
/// put it.
namespace example {
using namespace loom;

/// One neuron, one timestep. N: the arithmetic, integers or float64, which `Value` and `Constant` follow;
/// Rule: how it fires and is reset, which the run file's profile says.
template <class N, class Rule>
class RefractoryLif {
  public:
    using Value = typename N::Value;
    /// Besides the membrane; all zero when a sample begins.
    struct State {
        Value memory = 0;  ///< for resets that come late
        Value rest = 0;    ///< timesteps that it still rests
    };

    RefractoryLif(const arch::NeuronGroup& g, const N& numbers)
        : membrane_(g, numbers), bias_(g, "bias"), refractory_(g, "refractory") {}

    /// v: the membrane. `used`: the current that entered it. Returns the number of spikes.
    Value step(std::size_t n, Value& v, State& s, Value input, Value& used,
               std::uint64_t& saturations) const {
        used = input + bias_[n];
        if (s.rest > 0) {
            s.rest = s.rest - 1;
            return 0;
        }
        const Value spikes = membrane_.step(n, v, s.memory, used, membrane_.threshold(n), saturations);
        if (spikes != 0) s.rest = refractory_[n];
        return spikes;
    }

  private:
    cores::Membrane<N, Rule> membrane_;
    typename N::Constant bias_, refractory_;
};

/// The model's own parameter: seconds in the network, timesteps in the neuron.
inline void add_refractory(compiler::LoweredNeurons& to, const compiler::NirNode& node,
                           const compiler::Profile& profile) {
    const compiler::Values steps =
        compiler::map_values([&](double seconds) { return std::round(seconds / profile.dt_seconds()); },
                             node.arrays.at("refractory").data);
    to.real.push_back({"refractory", steps});
    to.fixed.push_back({"refractory", compiler::IntegerForm::Number, steps});
}

/// The type of node in a .nir file: its keys, and the model that computes it.
inline compiler::NodeRule refractory_lif_node() {
    using namespace compiler;
    return neuron_node(
        "RefractoryLIF",
        {keys::time_constant("tau"),
         keys::per_element("r"),
         keys::per_element("v_leak"),
         keys::per_element("v_threshold"),
         keys::v_reset(),
         {"refractory", KeyKind::NonNegative}},
        {.model = "refractory_lif", .membrane = MembraneKind::Leaky, .add_own = add_refractory});
}

}  // namespace example
