// SPDX-License-Identifier: Apache-2.0
#include "training/learn/network_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "training/learn/layer_kinds.hpp"

namespace loom::learn {
namespace {

/// Names of the keys of a LayerSpec that are set.
struct SetKeys {
    std::vector<std::string> names;
    template <class T>
    void operator()(std::string_view name, std::optional<T>& member, const Field&) {
        if (member) names.emplace_back(name);
    }
    template <class T>
    void operator()(std::string_view, T&, const Field&) {}
};

std::string shape_text(const Shape& s) {
    return s.spatial() ? fmt::format("{} x {} x {}", s.channels, s.height, s.width)
                       : std::to_string(s.channels);
}

class Builder {
  public:
    Builder(const NetworkSpec& spec, const BuildOptions& options)
        : spec_(spec), options_(options), layers_(resolve_layers(spec)) {}

    std::unique_ptr<Network> build() {
        auto network = std::make_unique<Network>(spec_.input);
        for (std::size_t i = 0; i < spec_.layers.size(); ++i) {
            LayerContext c{spec_.layers[i],
                           options_,
                           {},
                           i,
                           where(i),
                           !spec_.file.empty(),
                           i + 1 == spec_.layers.size()};
            c.in = shape_of(*network, layers_.sources[i][0]);
            c.sources = layers_.sources[i].size();
            for (const std::uint32_t s : layers_.sources[i]) {
                const Shape other = shape_of(*network, s);
                if (!(other == c.in))
                    c.fail("from", fmt::format("adds outputs of different shapes, {} and {}",
                                               shape_text(c.in), shape_text(other)));
            }
            std::unique_ptr<Layer> layer = find_layer_kind(c.spec.kind)->make(c);
            layer->name = layers_.names[i];
            import_arrays(*layer, c);
            network->add(std::move(layer), layers_.sources[i]);
        }
        return network;
    }

  private:
    std::string where(std::size_t i) const {
        return spec_.file.empty() ? fmt::format("network.layers.{}", i)
                                  : fmt::format("{}: node '{}'", spec_.file, layers_.names[i]);
    }
    static Shape shape_of(const Network& n, std::uint32_t source) {
        return source == Network::kInput ? n.input_shape() : n.nodes()[source].layer->out;
    }
    static void import_arrays(Layer& layer, const LayerContext& c) {
        for (std::size_t p = 0; p < layer.parameters().size(); ++p) {
            const Parameter& parameter = layer.parameters()[p];
            const auto it = c.spec.arrays.find(parameter.name);
            // `leak` is the leak itself, which a trained one starts from
            if (it == c.spec.arrays.end() || it->first == "leak") continue;
            if (it->second.size() != parameter.value.size())
                c.fail(parameter.name, fmt::format("has {} values, the layer takes {}", it->second.size(),
                                                   parameter.value.size()));
            layer.import(p, it->second);
        }
    }
    const NetworkSpec& spec_;
    const BuildOptions& options_;
    ResolvedLayers layers_;
};

void check_keys(const LayerSpec& layer, const std::string& where) {
    const LayerKind* kind = find_layer_kind(layer.kind);
    if (kind == nullptr) throw ConfigError(where + ".kind: " + unknown_name(layer.kind, layer_kind_names()));
    SetKeys set;
    fields(set, const_cast<LayerSpec&>(layer));  // descriptions take T&; this visitor only reads
    for (const std::string& key : set.names) {
        if (std::ranges::find(kind->keys, key) != kind->keys.end()) continue;
        throw ConfigError(fmt::format("{}.{}: a layer of kind {} has no such key{}", where, key, layer.kind,
                                      suggestion(key, {kind->keys.begin(), kind->keys.end()})));
    }
}

}  // namespace

ResolvedLayers resolve_layers(const NetworkSpec& spec) {
    ResolvedLayers r;
    if (spec.layers.empty()) throw ConfigError("network.layers: a network needs at least one layer");
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        const LayerSpec& layer = spec.layers[i];
        const std::string where = fmt::format("network.layers.{}", i);
        check_keys(layer, where);
        std::vector<std::uint32_t> sources;
        for (const std::string& from : layer.from) {
            const auto it = std::ranges::find(r.names, from);
            if (from == "input") {
                sources.push_back(Network::kInput);
            } else if (it != r.names.end()) {
                sources.push_back(static_cast<std::uint32_t>(it - r.names.begin()));
            } else {
                std::vector<std::string> known = r.names;
                known.emplace_back("input");
                throw ConfigError(where + ".from: no layer before this one: " + unknown_name(from, known));
            }
        }
        if (sources.empty()) sources.push_back(i == 0 ? Network::kInput : static_cast<std::uint32_t>(i - 1));
        const std::string name = layer.name.empty() ? layer.kind + std::to_string(i) : layer.name;
        if (name == "input" || std::ranges::find(r.names, name) != r.names.end())
            throw ConfigError(fmt::format("{}.name: '{}' is taken", where, name));
        r.names.push_back(name);
        r.sources.push_back(std::move(sources));
    }
    return r;
}

std::vector<std::string> per_neuron_keys(std::string_view kind) {
    std::vector<std::string> keys;
    const LayerKind* k = find_layer_kind(kind);
    for (const char* key : {"leak", "gain", "drift", "threshold", "v_reset"})
        if (std::ranges::find(k->keys, key) != k->keys.end() &&
            std::ranges::find(k->keys, "gain") != k->keys.end())
            keys.emplace_back(key);
    return keys;
}

std::unique_ptr<Network> build_network(const NetworkSpec& spec, const BuildOptions& options) {
    return Builder(spec, options).build();
}

}  // namespace loom::learn
