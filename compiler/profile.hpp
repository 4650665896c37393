// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/fields.hpp"

namespace loom::compiler {

/// How a NIR graph is to be executed; a .nir file does not say (docs/concepts/fixed-point.md).
struct Profile {
    std::string preset = "nir-euler";
    double dt = 1e8;               ///< ps
    std::string method = "euler";  ///< euler | exp | jump
    std::string compare = ">";     ///< > | >=
    std::string reset = "value";   ///< value | subtract | subtract_snn
    std::string cuba = "seq";      ///< seq | par
    bool multispike = false;
    bool reset_delay = false;
    bool clamp = false;
    double v_min = 0.0;
    double if_dt = 0.0;  ///< seconds per IF integration step; 0: dt; 1 for per-step files

    double dt_seconds() const { return dt / 1e12; }
};
template <class V>
void fields(V& v, Profile& p) {
    v("preset", p.preset,
      {.doc = "nir-euler, snntorch, snntorch-subtract, norse, spikingjelly, sinabs, spyx or lava",
       .required = true});
    v("dt", p.dt, {.doc = "duration of a timestep", .unit = Unit::Time, .min = 1, .required = true});
    v("method", p.method, {.doc = "integration rule: euler, exp or jump"});
    v("compare", p.compare, {.doc = "a neuron fires when v > or >= its threshold"});
    v("reset", p.reset, {.doc = "value (hard), subtract (soft) or subtract_snn (snnTorch's soft)"});
    v("cuba", p.cuba, {.doc = "CubaLIF: seq (v uses the new current) or par (the old one)"});
    v("multispike", p.multispike, {.doc = "several spikes per step: trunc(v / threshold)"});
    v("reset_delay", p.reset_delay, {.doc = "the reset happens one step late"});
    v("clamp", p.clamp, {.doc = "membranes are clamped at v_min"});
    v("v_min", p.v_min, {.doc = "lower bound of the membrane, when clamp is set"});
    v("if_dt", p.if_dt, {.doc = "seconds per IF step; 0: dt; 1: per-step files such as Sinabs'"});
}

/// The defaults of a preset, to be overridden by what the run file says. Throws ConfigError.
Profile preset_profile(const std::string& name);
/// Throws ConfigError when a field has an unknown value.
void check_profile(const Profile& profile);

}  // namespace loom::compiler
