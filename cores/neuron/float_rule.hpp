// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "arch/program.hpp"

namespace loom::cores {

struct FloatState {
    double v = 0, i = 0, memory = 0;
};

/// One update in float64, operation by operation in the order of the reference interpreter, so that
/// results agree bit for bit. `input`: sum of weighted inputs.
inline std::int64_t update_float(const arch::NeuronGroup& g, std::size_t n, FloatState& s, double input,
                                 double& used) {
    using Method = arch::NeuronGroup::Method;
    const arch::NeuronRule& rule = g.rule;
    const double threshold = g.threshold.real(n);
    double current = input + g.bias.real(n);
    if (rule.has_current) {
        const double old = s.i;
        s.i = old + g.ks.real(n) * (-old + g.w_in.real(n) * current);
        current = rule.parallel ? old : s.i;
    }
    used = current;
    double v = s.v, late = 0;
    if (rule.reset_delay && rule.fires) {
        if (rule.reset == arch::Reset::Value && g.method != Method::Integrate) {
            if (s.memory > 0) v = 0;
        } else {
            late = s.memory * threshold;
        }
    }
    switch (g.method) {
        case Method::Euler:
            v = v + g.k.real(n) * ((g.leak.real(n) - v) + g.r.real(n) * current);
            break;
        case Method::Exp: {
            const double inf = g.leak.real(n) + g.r.real(n) * current;
            v = inf + (v - inf) * g.a.real(n);
            break;
        }
        case Method::Jump:
            v = v * g.a.real(n) + g.r.real(n) * current;
            break;
        case Method::Integrate:
            v = v + g.k.real(n) * current;
            break;
        case Method::Direct:
            v = current;
            break;
    }
    v = v - late;
    if (!rule.fires) {
        s.v = v;
        return 0;
    }
    double z = 0;
    if (rule.reset == arch::Reset::SubtractSnn) {
        v = v - s.memory * threshold;
        z = v > threshold ? 1 : 0;
        v = v - (z - s.memory) * threshold;
        s.memory = v > threshold ? 1 : 0;
        s.v = v;
        return static_cast<std::int64_t>(z);
    }
    if (rule.multispike) {
        z = v > 0 ? std::trunc(v / threshold) : 0;
    } else {
        z = (rule.greater_equal ? v >= threshold : v > threshold) ? 1 : 0;
    }
    if (rule.reset_delay) {
        s.memory = z;
    } else if (rule.reset == arch::Reset::Value) {
        if (z > 0) v = g.v_reset.real(n);
    } else {
        v = v - z * threshold;
    }
    if (rule.clamp) v = std::max(v, g.v_min.real(n));
    s.v = v;
    return static_cast<std::int64_t>(z);
}

}  // namespace loom::cores
