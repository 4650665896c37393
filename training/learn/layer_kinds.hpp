// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "training/learn/layer.hpp"
#include "training/learn/network_spec.hpp"
#include "training/learn/neurons/lif.hpp"

namespace loom::learn {

/// What a maker knows of the layer that it makes.
struct LayerContext {
    const LayerSpec& spec;
    const BuildOptions& options;
    Shape in;
    std::size_t number;   ///< of the layer in the network
    std::string where;    ///< begins messages
    bool from_file;       ///< messages are InputErrors
    bool output = false;  ///< the last layer

    [[noreturn]] void fail(const std::string& key, const std::string& problem) const;
    /// The key's value; an error when it is not set.
    std::uint64_t need(std::string_view key, const std::optional<std::uint64_t>& value) const;
    /// Rows and columns of a key that takes a number for both or two; `axes` 1: one number, for columns.
    std::array<std::size_t, 2> pair(const std::string& key,
                                    const std::optional<ShortList<std::uint64_t>>& value,
                                    std::array<std::size_t, 2> fallback, std::size_t axes = 2) const;
    /// `padding` as numbers, like pair(); `or_else` ends the message about anything else.
    std::array<std::size_t, 2> padding(std::size_t axes, const std::string& or_else = "") const;
    /// Fails on `key` unless the window fits the padded input.
    void check_window(const std::string& key, const arch::Window& window) const;
    /// Values of a key, in the layer's own element order: from `arrays`, else the scalar, else `fallback`.
    PerNeuron per_neuron(const std::string& key, const std::optional<double>& scalar, float fallback) const;
    /// Random initial weights into parameter p of `layer`, in the order of files.
    void init_uniform(Layer& layer, std::size_t p, std::size_t fan_in) const;
    std::size_t sources = 1;  ///< layers whose outputs are added
};

/// A kind of layer: one maker (a file in kinds/) and one line in layer_kinds.cpp.
struct LayerKind {
    std::string_view name;
    std::vector<std::string_view> keys;  ///< that it takes, beside kind, name, from
    std::unique_ptr<Layer> (*make)(const LayerContext&);
    std::string_view doc;
};
const std::vector<LayerKind>& layer_kinds();
std::vector<std::string> layer_kind_names();
/// nullptr for an unknown kind.
const LayerKind* find_layer_kind(std::string_view name);

std::unique_ptr<Layer> make_dense(const LayerContext& c);
std::unique_ptr<Layer> make_conv(const LayerContext& c);
std::unique_ptr<Layer> make_conv1d(const LayerContext& c);
std::unique_ptr<Layer> make_avg_pool(const LayerContext& c);
std::unique_ptr<Layer> make_sum_pool(const LayerContext& c);
std::unique_ptr<Layer> make_flatten(const LayerContext& c);
std::unique_ptr<Layer> make_lif(const LayerContext& c);
std::unique_ptr<Layer> make_if(const LayerContext& c);
std::unique_ptr<Layer> make_li(const LayerContext& c);
std::unique_ptr<Layer> make_cuba_lif(const LayerContext& c);
std::unique_ptr<Layer> make_plif(const LayerContext& c);
std::unique_ptr<Layer> make_alif(const LayerContext& c);
std::unique_ptr<Layer> make_recurrent(const LayerContext& c);
std::unique_ptr<Layer> make_recurrent_alif(const LayerContext& c);
std::unique_ptr<Layer> make_max_pool(const LayerContext& c);
std::unique_ptr<Layer> make_add(const LayerContext& c);
std::unique_ptr<Layer> make_batch_norm(const LayerContext& c);
std::unique_ptr<Layer> make_td_batch_norm(const LayerContext& c);

}  // namespace loom::learn
