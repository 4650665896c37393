// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_spec.hpp"

#include "app/extensions.hpp"

#include <array>
#include <filesystem>

#include "app/config_file.hpp"
#include "app/file_kinds.hpp"
#include "app/profile_section.hpp"
#include "app/run/run_spec.hpp"
#include "base/config/reader.hpp"
#include "base/config/shipped.hpp"
#include "base/config/writer.hpp"
#include "base/error.hpp"
#include "base/key_error.hpp"
#include "base/input_file.hpp"
#include "base/sha1.hpp"
#include "sim/report/area.hpp"
#include "sim/report/ert.hpp"
#include "training/accelerator/make_engine.hpp"
#include "training/learn/neurons/make_neurons.hpp"
#include "training/price/pricing.hpp"

namespace loom::app {
namespace fs = std::filesystem;
namespace {

/// The digits that come with the program.
std::string shipped_digits() {
    std::error_code ec;
    const fs::path file = fs::path(config::shipped_folder()) / "configs" / "data" / "digits.npz";
    if (fs::exists(file, ec)) return file.lexically_normal().string();
    throw IoError("data.file: the digits that come with the program (configs/data/digits.npz) are not there");
}

void check_surrogate(const learn::SurrogateSpec& spec) {
    learn::NeuronSpec neurons;  // for which every kind works
    neurons.lif.leak = {{1.0F}};
    neurons.lif.reset = learn::Reset::Subtract;
    learn::make_neurons({}, neurons, spec);
}

/// `loss: name` is `loss: {kind: name}`.
void expand_loss(config::Node& root) {
    config::Node* train = root.find("train");
    config::Node* loss = train == nullptr ? nullptr : train->find("loss");
    if (loss == nullptr || !loss->is_scalar()) return;
    config::Node map = config::Node::make_map();
    map.at = loss->at;
    map.put("kind", *loss);
    *loss = std::move(map);
}

/// What the reader alone cannot find.
void check(const TrainSpec& s) {
    compiler::check_profile(s.profile);
    compiler::check_training_profile(s.profile);
    if (s.network.file.empty() == s.network.layers.empty())
        throw KeyError("network", "give either `file` or `layers`");
    if (!s.network.file.empty() && !s.network.input.empty())
        throw KeyError("network.input", "the file says it");
    if (const std::size_t n = s.network.input.size(); n > 3)
        throw KeyError("network.input", "expected [n], [channels, length] or [channels, rows, columns]");
    for (const std::uint64_t d : s.network.input)
        if (d == 0 || d > (1U << 24)) throw KeyError("network.input", "a dimension must be from 1 to 2^24");
    if ((s.train.steps == 0) == (s.train.epochs == 0))
        throw KeyError("train", "give either `steps` or `epochs`");
    if (s.data.synthetic && !s.data.drawn())
        throw KeyError("data.synthetic", "applies to data.file: synthetic only");
    learn::make_loss(s.train.loss);
    learn::make_schedule(s.train.algorithm);
    learn::make_formats(s.train.formats);
    check_surrogate(s.train.surrogate);
    training_target(s);
    learn::make_optimiser(s.train.optimizer);
    if (!s.network.layers.empty()) {
        learn::NetworkSpec network;
        network.layers = s.network.layers;
        learn::resolve_layers(network);
    }
}

}  // namespace

std::unique_ptr<training::TrainingTarget> training_target(const TrainSpec& s) {
    if (!s.chip && !s.cores) return nullptr;
    try {
        if (s.cores) check_timestep(*s.cores);
        return s.cores ? training::make_target(*s.cores) : training::make_target(*s.chip);
    } catch (const ConfigError& e) {
        throw as_key_error(e).below("chip");
    }
}

void check_training_chip(const arch::TrainingChip& chip) {
    training::make_engine(chip);
    training::check_training_prices(chip);
    stats::check_area(chip.energy, "energy");
}

LoadedTrain load_train(const std::string& path, const std::vector<std::string>& sets,
                       const std::uint64_t* seed) {
    LoadedTrain t;
    t.root = config::load_with_base(path);
    apply_sets(t.root, sets);
    expect_kind(t.root, path, "train");
    const std::array<std::string, 1> sections{"chip"};
    config::include_files(t.root, sections, expect_part);
    if (t.root.find("chip") != nullptr) stats::expand_ert(t.root, "chip.energy", known().cores);
    start_profile(t.root, t.spec.profile);
    expand_loss(t.root);
    if (const config::Node* chip = t.root.find("chip"); chip != nullptr && chip->is_map())
        t.spec.many_core = chip->find("core") != nullptr || chip->find("cores") != nullptr;
    if (t.spec.many_core) t.spec.cores.emplace(new_chip());
    config::read_into(t.root, "", t.spec);
    with_places(t.root, [&] { check(t.spec); });
    if (seed != nullptr)
        t.spec.data.seed = t.spec.network.weights.seed = t.spec.train.algorithm.seed =
            t.spec.train.formats.seed = *seed;
    if (!t.spec.network.file.empty()) t.network_path = resolve(t.root, "network.file", t.spec.network.file);
    if (!t.spec.network.weights.file.empty())
        t.weights_path = resolve(t.root, "network.weights.file", t.spec.network.weights.file);
    if (t.spec.data.file == "digits")
        t.data_path = shipped_digits();
    else if (!t.spec.data.drawn())
        t.data_path = resolve(t.root, "data.file", t.spec.data.file);
    return t;
}

config::Node train_node(const LoadedTrain& loaded,
                        const std::function<std::string(const std::string&)>& path_of) {
    TrainSpec spec = loaded.spec;
    if (!loaded.network_path.empty()) spec.network.file = path_of(loaded.network_path);
    if (!loaded.weights_path.empty()) spec.network.weights.file = path_of(loaded.weights_path);
    if (spec.data.file != "digits" && !spec.data.drawn()) spec.data.file = path_of(loaded.data_path);
    return config::to_node(spec);
}

bool executes_cycles(const TrainSpec& spec, const std::string& fidelity) {
    return fidelity.empty() ? spec.chip.has_value() || spec.cores.has_value() : fidelity == "cycle";
}

std::string fidelity_name(bool cycle) {
    return cycle ? "cycle" : "functional";
}

std::string configuration_hash(const LoadedTrain& loaded, bool cycle) {
    const std::string data = loaded.data_path.empty() ? "" : input_hash(loaded.data_path);
    return sha1_hex(fidelity_name(cycle) + config::emit(train_node(loaded, input_hash)) + data);
}

}  // namespace loom::app

namespace loom {
template const ValueType& type_of<app::TrainSpec>();
}
