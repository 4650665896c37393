// SPDX-License-Identifier: Apache-2.0
#include "app/file_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "app/chip_files.hpp"
#include "app/cim/cim_file.hpp"
#include "app/extensions.hpp"
#include "app/noc/noc_spec.hpp"
#include "app/run/run_spec.hpp"
#include "app/sweep/sweep_spec.hpp"
#include "app/train/train_estimate.hpp"
#include "app/train/train_spec.hpp"
#include "base/error.hpp"
#include "base/key_error.hpp"

namespace loom::app {
namespace {

using config::Node;
using Sets = std::vector<std::string>;

template <class T>
std::string schema_of(const config::SchemaOptions& options) {
    return config::json_schema<T>(options);
}

std::string chip_schema(const config::SchemaOptions& options) {
    return config::json_schema_of(new_chip(), options);
}

bool has_any(const Node& root, std::initializer_list<const char*> keys) {
    return std::any_of(keys.begin(), keys.end(), [&](const char* k) { return root.find(k) != nullptr; });
}

// Each kind has keys at its root that no other kind has. Where one kind's keys are among another's (a
// training has a network as a run has), the smaller one asks that the larger one's are missing.

bool is_sweep(const Node& root) {
    return has_any(root, {"axes", "run"});
}

bool is_train(const Node& root) {
    return has_any(root, {"train", "estimate", "data"}) && !is_sweep(root);
}

bool is_run(const Node& root) {
    return has_any(root, {"network", "profile", "input"}) && !is_train(root) && !is_sweep(root);
}

bool is_training_chip(const Node& root) {
    return has_any(root, {"buffers", "dram", "clock_period", "lut_inputs"});
}

bool is_energy(const Node& root) {
    return has_any(root, {"actions", "unpriced", "ert", "ERT"});
}

bool is_fabric(const Node& root) {
    return has_any(root, {"topology", "routing", "multicast"});
}

bool has_cores(const Node& root) {
    return has_any(root, {"core", "cores", "timestep"});
}

/// A network alone: with traffic, or without the name that a chip must have.
bool is_noc(const Node& root) {
    if (has_any(root, {"traffic", "measure"})) return true;
    return root.find("noc") != nullptr && root.find("name") == nullptr && !has_cores(root);
}

bool is_chip(const Node& root) {
    return (has_cores(root) || root.find("noc") != nullptr) && !is_noc(root);
}

bool is_cim(const Node& root) {
    return is_cim_file(root) && !is_training_chip(root);
}

void validate_train(const std::string& file, const Sets& sets) {
    const Node root = config::load_with_base(file);
    if (root.find("train") != nullptr || root.find("estimate") == nullptr) load_train(file, sets);
    if (root.find("estimate") != nullptr) load_train_estimate(file, sets);
}

constexpr FileKind kKinds[] = {
    {"run", "`spikeloom run` and `spikeloom map`", is_run,
     [](const std::string& f, const Sets& s) { load_run(f, s); }, schema_of<RunSpec>},
    {"train", "`spikeloom train`", is_train, validate_train, schema_of<TrainSpec>},
    {"sweep", "`spikeloom sweep`", is_sweep, [](const std::string& f, const Sets&) { load_sweep(f); },
     sweep_schema},
    {"noc", "`spikeloom noc`", is_noc, [](const std::string& f, const Sets& s) { load_noc(f, s); },
     schema_of<NocRunSpec>},
    {"cim", "`spikeloom cim`", is_cim, [](const std::string& f, const Sets& s) { load_cim(f, s); },
     cim_schema},
    {"chip", "the key `chip` of a run or training file", is_chip, check_chip_file, chip_schema},
    {"training-chip", "the key `chip` of a training file", is_training_chip, check_training_chip_file,
     schema_of<arch::TrainingChip>},
    {"fabric", "the key `noc` of a chip or noc file", is_fabric, check_fabric_file, schema_of<arch::NocSpec>},
    {"energy", "the key `energy` of a chip", is_energy, check_energy_file, schema_of<arch::EnergySpec>},
};

std::string with_article(std::string_view kind) {
    return fmt::format("{} {} file", kind.starts_with('e') ? "an" : "a", kind);
}

std::string keys_of(const Node& root) {
    constexpr std::size_t kShown = 8;
    std::string text;
    for (std::size_t i = 0; i < std::min(kShown, root.map.size()); ++i)
        text += (i > 0 ? ", " : "") + root.map[i].key;
    return root.map.empty() ? "none" : text + (root.map.size() > kShown ? ", ..." : "");
}

}  // namespace

std::span<const FileKind> file_kinds() {
    return kKinds;
}

const FileKind& file_kind(std::string_view name) {
    for (const FileKind& kind : kKinds) {
        if (kind.name == name) return kind;
    }
    throw InternalError(fmt::format("no kind of file is called {}", name));
}

std::string file_kind_names() {
    std::string names;
    for (const FileKind& kind : kKinds) names += fmt::format("{}{}", names.empty() ? "" : ", ", kind.name);
    return names;
}

const FileKind* kind_of(const config::Node& root) {
    const FileKind* found = nullptr;
    for (const FileKind& kind : kKinds) {
        if (!kind.recognises(root)) continue;
        if (found != nullptr) return nullptr;
        found = &kind;
    }
    return found;
}

const FileKind& kind_of_file(const std::string& file) {
    const Node root = config::load_with_base(file);
    if (const FileKind* kind = kind_of(root)) return *kind;
    throw KeyError("",
                   fmt::format("cannot tell what kind of file this is from its keys ({}); the kinds are {} "
                               "(`spikeloom schema KIND` lists their keys)",
                               keys_of(root), file_kind_names()),
                   file);
}

void expect_part(const std::string& key, const config::Node& part) {
    const FileKind* found = kind_of(part);
    if (found == nullptr) return;
    const std::string_view name = found->name;
    const bool network = name == "noc" && !has_any(part, {"traffic", "measure"});  // or a part of a chip
    const bool right = key == "chip"     ? name == "chip" || name == "training-chip" || network
                       : key == "noc"    ? name == "fabric"
                       : key == "energy" ? name == "energy"
                                         : true;
    if (right) return;
    throw KeyError(key,
                   fmt::format("is {}, for {}; expected {}", with_article(name), found->use,
                               key == "chip"  ? "a chip file"
                               : key == "noc" ? "a fabric file"
                                              : "an energy file"),
                   part.at.file);
}

void expect_kind(const config::Node& root, const std::string& file, std::string_view kind) {
    const FileKind* found = kind_of(root);
    if (found == nullptr || found->name == kind) return;
    throw KeyError(
        "",
        fmt::format("is {}, for {}; expected {}", with_article(found->name), found->use, with_article(kind)),
        file);
}

}  // namespace loom::app
