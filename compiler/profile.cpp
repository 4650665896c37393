// SPDX-License-Identifier: Apache-2.0
#include "compiler/profile.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/key_error.hpp"
#include "base/nearest.hpp"

namespace loom::compiler {
namespace {

// What exporters write for, in ps.
constexpr double kSnnTorchDt = 1e8, kNorseDt = 1e6, kSpikingJellyDt = 1e8, kSinabsDt = 1e12,
                 kRockpoolDt = 1e9;

void snntorch(Profile& p) {  // reset_mechanism "zero", reset_delay False
    p.if_dt = 1.0;
    p.late_reset = "snntorch";
    p.float32 = true;
}
void snntorch_subtract(Profile& p) {
    snntorch(p);
    p.reset = "subtract_snn";
}
void snntorch_zero(Profile& p) {
    snntorch(p);
    p.reset_delay = true;
}
void snntorch_defaults(Profile& p) {
    snntorch_zero(p);
    p.reset = "subtract";
}
void snntorch_none(Profile& p) {
    snntorch(p);
    p.reset = "none";
}
void norse(Profile& p) {
    p.if_dt = 1.0;
    p.synapse = "jump";
    p.v_init = "v_leak";
    p.float32 = true;
}
void spikingjelly(Profile& p) {
    p.compare = ">=";
    p.v_init = "v_reset";
}
void counts_spikes(Profile& p) {
    p.reset = "subtract";
    p.compare = ">=";
    p.multispike = true;
}
void sinabs_defaults(Profile& p) {
    counts_spikes(p);
    p.method = "exp";
    p.if_dt = 1.0;
}
void sinabs(Profile& p) {
    sinabs_defaults(p);
    p.method = "jump";
    p.clamp = true;
    p.v_min = -1.0;
    p.v_min_unit = "threshold";
}
void rockpool(Profile& p) {
    counts_spikes(p);
    p.method = "rockpool";
    p.float32 = true;
}
void spyx(Profile& p) {
    p.reset = "subtract";
}
void plain(Profile&) {}

std::vector<std::string> preset_names() {
    std::vector<std::string> names;
    for (const Preset& p : presets()) names.emplace_back(p.name);
    return names;
}

/// "; did you mean 'x'?", or nothing; signs are near to all others.
std::string near_one(const std::string& value, const std::vector<std::string>& known) {
    const std::string s = suggestion(value, known);
    return value.size() > 2 && s.starts_with("; did") ? s : "";
}

void one_of(const std::string& key, const std::string& value, const std::vector<std::string>& known) {
    if (std::ranges::find(known, value) != known.end()) return;
    throw KeyError(key, fmt::format("'{}' is not one of {}{}", value, fmt::join(known, ", "),
                                    near_one(value, known)));
}

void check_start(const std::string& key, const std::string& value) {
    double number = 0;
    const char* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, number);
    if (error == std::errc{} && stop == end && std::isfinite(number)) return;
    if (value == "v_reset" || value == "v_leak") return;
    throw KeyError(key, fmt::format("'{}' is not a number, v_reset or v_leak{}", value,
                                    near_one(value, {"v_reset", "v_leak"})));
}

/// Of a profile, or of one with what one of its layers says; `section` is where that stands.
void check_rules(const Profile& p, const std::string& section) {
    one_of(section + ".method", p.method, {"euler", "exp", "jump", "rockpool"});
    one_of(section + ".compare", p.compare, {">", ">="});
    one_of(section + ".reset", p.reset, {"value", "subtract", "subtract_snn", "none"});
    one_of(section + ".synapse", p.synapse, {"euler", "jump"});
    one_of(section + ".late_reset", p.late_reset, {"before", "after", "snntorch"});
    one_of(section + ".v_min_unit", p.v_min_unit, {"value", "threshold"});
    check_start(section + ".v_init", p.v_init);
    const auto clash = [&](const char* key, const char* problem) {
        throw KeyError(section + "." + key, problem);
    };
    if (p.max_spikes != 0 && !p.multispike)
        clash("max_spikes", "limits the spikes of a timestep, which is one at most without multispike: true");
    if (p.reset != "subtract_snn") return;
    if (p.multispike) clash("multispike", "reset: subtract_snn fires once at most; use reset: subtract");
    if (p.reset_delay) clash("reset_delay", "reset: subtract_snn is not late; use reset: subtract");
    if (p.clamp) clash("clamp", "reset: subtract_snn knows no lower bound; use reset: subtract");
}

}  // namespace

const std::vector<Preset>& presets() {
    static const std::vector<Preset> all{
        {"nir-euler", {}, false, "NIR", plain},
        {"snntorch", kSnnTorchDt, true, "snnTorch", snntorch},
        {"snntorch-subtract", kSnnTorchDt, true, "snnTorch", snntorch_subtract},
        {"snntorch-defaults", kSnnTorchDt, true, "snnTorch", snntorch_defaults},
        {"snntorch-zero", kSnnTorchDt, true, "snnTorch", snntorch_zero},
        {"snntorch-none", kSnnTorchDt, true, "snnTorch", snntorch_none},
        {"norse", kNorseDt, false, "Norse", norse},
        {"spikingjelly", kSpikingJellyDt, false, "SpikingJelly", spikingjelly},
        {"sinabs", kSinabsDt, true, "Sinabs", sinabs},
        {"sinabs-defaults", kSinabsDt, true, "Sinabs", sinabs_defaults},
        {"rockpool", kRockpoolDt, false, "Rockpool", rockpool},
        {"spyx", {}, false, "Spyx", spyx},
        {"lava", {}, false, "Lava", plain},
    };
    return all;
}

const Preset& find_preset(const std::string& name) {
    const auto it = std::ranges::find(presets(), name, &Preset::name);
    if (it != presets().end()) return *it;
    const std::vector<std::string> known = preset_names();
    throw KeyError("profile.preset", fmt::format("unknown preset '{}' (known: {}){}", name,
                                                 fmt::join(known, ", "), near_one(name, known)));
}

Profile preset_profile(const std::string& name) {
    const Preset& preset = find_preset(name);
    Profile p;
    p.preset = name;
    preset.set(p);
    p.dt = preset.dt.value_or(p.dt);
    return p;
}

Profile Profile::of(const std::string& layer) const {
    Profile p = *this;
    const auto it = layers.find(layer);
    if (it == layers.end()) return p;
    const auto take = [](auto& to, const auto& from) { to = from.value_or(to); };
    const LayerProfile& l = it->second;
    take(p.method, l.method);
    take(p.compare, l.compare);
    take(p.reset, l.reset);
    take(p.synapse, l.synapse);
    take(p.late_reset, l.late_reset);
    take(p.v_min_unit, l.v_min_unit);
    take(p.v_init, l.v_init);
    take(p.multispike, l.multispike);
    take(p.reset_delay, l.reset_delay);
    take(p.clamp, l.clamp);
    take(p.v_min, l.v_min);
    take(p.max_spikes, l.max_spikes);
    return p;
}

void check_profile(const Profile& p) {
    one_of("profile.cuba", p.cuba, {"seq", "par"});
    check_rules(p, "profile");
    for (const auto& [layer, keys] : p.layers) check_rules(p.of(layer), "profile.layers." + layer);
}

}  // namespace loom::compiler
