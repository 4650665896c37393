// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_estimate.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "app/config_file.hpp"
#include "app/failed_checks.hpp"
#include "app/file_kinds.hpp"
#include "app/result_dir.hpp"
#include "base/config/reader.hpp"
#include "base/config/writer.hpp"
#include "base/json/figures.hpp"
#include "base/key_error.hpp"
#include "base/nearest.hpp"

namespace loom::app {
namespace {

namespace te = train_estimate;


template <class E>
std::string name_of(E value) {
    return std::string(enum_names(static_cast<E*>(nullptr))[static_cast<std::size_t>(value)]);
}

constexpr std::array<const char*, te::kPhases.size()> kPhaseNames{"forward", "backward", "update"};

const config::Node& section_of(const config::Node& root, const std::string& path) {
    if (const config::Node* node = root.find("estimate")) return *node;
    for (const auto& entry : root.map) {
        if (edit_distance(entry.key, "estimate", true) <= 2)
            throw KeyError(entry.key, "unknown key; did you mean 'estimate'?", entry.at.text());
    }
    throw KeyError("estimate",
                   "missing; --fidelity estimate reads this section (docs/reference/validation-training.md)", path);
}

std::vector<te::LayerShape> layers_of(const TrainEstimateSpec& spec) {
    if (spec.layers.empty()) {
        if (spec.network.empty()) throw KeyError("network", "missing; name one (vgg5), or give `layers`");
        return te::network_layers(spec.network);
    }
    if (!spec.network.empty()) throw KeyError("layers", "given beside `network`; one of the two");
    return te::completed(spec.layers);
}

Json term_json(const te::Estimate& e, te::Term t) {
    return {{"phase", kPhaseNames[static_cast<std::size_t>(te::term_info(t).phase)]},
            {"kind", te::term_info(t).kind == te::Kind::Compute ? "compute" : "memory"},
            {"count", e.count(t)},
            {"unit_energy", e.unit_energy(t)},
            {"energy", e.energy(t)},
            {"energy_mac", e.in_macs(e.energy(t))},
            {"percent", finite_or_null(te::percent_of(e.energy(t), e.total()))}};
}

/// energy: of a phase and kind.
template <class F>
Json phases_json(const F& energy) {
    Json j;
    for (const te::EstimatePhase p : te::kPhases) {
        const double compute = energy(p, te::Kind::Compute), memory = energy(p, te::Kind::Memory);
        j[kPhaseNames[static_cast<std::size_t>(p)]] = {
            {"compute_mac", compute}, {"memory_mac", memory}, {"total_mac", compute + memory}};
    }
    return j;
}

Json layer_json(const te::Estimate& e, std::size_t i, const te::LayerShape& shape, const te::Densities& a) {
    Json j{{"kind", name_of(shape.kind)},
           {"weights", shape.weights()},
           {"neurons", shape.outputs()},
           {"synapses", shape.synapses()},
           {"density", {{"spikes", a.spikes}, {"error", a.error}, {"derivative", a.derivative}}}};
    for (const te::Term t : te::kTerms) j["counts"][std::string(te::term_info(t).name)] = e.count(i, t);
    j["phases"] = phases_json([&](te::EstimatePhase p, te::Kind k) { return e.in_macs(e.energy(i, p, k)); });
    double total = 0;
    for (const auto& phase : j["phases"]) total += phase["total_mac"].get<double>();
    j["total_mac"] = total;
    return j;
}

}  // namespace

LoadedTrainEstimate load_train_estimate(const std::string& path, const std::vector<std::string>& sets) {
    LoadedTrainEstimate run;
    run.root = config::load_with_base(path);
    apply_sets(run.root, sets);
    expect_kind(run.root, path, "train");
    config::read_into(section_of(run.root, path), "estimate", run.spec);
    with_places(run.root, [&] {
        try {
            run.layers = layers_of(run.spec);
            run.activity = run.spec.activity.empty() ? te::uniform_activity(run.layers, run.spec.setting)
                                                     : run.spec.activity;
            te::estimate(run.layers, run.activity, run.spec.setting);
        } catch (const ConfigError& e) {
            throw as_key_error(e).below("estimate");
        }
    });
    return run;
}

Json train_estimate_json(const std::vector<te::LayerShape>& layers,
                         const std::vector<te::Densities>& activity, const te::SataSetting& setting) {
    const te::Estimate e = te::estimate(layers, activity, setting);
    Json j{{"schema_version", 1},
           {"model", "sata"},
           {"variant", name_of(setting.variant)},
           {"repaired", Json::array()},
           {"timesteps", setting.timesteps},
           {"bits", setting.bits},
           {"batch", setting.batch},
           {"total_mac", e.total_macs()},
           {"cycles", e.cycles},
           {"leakage_mac", e.in_macs(e.leakage)}};
    for (const te::Defect d : setting.repair) j["repaired"].push_back(name_of(d));
    j["phases"] = phases_json([&](te::EstimatePhase p, te::Kind k) { return e.in_macs(e.energy(p, k)); });
    for (const te::Term t : te::kTerms) j["terms"][std::string(te::term_info(t).name)] = term_json(e, t);
    j["layers"] = Json::array();
    for (std::size_t i = 0; i < layers.size(); ++i)
        j["layers"].push_back(layer_json(e, i, layers[i], activity[i]));
    j["defects"] = Json::array();
    for (const te::Effect& x : te::effects_alone(layers, activity, setting)) {
        Json repaired = Json::array();
        for (const te::Defect d : x.repaired) repaired.push_back(name_of(d));
        j["defects"].push_back({{"number", x.number},
                                {"what", x.what},
                                {"repaired", repaired},
                                {"effect_mac", x.macs},
                                {"effect_percent", finite_or_null(x.percent)}});
    }
    return j;
}

std::string train_estimate_text(const Json& j) {
    const auto number = [](const Json& x) { return x.get<double>(); };
    const auto text = [](const Json& x) { return x.get<std::string>(); };
    std::string out =
        fmt::format("SATA_Sim's formula, {}, {} timesteps, {} bits forward; per sample, in 16-bit MACs\n",
                    text(j["variant"]), j["timesteps"].get<std::uint64_t>(), j["bits"].get<std::uint64_t>());
    for (const Json& d : j["repaired"]) out += fmt::format("repaired: {}\n", text(d));
    out += fmt::format("{:<10}{:<9} {:<8}{:>16} {:>12} {:>20} {:>8}\n", "term", "phase", "kind", "count",
                       "unit", "MACs", "%");
    for (const auto& [name, t] : j["terms"].items()) {
        out += fmt::format("{:<10}{:<9} {:<8}{:>16.1f} {:>12.6g} {:>20.1f} {:>8}\n", name,
                           text(t["phase"]), text(t["kind"]), number(t["count"]), number(t["unit_energy"]),
                           number(t["energy_mac"]), figure_text(t["percent"], "{:.4f}"));
    }
    for (const auto& [name, p] : j["phases"].items()) {
        out += fmt::format("{:<9}compute {}, memory {}, total {}\n", name, number(p["compute_mac"]),
                           number(p["memory_mac"]), number(p["total_mac"]));
    }
    if (number(j["cycles"]) > 0) {
        out += fmt::format("leakage  {} in at least {:.0f} cycles\n", number(j["leakage_mac"]),
                           number(j["cycles"]));
    }
    out += fmt::format(
        "total    {}\n\nlayer               weights         neurons         synapses               MACs\n",
        number(j["total_mac"]));
    for (std::size_t i = 0; i < j["layers"].size(); ++i) {
        const Json& l = j["layers"][i];
        out += fmt::format("{:<3}{:<10}{:>14.0f} {:>15.0f} {:>16.0f} {:>18.1f}\n", i, text(l["kind"]),
                           number(l["weights"]), number(l["neurons"]), number(l["synapses"]),
                           number(l["total_mac"]));
    }
    out += fmt::format("\ndefects of the shipped formula, each repaired alone (batch {})\n",
                       j["batch"].get<std::uint64_t>());
    for (const Json& d : j["defects"]) {
        out += fmt::format("{:<3}{:<46}{:>20.1f} {:>9} %\n", text(d["number"]), text(d["what"]),
                           number(d["effect_mac"]), figure_text(d["effect_percent"], "{:.4f}"));
    }
    return out;
}

int run_train_estimate(const TrainEstimateOptions& o) {
    const std::vector<stats::FailIf> checks(o.fail_if.begin(), o.fail_if.end());
    const LoadedTrainEstimate run = load_train_estimate(o.file, o.sets);
    const Json j = train_estimate_json(run.layers, run.activity, run.spec.setting);
    check_finite(j);
    const std::string stats = j.dump(1) + "\n", text = train_estimate_text(j);
    if (!o.output.empty()) {
        ResultDir directory(o.output, "train --fidelity estimate");
        config::Node resolved = config::Node::make_map();
        resolved.put("estimate", config::to_node(run.spec));
        directory.write("stats.json", stats);
        directory.write("summary.txt", text);
        directory.write("config.resolved.yaml", config::emit(resolved));
        directory.commit({{"schema_version", 1}});
    }
    fmt::print("{}", o.json ? stats : text);
    return failed_checks(checks, j);
}

}  // namespace loom::app

namespace loom {
template const ValueType& type_of<app::TrainEstimateSpec>();
}
