// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>

#include "arch/neuron_group.hpp"

namespace loom::cores {

/// A rule that is known when the program runs.
class AnyRule {
  public:
    explicit AnyRule(const arch::NeuronRule& rule) : rule_(rule) {}
    const arch::NeuronRule& get() const { return rule_; }

  private:
    arch::NeuronRule rule_;
};

/// A rule that is known when this is compiled: the compiler leaves out what the rule does not ask for.
template <arch::NeuronRule R>
class OneRule {
  public:
    explicit OneRule(const arch::NeuronRule&) {}
    static constexpr arch::NeuronRule get() { return R; }
};

/// What all models have in common: a membrane that integrates a current, fires and is reset as the rule says
/// (docs/concepts/fixed-point.md). N: the arithmetic, Fixed or Float64. Rule: AnyRule or OneRule.
template <class N, class Rule>
class Membrane {
  public:
    using Value = typename N::Value;
    using Constant = typename N::Constant;

    Membrane(const arch::NeuronGroup& g, const N& numbers)
        : numbers_(numbers),
          rule_(g.rule),
          integrate_(g),
          threshold_(g, "threshold"),
          v_reset_(g, "v_reset"),
          v_min_(g, "v_min") {}

    const N& numbers() const { return numbers_; }
    const Rule& rule() const { return rule_; }
    Value threshold(std::size_t n) const { return threshold_[n]; }

    /// One timestep of neuron n. `memory`: spikes whose reset is due (reset_delay), or whether v was above
    /// the threshold before (SubtractSnn). `fires_at`: what v is compared with; a reset subtracts the
    /// threshold at rest. Returns the number of spikes.
    Value step(std::size_t n, Value& membrane, Value& memory, Value current, Value fires_at,
               std::uint64_t& saturations) const {
        const auto& rule = rule_.get();
        Value v = membrane, late = 0;
        const bool to_value = rule.reset_delay && rule.fires && rule.reset == arch::Reset::Value;
        if (to_value && !rule.late_after) v = memory != 0 ? 0 : v;
        if (rule.reset_delay && rule.fires && rule.reset == arch::Reset::Subtract)
            late = memory * threshold_[n];
        v = integrate_(numbers_, n, v, current, late, saturations);
        if (to_value && rule.late_after) v = memory != 0 ? 0 : v;
        const Value z = rule.fires ? fire(n, v, memory, fires_at) : 0;
        membrane = v;
        return z;
    }

  private:
    Value fire(std::size_t n, Value& v, Value& memory, Value fires_at) const {
        const auto& rule = rule_.get();
        if (rule.reset == arch::Reset::SubtractSnn) return fire_snn(n, v, memory, fires_at);
        Value z = 0;
        if (rule.multispike) {
            z = N::multiples(v, fires_at);
            if (rule.max_spikes != 0) z = std::min(z, static_cast<Value>(rule.max_spikes));
        } else {
            z = (rule.greater_equal ? v >= fires_at : v > fires_at) ? 1 : 0;
        }
        if (rule.reset_delay) {
            memory = z;
        } else if (rule.reset == arch::Reset::Value) {
            if (z != 0) v = v_reset_[n];
        } else if (rule.reset == arch::Reset::Subtract) {
            v = v - z * threshold_[n];
        }
        if (rule.clamp) {
            const Value v_min = v_min_[n];
            if (v < v_min) v = v_min;
        }
        return z;
    }
    /// snnTorch's soft reset: a membrane that was above the threshold after its reset pays another one.
    Value fire_snn(std::size_t n, Value& v, Value& memory, Value fires_at) const {
        v = v - memory * threshold_[n];
        const Value z = v > fires_at ? 1 : 0;
        v = v - (z - memory) * threshold_[n];
        memory = v > fires_at ? 1 : 0;
        return z;
    }

    N numbers_;
    [[no_unique_address]] Rule rule_;
    typename N::Integrator integrate_;
    Constant threshold_, v_reset_, v_min_;
};

}  // namespace loom::cores
