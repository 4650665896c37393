// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <type_traits>
#include <vector>

#include "cores/core_counters.hpp"
#include "cores/neuron/fixed_rule.hpp"
#include "cores/neuron/float_rule.hpp"
#include "sim/arch/chip_spec.hpp"
#include "sim/arch/program.hpp"
#include "sim/base/ids.hpp"

namespace loom::cores {

/// The time-multiplexed neuron update: `lanes` neurons at a time, a group of lanes being fast when
/// none of its neurons had input or fired. Acc: type of the accumulators; double means float64.
template <class Acc>
class Soma {
  public:
    static constexpr bool kFloat = std::is_same_v<Acc, double>;
    using State = std::conditional_t<kFloat, FloatState, FixedState>;
    using Value = std::conditional_t<kFloat, double, std::int64_t>;

    Soma(const arch::ChipSpec& spec, const arch::Program& program, std::uint32_t neurons)
        : spec_(spec.core.soma),
          format_(FixedFormat::of(program)),
          accumulator_max_((std::int64_t{1} << (program.accumulator_bits - 1)) - 1),
          state_(neurons),
          used_(neurons) {}

    /// Sweeps one group of neurons. `sums`, `host`: of the core's neurons (host may be null). Calls
    /// fired(neuron, spikes, cycles until its lane group is done). Returns the cycles of the sweep.
    template <class F>
    Cycles sweep(const arch::NeuronGroup& g, const Acc* sums, const Value* host, CoreCounters& c, F fired) {
        const auto lanes = static_cast<std::uint32_t>(spec_.lanes);
        Cycles time = 0;
        for (std::uint32_t base = 0; base < g.count; base += lanes) {
            const std::uint32_t end = std::min(base + lanes, g.count);
            bool active = false;
            pending_.clear();
            for (std::uint32_t n = base; n < end; ++n) {
                const std::uint32_t i = g.first + n;
                const Value h = host == nullptr ? Value{0} : host[i];
                const std::int64_t z = update(g, n, state_[i], sums[i], h, used_[i], c);
                const bool busy = sums[i] != Acc{0} || h != Value{0} || z != 0;
                active |= busy;
                ++(busy ? c.updates_active : c.updates_inactive);
                if (z != 0) pending_.push_back({i, z});
            }
            time += active ? spec_.cycles_active : spec_.cycles_inactive;
            for (const auto& [neuron, z] : pending_) fired(neuron, z, time);
        }
        c.soma_busy += time;
        return time;
    }
    void reset(const arch::NeuronGroup& g) {
        std::fill_n(state_.begin() + g.first, g.count, State{});
        std::fill_n(used_.begin() + g.first, g.count, Value{0});
    }
    Value membrane(std::uint32_t neuron) const { return state_[neuron].v; }
    Value current(std::uint32_t neuron) const { return used_[neuron]; }

  private:
    std::int64_t update(const arch::NeuronGroup& g, std::uint32_t n, State& s, Acc sum, Value host, Value& used,
                        CoreCounters& c) const {
        if constexpr (kFloat) {
            return update_float(g, n, s, sum + host, used);
        } else {
            std::int64_t in = sum;
            if (in > accumulator_max_) {
                in = accumulator_max_;
                ++c.accumulator_saturations;
            } else if (in < -accumulator_max_ - 1) {
                in = -accumulator_max_ - 1;
                ++c.accumulator_saturations;
            }
            return update_fixed(format_, g, n, s, in * (std::int64_t{1} << g.in_shift) + host, used,
                                c.state_saturations);
        }
    }

    arch::SomaSpec spec_;
    FixedFormat format_;
    std::int64_t accumulator_max_;
    std::vector<State> state_;
    std::vector<Value> used_;
    std::vector<std::pair<std::uint32_t, std::int64_t>> pending_;
};

}  // namespace loom::cores
