// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.hpp"
#include "base/short_list.hpp"
#include "training/learn/network.hpp"
#include "training/learn/neurons/lif.hpp"

namespace loom::learn {

/// One layer as a file describes it. A key that is not set has the default of its kind; keys that the kind
/// does not have are refused. A new kind's keys are added here, one member and one line each.
struct LayerSpec {
    std::string kind, name;
    std::vector<std::string> from;
    std::optional<std::uint64_t> outputs, groups;
    std::optional<ShortList<std::uint64_t>> kernel, stride, dilation, size;
    std::optional<ShortList<std::string>> padding;
    std::optional<bool> bias, scales_input, affine;
    std::optional<double> leak, gain, drift, threshold, v_reset, current_leak, init_gain;
    std::optional<double> adapt_decay, adapt_jump, adapt_strength, momentum, epsilon, alpha;
    /// Values by key ("leak") or parameter ("weight"), one for all or one each, channel first: what .nir and
    /// .npz files bring. They win over the scalar keys.
    std::map<std::string, std::vector<float>> arrays;
};
template <class V>
void fields(V& v, LayerSpec& s) {
    v("kind", s.kind,
      {.doc = "dense, conv, avg_pool, lif, ...; docs/how-to/train.md lists them", .required = true});
    v("name", s.name, {.doc = "of the layer; default: its kind and number"});
    v("from", s.from, {.doc = "layers whose outputs are added, or `input`; default: the layer before"});
    v("outputs", s.outputs, {.doc = "neurons (dense) or channels (conv, conv1d)", .min = 1});
    constexpr double most = 1 << 16;
    v("kernel", s.kernel,
      {.doc = "conv: rows and columns of a kernel, [rows, columns] or a number for both; conv1d: its length",
       .min = 1,
       .max = most});
    v("stride", s.stride,
      {.doc = "steps of kernels (default 1) and pooling windows (default: their size), as `kernel`",
       .min = 1,
       .max = most});
    v("padding", s.padding,
      {.doc =
           "zeros on each side of the input of convolutions and pools, as `kernel`; convolutions: or `same` "
           "(outputs as inputs, with stride 1) or `valid` (none)"});
    v("dilation", s.dilation,
      {.doc = "distance of neighbouring taps of a convolution, as `kernel`", .min = 1, .max = most});
    v("groups", s.groups,
      {.doc = "convolutions: parts of the channels that only see each other; the channels of the input: "
              "depthwise",
       .min = 1});
    v("size", s.size, {.doc = "pools: rows and columns of the window, as `kernel`", .min = 1, .max = most});
    v("bias", s.bias, {.doc = "dense, conv, conv1d: with a trained bias (default: without)"});
    v("leak", s.leak, {.doc = "what is left of the membrane after a timestep", .min = 0, .max = 1});
    v("gain", s.gain, {.doc = "factor of the input current"});
    v("drift", s.drift, {.doc = "added to the membrane in every timestep"});
    v("current_leak", s.current_leak,
      {.doc = "cuba_lif: what is left of the current after a timestep", .min = 0, .max = 1});
    v("threshold", s.threshold, {.doc = "of the membrane"});
    v("v_reset", s.v_reset, {.doc = "membrane after a spike (profile.reset: value)"});
    v("scales_input", s.scales_input, {.doc = "plif: the gain is 1 - leak"});
    v("adapt_decay", s.adapt_decay,
      {.doc = "alif: what is left of the adaptation after a timestep", .min = 0, .max = 1});
    v("adapt_jump", s.adapt_jump, {.doc = "alif: adaptation per spike"});
    v("adapt_strength", s.adapt_strength, {.doc = "alif: threshold per unit of adaptation"});
    v("momentum", s.momentum, {.doc = "norms: of the running statistics", .min = 0, .max = 1});
    v("epsilon", s.epsilon, {.doc = "norms: added to the variance", .min = 0});
    v("affine", s.affine, {.doc = "norms: trained scale and shift per channel (default)"});
    v("alpha", s.alpha, {.doc = "td_batch_norm: factor beside the threshold of the neurons that follow"});
    v("init_gain", s.init_gain,
      {.doc = "dense, conv, conv1d, recurrent: factor of the initial weights", .min = 0});
}

/// A network before it is built: from YAML or from a .nir file.
struct NetworkSpec {
    /// Beginning of messages: "file.nir: node '" + name or, when empty, the key path network.layers.<n>.
    std::string file;
    Shape input;
    std::vector<LayerSpec> layers;  ///< sources first
};

/// What all layers share.
struct BuildOptions {
    Reset reset = Reset::Value;
    bool at_threshold = false;      ///< fires when u >= threshold (false: >)
    bool integrate_output = false;  ///< the last neurons never fire: their membrane is the output
    SurrogateSpec surrogate;
    std::uint64_t seed = 1;  ///< of initial weights
    double init_gain = 1;
};

/// Builds and connects all layers and fills in weights: those of `arrays`, else random by the seed
/// (U(-k, k), k = gain sqrt(6 / fan-in); biases 0). Throws ConfigError "network.layers.<n>.<key>: ..." or
/// InputError "file: node 'x': ...".
std::unique_ptr<Network> build_network(const NetworkSpec& spec, const BuildOptions& options);

/// Name of every layer, defaults filled in; sources by number (Network::kInput: the input).
struct ResolvedLayers {
    std::vector<std::string> names;
    std::vector<std::vector<std::uint32_t>> sources;
};
ResolvedLayers resolve_layers(const NetworkSpec& spec);

/// Keys of a kind of layer that a file may give neuron by neuron.
std::vector<std::string> per_neuron_keys(std::string_view kind);

}  // namespace loom::learn
