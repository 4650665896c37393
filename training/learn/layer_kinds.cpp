// SPDX-License-Identifier: Apache-2.0
#include "training/learn/layer_kinds.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/error.hpp"
#include "base/rng.hpp"

namespace loom::learn {
namespace {
constexpr std::uint32_t kInitStream = 0x696e6974;
constexpr std::uint64_t kMaxPadding = 1 << 16;
}  // namespace

const std::vector<LayerKind>& layer_kinds() {
    static const std::vector<LayerKind> kinds{
        {"dense", {"outputs", "bias", "init_gain"}, make_dense, "matrix"},
        {"conv",
         {"outputs", "kernel", "stride", "padding", "dilation", "groups", "bias", "init_gain"},
         make_conv,
         "two-dimensional convolution, zero padding"},
        {"conv1d",
         {"outputs", "kernel", "stride", "padding", "dilation", "groups", "bias", "init_gain"},
         make_conv1d,
         "convolution along one axis: of [channels, length]"},
        {"avg_pool", {"size", "stride", "padding"}, make_avg_pool, "mean over windows, padding included"},
        {"sum_pool", {"size", "stride", "padding"}, make_sum_pool, "sum over windows"},
        {"flatten", {}, make_flatten, "maps to a vector, channel first"},
        {"max_pool", {"size", "stride", "padding"}, make_max_pool, "largest of a window; OR, for spikes"},
        {"add", {}, make_add, "sum of the layers in `from` (residual connections)"},
        {"lif",
         {"leak", "gain", "drift", "threshold", "v_reset"},
         make_lif,
         "leaky integrate and fire: u = leak u + gain i + drift"},
        {"if", {"gain", "drift", "threshold", "v_reset"}, make_if, "integrate and fire: lif without leak"},
        {"li", {"leak", "gain", "drift"}, make_li, "leaky integrator: its membrane is its output"},
        {"cuba_lif",
         {"current_leak", "leak", "gain", "drift", "threshold", "v_reset"},
         make_cuba_lif,
         "lif whose current decays: i = current_leak i + x, u = leak u + gain i + drift"},
        {"plif",
         {"leak", "gain", "drift", "threshold", "v_reset", "scales_input"},
         make_plif,
         "lif whose leak is trained"},
        {"alif",
         {"leak", "gain", "drift", "threshold", "v_reset", "adapt_decay", "adapt_jump", "adapt_strength"},
         make_alif,
         "lif with a threshold that adapts"},
        {"recurrent",
         {"leak", "gain", "drift", "threshold", "v_reset", "init_gain"},
         make_recurrent,
         "lif with trained weights from its own spikes of the timestep before"},
        {"recurrent_alif",
         {"leak", "gain", "drift", "threshold", "v_reset", "adapt_decay", "adapt_jump", "adapt_strength",
          "init_gain"},
         make_recurrent_alif,
         "alif with such weights (LSNN)"},
        {"batch_norm",
         {"momentum", "epsilon", "affine"},
         make_batch_norm,
         "statistics over samples and positions of each timestep"},
        {"td_batch_norm",
         {"momentum", "epsilon", "affine", "alpha", "threshold"},
         make_td_batch_norm,
         "statistics over timesteps too, scaled by alpha x threshold"},
    };
    return kinds;
}

std::vector<std::string> layer_kind_names() {
    std::vector<std::string> names;
    for (const LayerKind& k : layer_kinds()) names.emplace_back(k.name);
    return names;
}

const LayerKind* find_layer_kind(std::string_view name) {
    for (const LayerKind& k : layer_kinds())
        if (k.name == name) return &k;
    return nullptr;
}

void LayerContext::fail(const std::string& key, const std::string& problem) const {
    if (from_file) throw InputError(where + ": " + (key.empty() ? "" : key + ": ") + problem);
    throw ConfigError(where + (key.empty() ? "" : "." + key) + ": " + problem);
}

std::uint64_t LayerContext::need(std::string_view key, const std::optional<std::uint64_t>& value) const {
    if (!value) fail("", fmt::format("kind {} needs `{}`", spec.kind, key));
    return *value;
}

std::array<std::size_t, 2> LayerContext::pair(const std::string& key,
                                              const std::optional<ShortList<std::uint64_t>>& value,
                                              std::array<std::size_t, 2> fallback, std::size_t axes) const {
    if (!value) return fallback;
    const std::vector<std::uint64_t>& v = value->values;
    if (v.empty() || v.size() > axes)
        fail(key, fmt::format("expected {}, got {} numbers",
                              axes == 1 ? "one number" : "a number or [rows, columns]", v.size()));
    if (axes == 1) return {fallback[0], v[0]};
    return {v[0], v.back()};
}

std::array<std::size_t, 2> LayerContext::padding(std::size_t axes, const std::string& or_else) const {
    if (!spec.padding) return {0, 0};
    ShortList<std::uint64_t> numbers;
    for (const std::string& text : spec.padding->values) {
        std::uint64_t n = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
        if (error != std::errc{} || end != text.data() + text.size() || n > kMaxPadding)
            fail("padding",
                 fmt::format("expected whole numbers up to {}{} (got '{}')", kMaxPadding, or_else, text));
        numbers.values.push_back(n);
    }
    return pair("padding", numbers, {0, 0}, axes);
}

void LayerContext::check_window(const std::string& key, const arch::Window& window) const {
    if (window.rows.fits(in.height) && window.columns.fits(in.width)) return;
    const auto padded = [](const arch::WindowAxis& a, std::size_t n) { return n + a.before + a.after; };
    fail(key, fmt::format("spans {} x {}, more than the padded input, {} x {}", window.rows.span(),
                          window.columns.span(), padded(window.rows, in.height),
                          padded(window.columns, in.width)));
}

PerNeuron LayerContext::per_neuron(const std::string& key, const std::optional<double>& scalar,
                                   float fallback) const {
    const auto it = spec.arrays.find(key);
    if (it == spec.arrays.end()) return {{scalar ? static_cast<float>(*scalar) : fallback}};
    const std::vector<float>& file = it->second;
    if (file.size() == 1) return {file};
    if (file.size() != in.count())
        fail(key, fmt::format("has {} values for {} neurons", file.size(), in.count()));
    PerNeuron own{std::vector<float>(file.size())};
    for (std::size_t i = 0; i < file.size(); ++i) own.values[i] = file[in.channel_first(i)];
    return own;
}

void LayerContext::init_uniform(Layer& layer, std::size_t p, std::size_t fan_in) const {
    const double gain = options.init_gain * spec.init_gain.value_or(1.0);
    const double bound = gain * std::sqrt(6.0 / static_cast<double>(fan_in));
    const CounterRng rng(options.seed, kInitStream);
    std::vector<float> values(layer.parameters()[p].value.size());
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<float>(
            bound *
            (2 * rng.uniform(i, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(p)) - 1));
    layer.import(p, values);
}

}  // namespace loom::learn
