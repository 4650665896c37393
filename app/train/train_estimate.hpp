// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"
#include <string>
#include <vector>

#include "base/config/located_yaml.hpp"
#include "training/estimate/sata_model.hpp"

namespace loom::app {

enum class EstimateModel { Sata };
inline std::span<const std::string_view> enum_names(EstimateModel*) {
    static constexpr std::array<std::string_view, 1> names{"sata"};
    return names;
}

/// The section `estimate` of a training file: a published formula beside the executed run.
struct TrainEstimateSpec {
    EstimateModel model = EstimateModel::Sata;
    train_estimate::SataSetting setting;
    std::string network;  ///< a named one, or
    std::vector<train_estimate::LayerShape> layers;
    std::vector<train_estimate::Densities> activity;  ///< empty: setting.sparsity in every layer
};
template <class V>
void fields(V& v, TrainEstimateSpec& s) {
    v("model", s.model, {.doc = "sata: the training model of SATA_Sim"});
    fields(v, s.setting);
    v("network", s.network, {.doc = "a network by name (vgg5); or give `layers`"});
    v("layers", s.layers, {.doc = "layers in order, each on the one before"});
    v("activity", s.activity, {.doc = "densities by layer, instead of `sparsity`"});
}

struct LoadedTrainEstimate {
    TrainEstimateSpec spec;
    std::vector<train_estimate::LayerShape> layers;   ///< completed
    std::vector<train_estimate::Densities> activity;  ///< by layer
    config::Node root;
};
/// Reads and checks the section `estimate` of a file; other sections are not read. sets: "key.path=value".
/// ConfigError, IoError; Error(Usage) for a malformed --set.
LoadedTrainEstimate load_train_estimate(const std::string& path, const std::vector<std::string>& sets);

/// The estimate as it goes into stats.json: terms, phases, layers, the effect of each defect alone. For
/// layers and densities from wherever: a file, or an executed run.
Json train_estimate_json(const std::vector<train_estimate::LayerShape>& layers,
                                           const std::vector<train_estimate::Densities>& activity,
                                           const train_estimate::SataSetting& setting);
/// The estimate as tables, for people.
std::string train_estimate_text(const Json& estimate);

struct TrainEstimateOptions {
    std::string file;
    std::string output;  ///< empty: no files
    std::vector<std::string> sets;
    std::vector<std::string> fail_if;
    bool json = false;
};
/// `spikeloom train FILE.yaml --fidelity estimate`; returns the exit code.
int run_train_estimate(const TrainEstimateOptions& options);

}  // namespace loom::app

namespace loom {
extern template const ValueType& type_of<app::TrainEstimateSpec>();  // compiled once
}
