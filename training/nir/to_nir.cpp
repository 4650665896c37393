// SPDX-License-Identifier: Apache-2.0
#include "training/nir/to_nir.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "training/learn/layers/add.hpp"
#include "training/learn/layers/conv.hpp"
#include "training/learn/layers/dense.hpp"
#include "training/learn/norms/norm.hpp"
#include "training/nir/layer_nodes.hpp"

namespace loom::compiler {
namespace {

using Values = std::vector<double>;

/// Builds the graph: most layers are a node, sums and norms are edges and scaled weights.
class NirGraph {
  public:
    NirGraph(learn::Network& network, const Profile& profile, const NodeCatalogue& types)
        : network_(network), writer_{types, profile, has_line(network)}, end_of_(network.nodes().size()) {}

    NirModel build() {
        input_ = border("input", "Input", input_shape());
        for (std::uint32_t i = 0; i < network_.nodes().size(); ++i) {
            learn::Layer& layer = *network_.nodes()[i].layer;
            if (dynamic_cast<learn::Add*>(&layer) != nullptr) {
                end_of_[i] = sources(i);
            } else if (auto* norm = dynamic_cast<learn::Norm*>(&layer)) {
                fold(i, *norm);
            } else {
                add(i, layer);
            }
        }
        const std::uint32_t output =
            border("output", "Output", model_.nodes[end_of_.back().front()].output_shape);
        connect(end_of_.back(), output);
        return std::move(model_);
    }

  private:
    static bool has_line(const learn::Network& network) {
        return std::ranges::any_of(network.nodes(), [](const learn::Network::Node& n) {
            const auto* conv = dynamic_cast<const learn::Conv*>(n.layer.get());
            return conv != nullptr && conv->line();
        });
    }
    /// A map, if it is one or goes where maps go.
    std::vector<std::size_t> input_shape() const {
        const learn::Shape& s = network_.input_shape();
        const learn::Layer* reader = nullptr;
        for (const learn::Network::Node& n : network_.nodes())
            if (std::ranges::find(n.sources, learn::Network::kInput) != n.sources.end())
                reader = n.layer.get();
        if (reader != nullptr && (s.spatial() || takes_maps(*reader))) return writer_.map_shape(*reader, s);
        return {s.count()};
    }
    std::uint32_t border(const char* name, const char* type, const std::vector<std::size_t>& shape) {
        NirNode node;
        node.name = name;
        while (network_.find(node.name) != nullptr) node.name += '_';
        node.rule = &writer_.types.at(type);
        node.input_shape = node.output_shape = shape;
        node.arrays["shape"] = integers(node.output_shape);
        return put(std::move(node));
    }
    std::uint32_t put(NirNode node) {
        model_.nodes.push_back(std::move(node));
        return static_cast<std::uint32_t>(model_.nodes.size() - 1);
    }
    void connect(const std::vector<std::uint32_t>& from, std::uint32_t to) {
        for (const std::uint32_t f : from) model_.edges.push_back({f, to, ""});
    }
    /// NIR nodes whose sum feeds node i.
    std::vector<std::uint32_t> sources(std::uint32_t i) const {
        std::vector<std::uint32_t> all;
        for (const std::uint32_t s : network_.nodes()[i].sources) {
            if (s == learn::Network::kInput)
                all.push_back(input_);
            else
                all.insert(all.end(), end_of_[s].begin(), end_of_[s].end());
        }
        return all;
    }
    void add(std::uint32_t i, learn::Layer& layer) {
        NirNode node;
        node.name = layer.name;
        std::vector<std::uint32_t> from = sources(i);
        if (dynamic_cast<learn::Dense*>(&layer) != nullptr) from = flattened(from, layer);
        node.input_shape = model_.nodes[from[0]].output_shape;
        writer_.write(layer, node);
        const std::uint32_t number = put(std::move(node));
        connect(from, number);
        end_of_[i] = {number};
        add_recurrence(layer, number);
    }
    /// Maps of one position are vectors here, in NIR they are not.
    std::vector<std::uint32_t> flattened(const std::vector<std::uint32_t>& from, const learn::Layer& layer) {
        const std::vector<std::size_t> shape = model_.nodes[from[0]].output_shape;
        if (shape.size() == 1) return from;
        NirNode node;
        node.name = layer.name + ".flatten";
        node.input_shape = shape;
        make_flatten(writer_.types, node, layer.in.count());
        const std::uint32_t number = put(std::move(node));
        connect(from, number);
        return {number};
    }
    /// Weights from a population to itself: a Linear in a loop, which NIR delays by a timestep.
    void add_recurrence(learn::Layer& layer, std::uint32_t number) {
        for (std::size_t p = 0; p < layer.parameters().size(); ++p) {
            if (layer.parameters()[p].name != "recurrent") continue;
            NirNode node;
            node.name = layer.name + ".recurrent";
            node.rule = &writer_.types.at("Linear");
            const std::size_t n = layer.out.count();
            node.input_shape = node.output_shape = {n};
            node.arrays["weight"] = parameter_tensor(layer, p, {n, n});
            const std::uint32_t weights = put(std::move(node));
            connect({number}, weights);
            connect({weights}, number);
        }
    }
    /// A norm in use is a factor and an offset per channel: they go into the matrix before it.
    void fold(std::uint32_t i, learn::Norm& norm) {
        end_of_[i] = sources(i);
        const std::vector<std::uint32_t>& from = network_.nodes()[i].sources;
        NirNode* node = end_of_[i].size() == 1 && from.size() == 1 ? &model_.nodes[end_of_[i][0]] : nullptr;
        const bool matrix = node != nullptr && node->arrays.count("weight") != 0 &&
                            node->name == network_.nodes()[from[0]].layer->name && readers(from[0]) == 1;
        if (!matrix)
            throw UnsupportedError("layer '" + norm.name +
                                   "' does not follow a matrix of its own; NIR has no norms");
        const std::vector<double> at_0 = value_at(norm, 0), at_1 = value_at(norm, 1);
        Tensor& weight = node->arrays["weight"];
        const std::size_t channels = weight.shape[0], row = weight.data.size() / channels;
        Values bias(channels);
        if (const auto it = node->arrays.find("bias"); it != node->arrays.end()) bias = it->second.data;
        for (std::size_t c = 0; c < channels; ++c) {
            const double factor = at_1[c] - at_0[c];
            for (std::size_t k = 0; k < row; ++k) weight.data[c * row + k] *= factor;
            bias[c] = bias[c] * factor + at_0[c];
        }
        if (!node->rule->has_key("bias")) node->rule = &writer_.types.at("Affine");
        node->arrays["bias"] = Tensor{{channels}, std::move(bias), nullptr};
    }
    std::size_t readers(std::uint32_t source) const {
        std::size_t n = 0;
        for (const learn::Network::Node& node : network_.nodes())
            n += static_cast<std::size_t>(std::ranges::count(node.sources, source));
        return n;
    }
    /// Output of every channel for an input that is `x` everywhere, with running statistics.
    static std::vector<double> value_at(learn::Norm& norm, float x) {
        learn::Pass pass;
        pass.steps = pass.batch = 1;
        pass.training = false;
        learn::Signal in(1, 1, norm.in.count()), out(1, 1, norm.out.count());
        std::ranges::fill(in.all(), x);
        norm.forward(pass, in, out);
        const auto first = out.all().begin();
        return {first, first + static_cast<std::ptrdiff_t>(norm.out.channels)};
    }

    learn::Network& network_;
    NodeWriter writer_;
    NirModel model_;
    std::uint32_t input_ = 0;
    std::vector<std::vector<std::uint32_t>> end_of_;  ///< by layer: NIR nodes whose sum is its output
};

}  // namespace

NirModel network_to_nir(learn::Network& network, const Profile& profile, const NodeCatalogue& types) {
    return NirGraph(network, profile, types).build();
}

}  // namespace loom::compiler
