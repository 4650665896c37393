// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.hpp"

namespace loom::compiler {

/// What a profile says about single layers: only the keys that differ from the profile.
struct LayerProfile {
    std::optional<std::string> method, compare, reset, synapse, late_reset, v_min_unit, v_init;
    std::optional<bool> multispike, reset_delay, clamp;
    std::optional<double> v_min;
    std::optional<std::uint64_t> max_spikes;
};

/// How a NIR graph is to be executed; a .nir file does not say (docs/concepts/profiles.md).
struct Profile {
    std::string preset = "nir-euler";
    double dt = 1e8;               ///< ps
    std::string method = "euler";  ///< euler | exp | jump | rockpool
    std::string compare = ">";     ///< > | >=
    std::string reset = "value";   ///< value | subtract | subtract_snn | none
    std::string cuba = "seq";      ///< seq | par
    bool multispike = false;
    bool reset_delay = false;
    bool clamp = false;
    double v_min = 0.0;
    double if_dt = 0.0;                  ///< seconds per IF integration step; 0: dt; 1 for per-step files
    std::string synapse = "euler";       ///< euler | jump
    std::string late_reset = "before";   ///< before | after | snntorch
    std::string v_min_unit = "value";    ///< value | threshold
    std::string v_init = "0";            ///< a number | v_reset | v_leak
    std::uint64_t max_spikes = 0;        ///< 0: no limit
    bool float32 = false;
    std::map<std::string, LayerProfile> layers;

    double dt_seconds() const { return dt / 1e12; }
    /// The profile with what `layers` says about a layer.
    Profile of(const std::string& layer) const;
};

/// Keys that a layer may have of its own. P: Profile or LayerProfile.
template <class V, class P>
void layer_fields(V& v, P& p) {
    v("synapse", p.synapse,
      {.doc = "CubaLIF's input: euler (dt / tau_syn w_in I) or jump (I as it is, as in Norse's LIFCell)"});
    v("late_reset", p.late_reset,
      {.doc = "reset_delay with reset: value acts before or after the integration; snntorch: after it for "
              "CubaLIF and recurrent layers (Synaptic, RLeaky, RSynaptic), before it for others"});
    v("v_min_unit", p.v_min_unit, {.doc = "v_min is a value, or in each neuron's threshold"});
    v("v_init", p.v_init, {.doc = "membrane before the first timestep: a number, v_reset or v_leak"});
    v("max_spikes", p.max_spikes,
      {.doc = "most spikes of a neuron in a timestep, with multispike; 0: no limit", .max = 2147483647.0});
}

template <class V>
void fields(V& v, LayerProfile& p) {
    v("method", p.method, {.doc = "integration rule of this layer"});
    v("compare", p.compare, {.doc = "> or >= of this layer"});
    v("reset", p.reset, {.doc = "reset of this layer"});
    v("multispike", p.multispike, {.doc = "several spikes per step in this layer"});
    v("reset_delay", p.reset_delay, {.doc = "this layer's reset happens one step late"});
    v("clamp", p.clamp, {.doc = "this layer's membranes are clamped at v_min"});
    v("v_min", p.v_min, {.doc = "lower bound of this layer's membranes"});
    layer_fields(v, p);
}

template <class V>
void fields(V& v, Profile& p) {
    v("preset", p.preset, {.doc = "the rule of a framework: docs/concepts/profiles.md", .required = true});
    v("dt", p.dt,
      {.doc = "duration of a timestep; a preset with an exporter of its own has the exporter's",
       .unit = Unit::Time,
       .min = 1});
    v("method", p.method, {.doc = "integration rule: euler, exp, jump or rockpool"});
    v("compare", p.compare, {.doc = "a neuron fires when v > or >= its threshold"});
    v("reset", p.reset, {.doc = "value (hard), subtract (soft), subtract_snn (snnTorch's soft) or none"});
    v("cuba", p.cuba, {.doc = "CubaLIF: seq (v uses the new current) or par (the old one)"});
    v("multispike", p.multispike, {.doc = "several spikes per step: trunc(v / threshold)"});
    v("reset_delay", p.reset_delay, {.doc = "the reset happens one step late"});
    v("clamp", p.clamp, {.doc = "membranes are clamped at v_min"});
    v("v_min", p.v_min, {.doc = "lower bound of the membrane, when clamp is set"});
    v("if_dt", p.if_dt, {.doc = "seconds per IF step; 0: dt; 1: per-step files such as Sinabs'"});
    layer_fields(v, p);
    v("float32", p.float32,
      {.doc = "decays and gains are rounded to float32, as the framework has them: ties stay ties"});
    v("layers", p.layers, {.doc = "keys that differ in single layers, by the name of their neuron node"});
}

/// A preset: its name, the timestep for which the framework's exporter writes, and what it sets.
struct Preset {
    std::string_view name;
    std::optional<double> dt;  ///< ps; none: the exporter is told, or there is none
    bool dt_fixed = false;     ///< the exporter cannot be told another one
    std::string_view framework;
    void (*set)(Profile&) = nullptr;
};
const std::vector<Preset>& presets();
/// Throws KeyError for a name that there is not.
const Preset& find_preset(const std::string& name);

/// The defaults of a preset, to be overridden by what the run file says. Throws ConfigError.
Profile preset_profile(const std::string& name);
/// Throws ConfigError when a field has an unknown value.
void check_profile(const Profile& profile);

}  // namespace loom::compiler
