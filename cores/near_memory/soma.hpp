// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <type_traits>
#include <vector>

#include "cores/core_counters.hpp"
#include "cores/neuron/fixed_rule.hpp"
#include "cores/neuron/float_rule.hpp"
#include "arch/chip_spec.hpp"
#include "arch/program.hpp"
#include "base/ids.hpp"

namespace loom::cores {

/// The time-multiplexed neuron update: `lanes` neurons at a time, a group of lanes being fast when
/// none of its neurons had input or fired. Acc: type of the accumulators; double means float64.
template <class Acc>
class Soma {
  public:
    static constexpr bool kFloat = std::is_same_v<Acc, double>;
    using State = std::conditional_t<kFloat, FloatState, FixedState>;
    using Value = std::conditional_t<kFloat, double, std::int64_t>;

    Soma(const arch::CoreSpec& spec, std::uint32_t neurons)
        : spec_(spec.soma),
          format_(FixedFormat::of(spec.soma)),
          narrow_(spec.soma.state_bits + spec.soma.decay_bits <= 62),
          accumulator_max_((std::int64_t{1} << (spec.dendrite.accumulator_bits - 1)) - 1),
          state_(neurons),
          used_(neurons) {}

    /// Sweeps neurons [from, to) of a group. `sums`, `host`: of the core's neurons (host may be null). Calls
    /// fired(neuron, spikes, cycles until its lane group is done). Returns the cycles of the sweep.
    template <class F>
    Cycles sweep(const arch::NeuronGroup& g, std::uint32_t from, std::uint32_t to, const Acc* sums,
                 const Value* host, CoreCounters& c, F fired) {
        const auto lanes = static_cast<std::uint32_t>(spec_.lanes);
        Cycles time = 0;
        const bool plain = is_plain(g);
        const Plain p = plain ? Plain(g) : Plain();
        for (std::uint32_t base = from; base < to; base += lanes) {
            const std::uint32_t end = std::min(base + lanes, to);
            bool active = false;
            pending_.clear();
            for (std::uint32_t n = base; n < end; ++n) {
                const std::uint32_t i = g.first + n;
                const Value h = host == nullptr ? Value{0} : host[i];
                const std::int64_t z = plain ? update_plain(p, n, i, sums[i], h, c)
                                             : update(g, n, state_[i], sums[i], h, used_[i], c);
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
    /// A parameter as pointer and stride: one value for all neurons, or one each.
    struct View {
        const std::int64_t* data = nullptr;
        std::size_t stride = 0;
        View() = default;
        explicit View(const arch::Parameter& p) : data(p.i.data()), stride(p.i.size() == 1 ? 0 : 1) {}
        std::int64_t operator[](std::size_t n) const { return data[n * stride]; }
    };
    /// The common rule: IF and LIF in integers with hard or soft reset.
    struct Plain {
        View decay, bias, threshold, v_reset;
        int in_shift = 0;
        bool greater_equal = false, subtract = false;
        Plain() = default;
        explicit Plain(const arch::NeuronGroup& g)
            : decay(g.decay_v),
              bias(g.bias_u),
              threshold(g.threshold),
              v_reset(g.v_reset),
              in_shift(g.in_shift),
              greater_equal(g.rule.greater_equal),
              subtract(g.rule.reset == arch::Reset::Subtract) {}
    };
    bool is_plain(const arch::NeuronGroup& g) const {
        if constexpr (kFloat) {
            return false;
        } else {
            const auto& r = g.rule;
            const bool no_bias_v = g.bias_v.i.size() == 1 && g.bias_v.i[0] == 0;
            return narrow_ && no_bias_v && r.fires && !r.has_current && !r.multispike && !r.reset_delay &&
                   !r.clamp && r.reset != arch::Reset::SubtractSnn;
        }
    }
    std::int64_t update_plain(const Plain& p, std::uint32_t n, std::uint32_t i, Acc sum, Value host,
                              CoreCounters& c) {
        if constexpr (kFloat) {
            return 0;
        } else {
            std::int64_t in = sum;
            if (in > accumulator_max_ || in < -accumulator_max_ - 1) [[unlikely]] {
                in = in > 0 ? accumulator_max_ : -accumulator_max_ - 1;
                ++c.accumulator_saturations;
            }
            const std::int64_t used = in * (std::int64_t{1} << p.in_shift) + host + p.bias[n];
            used_[i] = used;
            const std::int64_t product = state_[i].v * p.decay[n];
            const bool floor = format_.floor_rounding || product >= 0;
            std::int64_t v =
                (floor ? product >> format_.decay_bits : -(-product >> format_.decay_bits)) + used;
            if (v > format_.state_max || v < format_.state_min) [[unlikely]] {
                v = v > 0 ? format_.state_max : format_.state_min;
                ++c.state_saturations;
            }
            const std::int64_t threshold = p.threshold[n];
            const bool fires = p.greater_equal ? v >= threshold : v > threshold;
            if (fires) v = p.subtract ? v - threshold : p.v_reset[n];
            state_[i].v = v;
            return fires ? 1 : 0;
        }
    }

    std::int64_t update(const arch::NeuronGroup& g, std::uint32_t n, State& s, Acc sum, Value host,
                        Value& used, CoreCounters& c) const {
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
    bool narrow_;  ///< membrane times decay fits 64 bits
    std::int64_t accumulator_max_;
    std::vector<State> state_;
    std::vector<Value> used_;
    std::vector<std::pair<std::uint32_t, std::int64_t>> pending_;
};

}  // namespace loom::cores
