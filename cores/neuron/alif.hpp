// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cores/neuron/membrane.hpp"

namespace loom::cores {

/// Integrate and fire with an adaptive threshold: every spike raises it, and the rise decays.
///   A[t] = adapt_decay A[t-1] + adapt_jump s[t-1];  fires at threshold + adapt_strength A[t]
/// A reset subtracts the threshold at rest. Extension node of NIR: ALIF.
template <class N, class Rule>
class Alif {
  public:
    using Value = typename N::Value;
    struct State {
        Value adaptation = 0;  ///< A of the timestep that comes next
        Value memory = 0;
    };

    Alif(const arch::NeuronGroup& g, const N& numbers)
        : membrane_(g, numbers), adaptation_(g), bias_(g, "bias") {}

    /// v: the membrane. `used`: the current that entered it. Returns the number of spikes.
    Value step(std::size_t n, Value& v, State& s, Value input, Value& used,
               std::uint64_t& saturations) const {
        used = input + bias_[n];
        const Value fires_at = adaptation_.raised(n, membrane_.threshold(n), s.adaptation);
        const Value z = membrane_.step(n, v, s.memory, used, fires_at, saturations);
        s.adaptation = adaptation_(membrane_.numbers(), n, s.adaptation, z, saturations);
        return z;
    }

  private:
    Membrane<N, Rule> membrane_;
    typename N::Adaptation adaptation_;
    typename N::Constant bias_;
};

}  // namespace loom::cores
