// SPDX-License-Identifier: Apache-2.0
#include "compiler/neurons/fits_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/key_error.hpp"
#include "base/nearest.hpp"
#include "compiler/ir/node_rule.hpp"
#include "compiler/ir/times.hpp"
#include "compiler/neurons/constants.hpp"

namespace loom::compiler {
namespace {

bool near(double a, double b) {
    return std::abs(a - b) <= 1e-5 * std::max(std::abs(a), std::abs(b));
}

/// Neurons with a state; what a profile says is for them.
std::vector<const NirNode*> layers_of(const NirModel& model) {
    std::vector<const NirNode*> out;
    for (const NirNode& node : model.nodes)
        if (node.rule->integrates()) out.push_back(&node);
    return out;
}

void check_layer_names(const Profile& p, const std::vector<const NirNode*>& layers) {
    std::vector<std::string> names;
    for (const NirNode* node : layers) names.push_back(node->name);
    for (const auto& [name, keys] : p.layers) {
        if (std::ranges::find(names, name) != names.end()) continue;
        throw KeyError("profile.layers." + name,
                       "the network has no neurons of that name: " + unknown_name(name, names));
    }
}

/// The timestep of the profile, of the preset's exporter, of the file's constants and of its metadata.
void compare_timesteps(const Profile& p, const NirModel& model, std::vector<std::string>& out) {
    const Preset& preset = find_preset(p.preset);
    const double dt = p.dt_seconds();
    const FittingTimes fit = fitting_times(model);
    const bool confirmed = fit.exporter && near(*fit.exporter, dt);
    if (preset.dt && preset.dt_fixed && !near(*preset.dt, p.dt) && !confirmed && fit.shortest_tau) {
        throw KeyError("profile.dt",
                       fmt::format("is {}, but {}'s exporter writes its constants for {}; leave dt out, or "
                                   "take preset nir-euler for a file of another origin",
                                   seconds_text(dt), preset.framework, seconds_text(*preset.dt / 1e12)));
    }
    if (fit.exporter && !confirmed && p.method != "rockpool") {
        out.push_back(fmt::format("profile.dt is {}; the neurons of {} have tau / r = {}, as exporters write "
                                  "it for a timestep of that length",
                                  seconds_text(dt), model.file, seconds_text(*fit.exporter)));
    }
    if (fit.shortest_tau && dt < *fit.shortest_tau * 1e-3) {
        out.push_back(fmt::format("profile.dt is {}; the shortest tau of {} is {}, {:.6g} timesteps",
                                  seconds_text(dt), model.file, seconds_text(*fit.shortest_tau),
                                  *fit.shortest_tau / dt));
    }
    const auto said = model.metadata.find("dt");
    double seconds = 0;
    if (said == model.metadata.end()) return;
    const std::string& text = said->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error == std::errc{} && end == text.data() + text.size() && !near(seconds, dt))
        out.push_back(fmt::format("profile.dt is {}; the metadata of {} say {}", seconds_text(dt), model.file,
                                  seconds_text(seconds)));
}

void check_delays(const Profile& p, const NirNode& node, std::vector<std::string>& out) {
    if (!node.rule->linear.delay) return;
    const double dt = p.dt_seconds();
    std::size_t between = 0;
    double first = 0;
    const auto delays = node.rule->linear.delay(node);
    for (const double d : delays) {
        if (!between_steps(d, dt)) continue;
        if (between++ == 0) first = d;
    }
    if (between == 0) return;
    out.push_back(fmt::format("node '{}': {} of {} delays are no multiples of profile.dt ({}) and are "
                              "rounded to the nearest timestep, halves up: {} becomes {}",
                              node.name, between, delays.size(), seconds_text(dt), seconds_text(first),
                              seconds_text(delay_steps(first, dt) * dt)));
}

void check_integrator(const Profile& p, const NirNode& node, std::vector<std::string>& out) {
    if (node.rule->neuron->membrane != MembraneKind::Integrator) return;
    const auto& r = node.arrays.at("r").data;
    const bool ones = std::ranges::all_of(r, [](double x) { return x == 1; });
    const bool rates = std::ranges::all_of(r, [&](double x) { return near(x * p.dt_seconds(), 1); });
    if (ones && p.if_dt == 0 && !near(p.dt_seconds(), 1)) {
        out.push_back(fmt::format("node '{}': an input of 1 adds dt r = {:.4g}; files whose integrators "
                                  "count timesteps (r = 1: snnTorch, Norse, Sinabs) need profile.if_dt: 1",
                                  node.name, p.dt_seconds()));
    }
    if (rates && !ones && near(p.if_dt, 1)) {
        out.push_back(fmt::format("node '{}': an input of 1 adds r = {:.4g}, which is 1 / dt; such files "
                                  "need profile.if_dt: 0",
                                  node.name, r[0]));
    }
}

/// Rockpool's exporter writes r for its timestep, so that a current enters the membrane as it is.
void check_rockpool(const Profile& p, const NirNode& node, std::vector<std::string>& out) {
    const Profile own = p.of(node.name);
    if (own.method != "rockpool" || !node.arrays.contains("tau_syn")) return;
    const Values gain = neuron_constants(node, own).gain;
    if (std::ranges::all_of(gain, [](double g) { return std::abs(g - 1) < 1e-4; })) return;
    out.push_back(fmt::format("node '{}': profile.dt is {}, but r is not tau_mem exp(-dt / tau_mem) / dt, as "
                              "Rockpool's exporter writes it: a current enters the membrane times {:.4g}",
                              node.name, seconds_text(p.dt_seconds()), gain[0]));
}

void check_late_reset(const Profile& p, const NirNode& node, std::vector<std::string>& out) {
    const Profile own = p.of(node.name);
    const auto v_reset = node.arrays.find("v_reset");
    if (!own.reset_delay || own.reset != "value" || v_reset == node.arrays.end()) return;
    if (std::ranges::all_of(v_reset->second.data, [](double v) { return v == 0; })) return;
    out.push_back(fmt::format("node '{}': a late reset (profile.reset_delay) sets the membrane to 0, not to "
                              "its v_reset",
                              node.name));
}

}  // namespace

std::vector<std::string> check_fits(const Profile& profile, const NirModel& model) {
    const std::vector<const NirNode*> layers = layers_of(model);
    check_layer_names(profile, layers);
    std::vector<std::string> out;
    compare_timesteps(profile, model, out);
    for (const NirNode& node : model.nodes) check_delays(profile, node, out);
    for (const NirNode* node : layers) {
        check_integrator(profile, *node, out);
        check_late_reset(profile, *node, out);
        check_rockpool(profile, *node, out);
    }
    return out;
}

}  // namespace loom::compiler
