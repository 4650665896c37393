// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "arch/chip_spec.hpp"
#include "arch/program.hpp"

namespace loom::cores {

/// State of one neuron in integer LSB. `memory`: spikes pending (reset_delay) or the state before
/// (SubtractSnn).
struct FixedState {
    std::int64_t v = 0, u = 0, memory = 0;
};

__extension__ typedef __int128 Wide;

/// Widths and rounding of a soma.
struct FixedFormat {
    unsigned decay_bits = 12;
    bool floor_rounding = true;
    std::int64_t state_max = 0, state_min = 0;

    static FixedFormat of(const arch::SomaSpec& s) {
        const std::int64_t top = (std::int64_t{1} << (s.state_bits - 1)) - 1;
        return {static_cast<unsigned>(s.decay_bits), s.rounding == arch::Rounding::Floor, top, -top - 1};
    }
    /// x * factor / 2^decay_bits, rounded.
    std::int64_t decay(std::int64_t x, std::int64_t factor) const {
        const Wide product = static_cast<Wide>(x) * factor;
        if (floor_rounding || product >= 0) return static_cast<std::int64_t>(product >> decay_bits);
        return static_cast<std::int64_t>(-(-product >> decay_bits));
    }
    std::int64_t saturate(std::int64_t x, std::uint64_t& count) const {
        if (x > state_max) return ++count, state_max;
        if (x < state_min) return ++count, state_min;
        return x;
    }
};

/// One update (docs/fixed-point.md). `input`: accumulator shifted to membrane LSB. Returns the number
/// of spikes; `used` is the current that entered the membrane.
inline std::int64_t update_fixed(const FixedFormat& f, const arch::NeuronGroup& g, std::size_t n,
                                 FixedState& s, std::int64_t input, std::int64_t& used,
                                 std::uint64_t& saturations) {
    const arch::NeuronRule& rule = g.rule;
    const std::int64_t threshold = g.threshold.fixed(n);
    std::int64_t late = 0;
    if (rule.reset_delay && rule.fires) {
        if (rule.reset == arch::Reset::Value && g.method != arch::NeuronGroup::Method::Integrate) {
            if (s.memory != 0) s.v = 0;
        } else {
            late = s.memory * threshold;
        }
    }
    used = input + g.bias_u.fixed(n);
    if (rule.has_current) {
        const std::int64_t old = s.u;
        s.u = f.saturate(f.decay(old, g.decay_u.fixed(n)) + used, saturations);
        used = rule.parallel ? old : s.u;
    }
    std::int64_t v =
        f.saturate(f.decay(s.v, g.decay_v.fixed(n)) + used + g.bias_v.fixed(n) - late, saturations);
    std::int64_t z = 0;
    if (!rule.fires) {
        s.v = v;
        return 0;
    }
    if (rule.reset == arch::Reset::SubtractSnn) {
        v -= s.memory * threshold;
        z = v > threshold ? 1 : 0;
        v -= (z - s.memory) * threshold;
        s.memory = v > threshold ? 1 : 0;
        s.v = v;
        return z;
    }
    if (rule.multispike) {
        z = v > 0 && threshold > 0 ? v / threshold : 0;
    } else {
        z = (rule.greater_equal ? v >= threshold : v > threshold) ? 1 : 0;
    }
    if (rule.reset_delay) {
        s.memory = z;
    } else if (rule.reset == arch::Reset::Value) {
        if (z != 0) v = g.v_reset.fixed(n);
    } else {
        v -= z * threshold;
    }
    if (rule.clamp && v < g.v_min.fixed(n)) v = g.v_min.fixed(n);
    s.v = v;
    return z;
}

}  // namespace loom::cores
