// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cores/neuron/membrane.hpp"

namespace loom::cores {

/// Integrate and fire on a current that is a state itself. NIR: CubaLI, CubaLIF.
template <class N, class Rule>
class CubaLif {
  public:
    using Value = typename N::Value;
    struct State {
        Value current = 0, memory = 0;
    };

    CubaLif(const arch::NeuronGroup& g, const N& numbers)
        : membrane_(g, numbers), filter_(g), bias_(g, "bias") {}

    /// v: the membrane. `used`: the current that entered it. Returns the number of spikes.
    Value step(std::size_t n, Value& v, State& s, Value input, Value& used,
               std::uint64_t& saturations) const {
        const Value before = s.current;
        s.current = filter_(membrane_.numbers(), n, before, input + bias_[n], saturations);
        used = membrane_.rule().get().parallel ? before : s.current;
        return membrane_.step(n, v, s.memory, filter_.drift(n, used), membrane_.threshold(n), saturations);
    }

  private:
    Membrane<N, Rule> membrane_;
    typename N::Filter filter_;
    typename N::Constant bias_;
};

}  // namespace loom::cores
