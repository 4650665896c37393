// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_setup.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/config_file.hpp"
#include "app/extensions.hpp"
#include "base/error.hpp"
#include "base/key_error.hpp"
#include "base/log.hpp"
#include "base/nearest.hpp"
#include "compiler/import/nir_reader.hpp"
#include "traces/npy.hpp"

namespace loom::app {
namespace {

learn::Shape shape_of(const std::vector<std::uint64_t>& s) {
    if (s.size() == 3) return {s[1], s[2], s[0]};
    if (s.size() == 2) return {1, s[1], s[0]};
    return {1, 1, s[0]};
}

std::vector<float> floats(const traces::Array& a, const std::string& where) {
    std::vector<float> v(a.size());
    for (std::size_t i = 0; i < v.size(); ++i) {
        v[i] = static_cast<float>(a.at(i));
        if (!(v[i] - v[i] == 0)) throw KeyError(where, fmt::format("value {} is not finite", i));
    }
    return v;
}

/// An array of a weights file and what it is of.
struct NamedArray {
    std::string where;  ///< for messages
    std::size_t layer;
    std::string key;
};

/// Arrays of an .npz into the layers that they are named after: `<layer>` is `<layer>.weight`.
std::vector<NamedArray> take_weights(learn::NetworkSpec& spec, const std::string& path) {
    const std::vector<std::string> layers = learn::resolve_layers(spec).names;
    std::vector<NamedArray> taken;
    for (const std::string& name : traces::npz_names(path)) {
        const std::size_t dot = name.rfind('.');
        const bool whole = std::ranges::find(layers, name) != layers.end();
        const std::string layer = whole || dot == std::string::npos ? name : name.substr(0, dot);
        const auto it = std::ranges::find(layers, layer);
        const std::string where = "network.weights.file: " + path + ": array '" + name + "'";
        if (it == layers.end()) throw KeyError(where, "no such layer: " + unknown_name(layer, layers));
        const std::string key = whole || dot == std::string::npos ? "weight" : name.substr(dot + 1);
        taken.push_back({where, static_cast<std::size_t>(it - layers.begin()), key});
        spec.layers[taken.back().layer].arrays[key] = floats(traces::read_npz(path, name), where);
    }
    return taken;
}

/// Each array must be a parameter of its layer, or a key of it that neurons have one by one.
void check_taken(const std::vector<NamedArray>& arrays, const learn::NetworkSpec& spec,
                 const learn::Network& network) {
    for (const NamedArray& a : arrays) {
        const std::string& kind = spec.layers[a.layer].kind;
        std::vector<std::string> known;
        for (const learn::Parameter& p : network.nodes()[a.layer].layer->parameters())
            known.push_back(p.name);
        for (const std::string& key : learn::per_neuron_keys(kind))
            if (std::ranges::find(known, key) == known.end()) known.push_back(key);
        if (std::ranges::find(known, a.key) != known.end()) continue;
        throw KeyError(
            a.where, known.empty() ? fmt::format("a layer of kind {} takes no arrays", kind)
                                   : fmt::format("a layer of kind {}: {}", kind, unknown_name(a.key, known)));
    }
}

learn::BuildOptions options_of(const TrainSpec& s, bool on_membrane) {
    learn::BuildOptions o;
    o.reset = s.profile.reset == "value" ? learn::Reset::Value : learn::Reset::Subtract;
    o.at_threshold = s.profile.compare == ">=";
    o.integrate_output = on_membrane;
    o.surrogate = s.train.surrogate;
    o.seed = s.network.weights.seed;
    o.init_gain = s.network.weights.gain;
    return o;
}

/// Layers of the file, or those described, whose input may be known only from the data.
learn::NetworkSpec network_spec(const LoadedTrain& loaded) {
    const TrainNetworkSpec& n = loaded.spec.network;
    if (!loaded.network_path.empty())
        return compiler::network_from_nir(
            compiler::read_nir(loaded.network_path, {n.repair, "network.repair: true"}, known().nodes),
            loaded.spec.profile, n.bias);
    learn::NetworkSpec spec;
    spec.layers = n.layers;
    return spec;
}

void check_batch(const TrainSpec& s, const TrainData& data) {
    if (s.train.batch > data.samples())
        throw KeyError("train.batch",
                       fmt::format("{} is more than the {} samples", s.train.batch, data.samples()));
}

}  // namespace

Training set_up_training(const LoadedTrain& loaded, bool cycle) {
    const TrainSpec& s = loaded.spec;
    Training t;
    with_places(loaded.root, [&] {
        const learn::Schedule schedule = learn::make_schedule(s.train.algorithm);
        learn::NetworkSpec spec = network_spec(loaded);
        std::optional<learn::Shape> input;
        if (!loaded.network_path.empty()) input = spec.input;
        if (!s.network.input.empty()) input = shape_of(s.network.input);
        t.data = std::make_unique<TrainData>(s.data, loaded.data_path, input, s.train.timesteps);
        for (const std::string& note : t.data->notes()) log::note(note);
        spec.input = t.data->shape();
        check_batch(s, *t.data);
        std::vector<NamedArray> arrays;
        if (!loaded.weights_path.empty()) arrays = take_weights(spec, loaded.weights_path);
        auto loss = learn::make_loss(s.train.loss);
        auto network = learn::build_network(spec, options_of(s, loss->on_membrane()));
        check_taken(arrays, spec, *network);
        t.data->check_labels(network->nodes().back().layer->out.count());
        if (network->weights() == 0) throw KeyError("network", "has no weights to train");
        t.target = training_target(s);
        auto optimiser = learn::make_optimiser(s.train.optimizer);
        if (t.target && t.target->cells() != nullptr) {
            if (schedule.updates_each_step)
                throw UnsupportedError(
                    "train.algorithm: updates in cells come once per minibatch, not at every timestep");
            const arch::CimCoreSpec& cells = *t.target->cells();
            auto pulses = std::make_unique<learn::PulseUpdate>(
                std::move(optimiser), learn::pulse_spec(cells, cells.training, s.network.weights.seed));
            pulses->program(*network);
            t.target->equip(*network, *pulses, s.network.weights.seed);
            t.cells = pulses.get();
            optimiser = std::move(pulses);
        }
        t.trainer = std::make_unique<learn::Trainer>(std::move(network), std::move(loss),
                                                     std::move(optimiser), schedule);
        t.formats = learn::make_formats(s.train.formats);
        t.trainer->formats = t.formats.get();
        if (!t.target) return;
        auto engine = t.target->engine();
        t.trainer->sum_group = engine->sum_group();
        if (cycle) t.engine = std::move(engine);
    });
    return t;
}

}  // namespace loom::app
