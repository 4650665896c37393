// SPDX-License-Identifier: Apache-2.0
#include "app/sweep/sweep_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include "base/json/json.hpp"

#include "app/file_kinds.hpp"
#include "base/config/reader.hpp"
#include "base/config/shipped.hpp"
#include "base/key_error.hpp"

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
    return fs::absolute(config::path_from(folder, value))
        .lexically_normal()
        .string();  // an absolute one stays
}

namespace {

constexpr std::array<std::string_view, 4> kKeys{"run", "train", "mode", "axes"};

[[noreturn]] void fail(const config::Location& at, const std::string& key, const std::string& problem) {
    throw KeyError(key, problem, at.text());
}

void check_keys(const config::Node& root) {
    if (!root.is_map()) fail(root.at, "", "expected a map with run (or train), mode and axes");
    for (const auto& e : root.map) {
        if (std::find(kKeys.begin(), kKeys.end(), e.key) != kKeys.end()) continue;
        const std::string near = config::nearest_spelling(e.key, kKeys);
        fail(e.at, e.key,
             near.empty() ? std::string("unknown key; known: run, train, mode, axes")
                          : "unknown key; did you mean '" + near + "'?");
    }
}

/// What is swept: a run or a training.
void read_base(const config::Node& root, const std::string& path, SweepSpec& sweep) {
    const config::Node* base = root.find("run");
    if (const config::Node* train = root.find("train")) {
        if (base != nullptr) fail(train->at, "train", "a sweep is over a run or a training, not both");
        base = train;
        sweep.command = "train";
    }
    if (base == nullptr || !base->is_scalar())
        fail(root.at, "run", "required key is missing (path of a run file; train: of a training file)");
    sweep.folder = fs::path(path).parent_path().string();
    sweep.base = config::path_from(sweep.folder, base->scalar);
}

std::vector<std::string> values_of(const config::Node::Entry& axis) {
    if (!axis.value.is_sequence() || axis.value.sequence.empty())
        fail(axis.at, "axes." + axis.key, "expected a list of values");
    std::vector<std::string> values;
    for (const auto& v : axis.value.sequence) {
        values.push_back(v.is_scalar() ? v.scalar : config::emit(v));
        while (values.back().ends_with('\n')) values.back().pop_back();
    }
    return values;
}

}  // namespace

SweepSpec load_sweep(const std::string& name) {
    std::error_code ignored;
    const std::string path = fs::exists(name, ignored) ? name : config::path_from("", name);
    const config::Node root = config::load(path);
    expect_kind(root, path, "sweep");
    check_keys(root);
    SweepSpec sweep;
    read_base(root, path, sweep);
    if (const auto* mode = root.find("mode")) {
        sweep.mode = mode->scalar;
        if (sweep.mode != "product" && sweep.mode != "zip") fail(mode->at, "mode", "expected product or zip");
    }
    const config::Node* axes = root.find("axes");
    if (axes == nullptr || !axes->is_map() || axes->map.empty())
        fail(root.at, "axes", "expected a map of key paths to lists");
    for (const auto& e : axes->map) {
        sweep.axes.emplace_back(e.key, values_of(e));
        const auto& [first, values] = sweep.axes.front();
        if (sweep.mode == "zip" && sweep.axes.back().second.size() != values.size()) {
            fail(e.at, "axes." + e.key,
                 fmt::format("{} values, but axes.{} has {}; mode zip needs lists of one length",
                             sweep.axes.back().second.size(), first, values.size()));
        }
    }
    return sweep;
}

std::string sweep_schema(const config::SchemaOptions& options) {

    const auto text = [](const char* what) { return Json{{"description", what}, {"type", "string"}}; };
    Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"},
                {"title", options.title},
                {"type", "object"},
                {"additionalProperties", false}};
    Json& p = schema["properties"];
    p["run"] = text("the run file of which every point is a variant");
    p["train"] = text("the training file, instead of `run`");
    p["mode"] = {{"description", "product: all combinations; zip: the lists side by side"},
                 {"enum", {"product", "zip"}},
                 {"default", "product"}};
    p["axes"] = {{"description", "key path -> list of values; `file` keys are relative to the sweep file"},
                 {"type", "object"},
                 {"additionalProperties", {{"type", "array"}, {"minItems", 1}}}};
    schema["required"] = {"axes"};
    return schema.dump(2) + "\n";
}

}  // namespace loom::app
