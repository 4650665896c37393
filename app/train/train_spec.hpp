// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "app/train/synthetic_images.hpp"
#include "app/train/train_estimate.hpp"
#include "arch/chip_spec.hpp"
#include "base/config/located_yaml.hpp"
#include "compiler/profile.hpp"
#include "traces/stimulus.hpp"
#include "training/learn/algorithm.hpp"
#include "training/learn/formats.hpp"
#include "training/learn/loss.hpp"
#include "training/learn/network_spec.hpp"
#include "training/learn/optimiser.hpp"
#include "training/learn/surrogate.hpp"
#include "training/many_core/training_target.hpp"
#include "training/nir/from_nir.hpp"
#include "training/work/training_chip.hpp"

namespace loom::compiler {
inline std::span<const std::string_view> enum_names(BiasRule*) {
    static constexpr std::array<std::string_view, 2> names{"auto", "train"};
    return names;
}
}  // namespace loom::compiler

namespace loom::app {

struct WeightsSpec {
    std::string file;
    std::uint64_t seed = 1;
    double gain = 1;
};
template <class V>
void fields(V& v, WeightsSpec& s) {
    v("file", s.file, {.doc = ".npz with arrays `<layer>` (weight) or `<layer>.<parameter>`"});
    v("seed", s.seed, {.doc = "of random weights U(-k, k), k = gain sqrt(6 / fan-in)", .max = kAnyWhole});
    v("gain", s.gain, {.doc = "factor of random weights", .min = 0});
}

struct TrainNetworkSpec {
    std::string file;
    bool repair = false;
    compiler::BiasRule bias = compiler::BiasRule::Auto;
    std::vector<std::uint64_t> input;
    std::vector<learn::LayerSpec> layers;
    WeightsSpec weights;
};
template <class V>
void fields(V& v, TrainNetworkSpec& s) {
    v("file", s.file, {.doc = "network with its initial weights, NIR 1.x; or `layers`"});
    v("repair", s.repair, {.doc = "mend unique near-matches of misspelt node names"});
    v("bias", s.bias, {.doc = "auto: biases of a .nir that are all zero stay so; train: all are trained"});
    v("input", s.input,
      {.doc = "shape of a sample: [n], [channels, length] or [channels, rows, columns]; default: that of the "
              "data"});
    v("layers", s.layers, {.doc = "layers in order; docs/how-to/train.md lists the kinds"});
    v("weights", s.weights, {.doc = "initial weights of `layers`"});
}

struct DataSpec {
    std::string file = "digits";
    std::string x = "x_train", y = "y_train";
    std::optional<std::string> x_test, y_test;
    traces::Encoding encoding = traces::Encoding::Constant;
    std::optional<traces::AxisOrder> order;
    double scale = 1;
    std::uint64_t limit = 0, limit_test = 0;
    bool shuffle = true, drop_last = true;
    std::uint64_t seed = 1234;
    std::optional<SyntheticSpec> synthetic;
    bool drawn() const { return file == "synthetic"; }  ///< not from a file
};
template <class V>
void fields(V& v, DataSpec& s) {
    v("file", s.file,
      {.doc =
           ".npz; `digits`: the 1437 + 360 images of 8 x 8 that come with the program; `synthetic`: images "
           "drawn from random numbers"});
    v("x", s.x, {.doc = "array of training samples, [samples, ...]; spikes: [timesteps, samples, ...]"});
    v("y", s.y, {.doc = "array of their classes, 0, 1, ..."});
    v("x_test", s.x_test, {.doc = "array of test samples; default: x_test if the file has it"});
    v("y_test", s.y_test, {.doc = "array of their classes; default: y_test if the file has it"});
    v("encoding", s.encoding,
      {.doc = "constant: the same input in every timestep; spikes: as recorded; bernoulli, poisson: random "
              "spikes at the rate of the values, anew in every epoch"});
    v("order", s.order, {.doc = "of the first two axes of spikes; default: timesteps_first"});
    v("scale", s.scale, {.doc = "values are multiplied by this"});
    v("limit", s.limit, {.doc = "first so many training samples only; 0: all"});
    v("limit_test", s.limit_test, {.doc = "first so many test samples only; 0: all"});
    v("shuffle", s.shuffle,
      {.doc = "another order in every epoch e: numpy's RandomState(seed + e).permutation"});
    v("drop_last", s.drop_last, {.doc = "leave out the samples of an epoch that do not fill a batch"});
    v("seed", s.seed, {.doc = "of order and random spikes"});
    v.optional_section("synthetic", s.synthetic, {.doc = "how many images `file: synthetic` has, and which"});
}

/// So that steps x samples and epochs x steps do not overflow.
inline constexpr double kMaxSteps = 1e9;

struct TrainSection {
    learn::AlgorithmSpec algorithm;
    std::uint64_t timesteps = 0, batch = 0, steps = 0, epochs = 0, checkpoint = 0;
    learn::LossSpec loss;
    double loss_limit = 1e6;
    learn::SurrogateSpec surrogate;
    learn::OptimiserSpec optimizer;
    learn::FormatSpec formats;
};
template <class V>
void fields(V& v, TrainSection& s) {
    fields(v, s.algorithm);
    v("timesteps", s.timesteps, {.doc = "of a sample", .min = 1, .max = 1 << 20, .required = true});
    v("batch", s.batch, {.doc = "samples per step of the optimiser", .min = 1, .required = true});
    v("steps", s.steps, {.doc = "steps of the optimiser; or `epochs`", .max = kMaxSteps});
    v("epochs", s.epochs, {.doc = "passes over the training samples", .max = kMaxSteps});
    v("checkpoint", s.checkpoint,
      {.doc = "steps between checkpoints, besides the end of every epoch; 0: none"});
    v("loss", s.loss, {.doc = "what is made small; a name alone means {kind: name}"});
    v("loss_limit", s.loss_limit, {.doc = "a larger loss ends the training with an error", .min = 0});
    v("surrogate", s.surrogate, {.doc = "derivative that stands for that of the firing function"});
    v("optimizer", s.optimizer, {.doc = "how gradients change the weights"});
    v("formats", s.formats, {.doc = "number formats of stored values"});
}

enum class Dump { Spikes, Membranes, Gradients, Weights };
inline std::span<const std::string_view> enum_names(Dump*) {
    static constexpr std::array<std::string_view, 4> names{"spikes", "membranes", "gradients", "weights"};
    return names;
}

/// A training file.
struct TrainSpec {
    TrainNetworkSpec network;
    compiler::Profile profile;
    DataSpec data;
    TrainSection train;
    bool many_core = false;  ///< the chip has cores and a network; else it is a training engine
    std::optional<arch::TrainingChip> chip;
    std::optional<arch::ChipSpec> cores;
    std::optional<TrainEstimateSpec> estimate;
    std::vector<Dump> dump;
};
template <class V>
void fields(V& v, TrainSpec& s) {
    v("network", s.network, {.doc = "the network to train", .required = true});
    v("profile", s.profile, {.doc = "how neurons are executed; a .nir does not say", .required = true});
    v("data", s.data, {.doc = "samples and their classes"});
    v("train", s.train, {.doc = "how it is trained", .required = true});
    constexpr Field chip{.doc = "the chip that trains; `file:` includes one"};
    if (s.many_core)
        v.optional_section("chip", s.cores, chip);
    else
        v.optional_section("chip", s.chip, chip);
    v.optional_section("estimate", s.estimate,
                       {.doc = "how SATA_Sim's formula is set, which stands beside the executed run"});
    v("dump", s.dump, {.doc = "what of every step goes to dump.h5: spikes, membranes, gradients, weights"});
}

struct LoadedTrain {
    TrainSpec spec;
    config::Node root;         ///< places of values, for messages
    std::string network_path;  ///< absolute; empty: described
    std::string weights_path;  ///< absolute or empty
    std::string data_path;     ///< absolute; empty: drawn
};

/// The chip that trains; null: none. Throws ConfigError about keys below "chip.".
std::unique_ptr<training::TrainingTarget> training_target(const TrainSpec& spec);

/// Reads a training file with its includes. sets: "key.path=value". seed: replaces data.seed and
/// network.weights.seed. Throws ConfigError, IoError; Error(Usage) for a malformed --set.
LoadedTrain load_train(const std::string& path, const std::vector<std::string>& sets,
                       const std::uint64_t* seed = nullptr);

/// What reading alone cannot find: unknown engines, missing prices. Throws ConfigError.
void check_training_chip(const arch::TrainingChip& chip);

/// The whole configuration, defaults included; paths through `path_of`.
config::Node train_node(const LoadedTrain& loaded,
                        const std::function<std::string(const std::string&)>& path_of);

/// Whether the chip executes every step: so it is said, or nothing is said and there is a chip.
bool executes_cycles(const TrainSpec& spec, const std::string& fidelity);
/// "cycle" or "functional".
std::string fidelity_name(bool cycle);

/// Of all that a training's result depends on beside the program. Throws IoError.
std::string configuration_hash(const LoadedTrain& loaded, bool cycle);

}  // namespace loom::app

namespace loom {
extern template const ValueType& type_of<app::TrainSpec>();  // compiled once
}
