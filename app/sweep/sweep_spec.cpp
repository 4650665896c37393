// SPDX-License-Identifier: Apache-2.0
#include "app/sweep/sweep_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.hpp"
#include "base/config/reader.hpp"
#include "base/config/shipped.hpp"

namespace loom::app {
namespace fs = std::filesystem;

std::vector<std::vector<std::string>> SweepSpec::points() const {
    std::vector<std::vector<std::string>> out;
    if (mode == "zip") {
        for (std::size_t i = 0; i < axes.front().second.size(); ++i) {
            out.emplace_back();
            for (const auto& [key, values] : axes) out.back().push_back(values[i]);
        }
        return out;
    }
    out.emplace_back();
    for (const auto& [key, values] : axes) {
        std::vector<std::vector<std::string>> longer;
        for (const auto& point : out) {
            for (const std::string& v : values) {
                longer.push_back(point);
                longer.back().push_back(v);
            }
        }
        out = std::move(longer);
    }
    return out;
}

std::string SweepSpec::set_value(std::size_t axis, const std::string& value) const {
    const std::string& key = axes[axis].first;
    const bool names_a_file = key == "file" || key.ends_with(".file");
    if (!names_a_file || value.empty()) return value;
    return fs::absolute(config::path_from(folder, value)).lexically_normal().string();  // an absolute one stays
}

SweepSpec load_sweep(const std::string& name) {
    std::error_code ignored;
    const std::string path = fs::exists(name, ignored) ? name : config::path_from("", name);
    const config::Node root = config::load(path);
    const auto fail = [](const config::Location& at, const std::string& what) -> void {
        throw ConfigError(at.text() + ": " + what);
    };
    if (!root.is_map()) fail(root.at, "expected a map with run (or train), mode and axes");
    static constexpr std::array<std::string_view, 4> keys{"run", "train", "mode", "axes"};
    for (const auto& e : root.map) {
        if (std::find(keys.begin(), keys.end(), e.key) != keys.end()) continue;
        const std::string near = config::nearest_spelling(e.key, keys);
        fail(e.at, e.key + ": unknown key" +
                       (near.empty() ? "; known: run, train, mode, axes" : "; did you mean '" + near + "'?"));
    }
    SweepSpec sweep;
    const config::Node* base = root.find("run");
    if (const config::Node* train = root.find("train")) {
        if (base != nullptr) fail(train->at, "train: a sweep is over a run or a training, not both");
        base = train;
        sweep.command = "train";
    }
    if (base == nullptr || !base->is_scalar())
        fail(root.at, "run: required key is missing (path of a run file; train: of a training file)");
    sweep.folder = fs::path(path).parent_path().string();
    sweep.base = config::path_from(sweep.folder, base->scalar);
    if (const auto* mode = root.find("mode")) {
        sweep.mode = mode->scalar;
        if (sweep.mode != "product" && sweep.mode != "zip") fail(mode->at, "mode: expected product or zip");
    }
    const config::Node* axes = root.find("axes");
    if (axes == nullptr || !axes->is_map() || axes->map.empty())
        fail(root.at, "axes: expected a map of key paths to lists");
    for (const auto& e : axes->map) {
        if (!e.value.is_sequence() || e.value.sequence.empty())
            fail(e.at, "axes." + e.key + ": expected a list of values");
        sweep.axes.emplace_back(e.key, std::vector<std::string>{});
        for (const auto& v : e.value.sequence) {
            std::string text = v.is_scalar() ? v.scalar : config::emit(v);
            while (!text.empty() && text.back() == '\n') text.pop_back();
            sweep.axes.back().second.push_back(text);
        }
        if (sweep.mode == "zip" && sweep.axes.back().second.size() != sweep.axes.front().second.size()) {
            fail(e.at,
                 fmt::format("axes.{}: {} values, but axes.{} has {}; mode zip needs lists of one length",
                             e.key, sweep.axes.back().second.size(), sweep.axes.front().first,
                             sweep.axes.front().second.size()));
        }
    }
    return sweep;
}

}  // namespace loom::app
