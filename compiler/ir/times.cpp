// SPDX-License-Identifier: Apache-2.0
#include "compiler/ir/times.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compiler/ir/node_rule.hpp"

namespace loom::compiler {
namespace {

constexpr double kNoise = 1e-6;  ///< of what float32 makes of a number, with room

bool same_time(double a, double b) {
    return std::abs(a - b) <= kNoise * std::max(std::abs(a), std::abs(b));
}

/// The timesteps that a neuron's r stands for: a list, since parameters are per element.
std::vector<double> written_for(const NirNode& node) {
    std::vector<double> out;
    const NeuronForm& form = *node.rule->neuron;
    if (!form.integrates() || !node.arrays.contains("r")) return out;
    const auto& r = node.arrays.at("r").data;
    const auto tau = node.arrays.find(std::string(form.tau));
    const std::size_t n = std::max(r.size(), tau == node.arrays.end() ? 1 : tau->second.data.size());
    for (std::size_t i = 0; i < n; ++i) {
        const double factor = r[r.size() == 1 ? 0 : i];
        const double time =
            tau == node.arrays.end() ? 1 : tau->second.data[tau->second.data.size() == 1 ? 0 : i];
        if (!std::isinf(factor)) out.push_back(factor == 1 ? 0 : time / factor);  // 0: says nothing
    }
    return out;
}

}  // namespace

std::string seconds_text(double seconds) {
    struct Scale {
        double factor;
        const char* unit;
    };
    for (const auto& [factor, unit] : {Scale{1, "s"}, Scale{1e3, "ms"}, Scale{1e6, "us"}}) {
        if (std::abs(seconds) * factor >= 1 - kNoise || seconds == 0)
            return fmt::format("{:.6g} {}", seconds * factor, unit);
    }
    return fmt::format("{:.6g} ns", seconds * 1e9);
}

double delay_steps(double seconds, double dt) {
    const double steps = seconds / dt;
    return std::floor(steps + 0.5 + kNoise * std::max(1.0, steps));
}

bool between_steps(double seconds, double dt) {
    return std::abs(seconds / dt - delay_steps(seconds, dt)) > 10 * kNoise * std::max(1.0, seconds / dt);
}

std::vector<std::string> time_constants(const NirNode& node) {
    std::vector<std::string> out;
    for (const KeyRule& key : node.rule->keys)
        if (key.kind == KeyKind::Positive) out.push_back(key.name);
    return out;
}

FittingTimes fitting_times(const NirModel& model) {
    FittingTimes fit;
    std::vector<double> written;
    for (const NirNode& node : model.nodes) {
        if (!node.rule->neuron) continue;
        for (const std::string& key : time_constants(node)) {
            for (const double tau : node.arrays.at(key).data)
                if (std::isfinite(tau)) fit.shortest_tau = std::min(fit.shortest_tau.value_or(tau), tau);
        }
        const std::vector<double> times = written_for(node);
        written.insert(written.end(), times.begin(), times.end());
    }
    const bool one = !written.empty() && written[0] > 0 &&
                     std::ranges::all_of(written, [&](double t) { return same_time(t, written[0]); });
    if (one) fit.exporter = written[0];
    return fit;
}

}  // namespace loom::compiler
