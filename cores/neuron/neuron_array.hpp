// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <type_traits>
#include <vector>

#include "base/ids.hpp"

namespace loom::cores {

/// A neuron of the core that fired: how often, and when its lane group was done, in cycles of the sweep.
struct FiredNeuron {
    std::uint32_t neuron = 0;
    std::int64_t spikes = 0;
    Cycles at = 0;
};

/// What a sweep cost and counted.
struct SweepResult {
    Cycles cycles = 0;
    std::uint64_t active = 0, inactive = 0;  ///< updates with input or spike, and without
    std::uint64_t accumulator_saturations = 0, state_saturations = 0;
};

/// Membrane and entering current of every neuron of a core, which reports read. Acc: the type of the
/// accumulators; double means float64.
template <class Acc>
struct Membranes {
    using Value = std::conditional_t<std::is_same_v<Acc, double>, double, std::int64_t>;
    explicit Membranes(std::uint32_t neurons) : v(neurons), used(neurons) {}
    std::vector<Value> v, used;
};

/// The neurons of one group, time-multiplexed over the soma's lanes.
template <class Acc>
class NeuronArray {
  public:
    using Value = typename Membranes<Acc>::Value;
    virtual ~NeuronArray() = default;
    /// Updates neurons [from, to) of the group. `sums`, `host` (may be null): of the core's neurons. Appends
    /// those that fired, in their order.
    virtual SweepResult sweep(std::uint32_t from, std::uint32_t to, const Acc* sums, const Value* host,
                              std::vector<FiredNeuron>& fired) = 0;
    /// Clears all state.
    virtual void reset() = 0;
};

}  // namespace loom::cores
