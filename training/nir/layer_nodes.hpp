// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "compiler/nodes/node_catalogue.hpp"
#include "compiler/profile.hpp"
#include "training/learn/layer.hpp"

namespace loom::compiler {

/// Layers of a trained network as nodes of a NIR graph.
struct NodeWriter {
    const NodeCatalogue& types;
    const Profile& profile;
    bool line;  ///< maps are [channels, length]: the network has one-dimensional convolutions

    /// Rule, arrays and output_shape of a node whose input_shape is known. UnsupportedError for what NIR does
    /// not have.
    void write(learn::Layer& layer, NirNode& node) const;
    /// Axes of a map that `layer` takes or gives.
    std::vector<std::size_t> map_shape(const learn::Layer& layer, const learn::Shape& s) const;
};

/// A convolution or a pool: takes maps.
bool takes_maps(const learn::Layer& layer);
/// Throws UnsupportedError "layer 'x' ...".
[[noreturn]] void refuse_layer(const learn::Layer& layer, const char* why);

/// A node whose input_shape is known becomes a Flatten to a vector of so many values.
void make_flatten(const NodeCatalogue& types, NirNode& node, std::size_t count);

/// Parameter p as files have it.
Tensor parameter_tensor(learn::Layer& layer, std::size_t p, std::vector<std::size_t> shape);

}  // namespace loom::compiler
