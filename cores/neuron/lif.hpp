// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>

#include "cores/neuron/membrane.hpp"

namespace loom::cores {

/// Integrate and fire, with or without a leak; without firing an integrator or a read-out.
/// NIR: I, LI, IF, LIF, Threshold.
template <class N, class Rule>
class Lif {
  public:
    using Value = typename N::Value;
    /// Besides the membrane.
    struct State {
        Value memory = 0;
    };
    /// The rules for which somas have a fast form in integers.
    static constexpr std::array kPlainRules{
        arch::NeuronRule{.greater_equal = false, .reset = arch::Reset::Value},
        arch::NeuronRule{.greater_equal = true, .reset = arch::Reset::Value},
        arch::NeuronRule{.greater_equal = false, .reset = arch::Reset::Subtract},
        arch::NeuronRule{.greater_equal = true, .reset = arch::Reset::Subtract}};

    Lif(const arch::NeuronGroup& g, const N& numbers) : membrane_(g, numbers), bias_(g, "bias") {}

    /// v: the membrane. `used`: the current that entered it. Returns the number of spikes.
    Value step(std::size_t n, Value& v, State& s, Value input, Value& used,
               std::uint64_t& saturations) const {
        used = input + bias_[n];
        return membrane_.step(n, v, s.memory, used, membrane_.threshold(n), saturations);
    }

  private:
    Membrane<N, Rule> membrane_;
    typename N::Constant bias_;
};

}  // namespace loom::cores
