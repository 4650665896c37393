// SPDX-License-Identifier: Apache-2.0
#include "training/nir/from_nir.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "compiler/ir/node_rule.hpp"
#include "compiler/neurons/constants.hpp"
#include "compiler/passes/lowered_neurons.hpp"
#include "training/nir/node_order.hpp"

namespace loom::compiler {
namespace {

using learn::LayerSpec;

learn::Shape shape_of(const std::vector<std::size_t>& s) {
    if (s.size() == 3) return {s[1], s[2], s[0]};
    if (s.size() == 2) return {1, s[1], s[0]};  // [channels, length]
    std::size_t n = 1;
    for (const std::size_t d : s) n *= d;
    return {1, 1, n};
}

/// Constants as a layer has them: one value when all are equal.
std::vector<float> floats(const Values& values) {
    std::vector<float> out;
    for (const double d : values) out.push_back(static_cast<float>(snap(d)));
    if (std::ranges::all_of(out, [&](float d) { return d == out[0]; })) out.resize(1);
    return out;
}

std::vector<float> floats(const Tensor& t) {
    std::vector<float> out;
    out.reserve(t.size());
    if (t.file != nullptr) {
        t.file->for_each_row([&](std::size_t, std::span<const double> row) {
            for (const double d : row) out.push_back(static_cast<float>(d));
        });
    } else {
        for (const double d : t.data) out.push_back(static_cast<float>(d));
    }
    return out;
}

struct Converter {
    const NirModel& model;
    const Profile& profile;
    BiasRule biases;
    learn::NetworkSpec& spec;
    const std::map<std::uint32_t, std::uint32_t>& recurrent;  ///< population -> weights to itself

    /// Adds the layers of a node; `from`: names of its sources.
    void add(const NirNode& node, std::vector<std::string> from);

    void take_bias(const NirNode& node, LayerSpec& layer, std::size_t outputs) const {
        const auto it = node.arrays.find("bias");
        if (it == node.arrays.end()) return;
        std::vector<float> bias = floats(it->second);
        if (biases == BiasRule::Auto && std::ranges::all_of(bias, [](float b) { return b == 0; })) return;
        if (bias.size() == 1) bias.resize(outputs, bias[0]);
        layer.bias = true;
        layer.arrays["bias"] = std::move(bias);
    }
    static void membrane(const NeuronConstants& c, LayerSpec& layer) {
        layer.arrays["leak"] = floats(map_values([](double loss) { return 1 - loss; }, c.loss));
        layer.arrays["gain"] = floats(c.gain);
        layer.arrays["drift"] = floats(c.drift);
    }
    void take_recurrence(const NirNode& node, LayerSpec& layer) const {
        const auto it = recurrent.find(static_cast<std::uint32_t>(&node - model.nodes.data()));
        if (it == recurrent.end()) return;
        if (layer.kind == "if") layer.arrays["leak"] = {1.0F};
        layer.kind = layer.kind == "alif" ? "recurrent_alif" : "recurrent";
        layer.arrays["recurrent"] = floats(model.nodes[it->second].arrays.at("weight"));
    }
    static void firing(const NeuronConstants& c, LayerSpec& layer) {
        layer.arrays["threshold"] = floats(c.threshold);
        layer.arrays["v_reset"] = floats(c.v_reset);
    }
};

void dense(Converter& c, const NirNode& node, LayerSpec& layer) {
    if (node.input_shape.size() != 1)
        refuse_node(node, "a matrix on a map cannot be trained; put a Flatten before it");
    layer.kind = "dense";
    layer.outputs = node.arrays.at("weight").shape[0];
    layer.arrays["weight"] = floats(node.arrays.at("weight"));
    c.take_bias(node, layer, *layer.outputs);
}

using Numbers = ShortList<std::uint64_t>;

/// Zeros before the first row and column, as a layer has them.
ShortList<std::string> zeros(const arch::Window& w, bool line) {
    const std::string rows = std::to_string(w.rows.before), columns = std::to_string(w.columns.before);
    return line ? ShortList<std::string>{{columns}} : ShortList<std::string>{{rows, columns}};
}

void conv(Converter& c, const NirNode& node, LayerSpec& layer) {
    const arch::LinearShape s = node.rule->conv->shape(node);
    const arch::WindowAxis &rows = s.window.rows, &columns = s.window.columns;
    const bool line = node.rule->conv->axes == 1;
    const auto pair = [&](std::uint64_t of_rows, std::uint64_t of_columns) {
        return line ? Numbers{{of_columns}} : Numbers{{of_rows, of_columns}};
    };
    layer.kind = line ? "conv1d" : "conv";
    layer.outputs = s.out_c;
    layer.kernel = pair(rows.kernel, columns.kernel);
    layer.stride = pair(rows.stride, columns.stride);
    layer.dilation = pair(rows.dilation, columns.dilation);
    layer.groups = s.groups;
    const auto text = node.strings.find("padding");
    layer.padding =
        text != node.strings.end() ? ShortList<std::string>{{text->second}} : zeros(s.window, line);
    layer.arrays["weight"] = floats(node.arrays.at("weight"));
    c.take_bias(node, layer, s.out_c);
}

/// Both axes are said, also of [channels, length], whose windows have one row.
void pool(const NirNode& node, LayerSpec& layer) {
    const arch::Window w = node.rule->pool->window(node);
    layer.kind = node.rule->pool->mean ? "avg_pool" : "sum_pool";
    layer.size = Numbers{{w.rows.kernel, w.columns.kernel}};
    layer.stride = Numbers{{w.rows.stride, w.columns.stride}};
    layer.padding = zeros(w, false);
}

void flatten(const NirNode& node, LayerSpec& layer) {
    if (node.output_shape.size() != 1) refuse_node(node, "only a Flatten to a vector can be trained");
    layer.kind = "flatten";
}

void leaky(const NirNode& node, const NeuronConstants& constants, LayerSpec& layer) {
    layer.kind = node.rule->neuron->fires ? "lif" : "li";
    Converter::membrane(constants, layer);
    if (node.rule->neuron->fires) Converter::firing(constants, layer);
}

/// I, IF, LI, LIF.
void lif(Converter& c, const NirNode& node, LayerSpec& layer) {
    const NeuronForm& form = *node.rule->neuron;
    const NeuronConstants constants = neuron_constants(node, c.profile);
    if (!form.integrates()) refuse_node(node, "cannot be trained");
    if (form.membrane == MembraneKind::Leaky) return leaky(node, constants, layer);
    layer.kind = form.fires ? "if" : "li";
    layer.arrays["gain"] = floats(constants.gain);
    if (form.fires) return Converter::firing(constants, layer);
    layer.arrays["leak"] = {1.0F};
}

/// CubaLIF and CubaLI: an integrator and a neuron.
void cuba_lif(Converter& c, const NirNode& node, LayerSpec& layer) {
    if (c.profile.cuba != "seq") refuse_node(node, "profile.cuba: par cannot be trained; use seq");
    const NeuronConstants constants = neuron_constants(node, c.profile);
    LayerSpec current;
    current.kind = "li";
    current.name = node.name + ".syn";
    current.from = layer.from;
    current.arrays["leak"] = floats(map_values([](double ks) { return 1 - ks; }, constants.ks));
    current.arrays["gain"] = floats(constants.syn_gain);
    layer.from = {current.name};
    c.spec.layers.push_back(std::move(current));
    leaky(node, constants, layer);
}

/// A lif whose layer has one adaptation for all its neurons.
void alif(Converter& c, const NirNode& node, LayerSpec& layer) {
    const NeuronConstants constants = neuron_constants(node, c.profile);
    leaky(node, constants, layer);
    layer.kind = "alif";
    const auto single = [&](const char* key, const Values& v) {
        if (v.size() != 1)
            refuse_node(node, std::string(key) + " differs between neurons; one value can be trained");
        return v[0];
    };
    layer.adapt_decay = single("adapt_decay", constants.adapt_decay);
    layer.adapt_jump = single("adapt_jump", constants.adapt_jump);
    layer.adapt_strength = single("adapt_strength", constants.adapt_strength);
}

/// One line per neuron model that can be trained.
struct Rule {
    std::string_view model;
    void (*convert)(Converter&, const NirNode&, LayerSpec&);
};
constexpr Rule kNeurons[] = {{"lif", lif}, {"cuba_lif", cuba_lif}, {"alif", alif}};

/// Membranes start at 0.
void check_start(const NirNode& node, const Profile& p) {
    const auto start = node.arrays.find(p.v_init);
    if (start == node.arrays.end()) return;
    if (std::ranges::all_of(start->second.data, [](double v) { return v == 0; })) return;
    refuse_node(node, "cannot be trained with membranes that start at its " + p.v_init +
                          " (profile.v_init); membranes start at 0");
}

void neuron(Converter& c, const NirNode& node, LayerSpec& layer) {
    check_start(node, c.profile);
    const auto rule = std::ranges::find(kNeurons, node.rule->neuron->model, &Rule::model);
    if (rule == std::end(kNeurons)) refuse_node(node, "cannot be trained");
    rule->convert(c, node, layer);
    c.take_recurrence(node, layer);
}

/// A node that passes every element on as it is.
bool passes_on(const NirNode& node) {
    const auto& scale = node.rule->linear.scale;
    if (!scale || node.rule->linear.delay) return false;
    const std::span<const double> factors = scale(node);
    return !factors.empty() && std::ranges::all_of(factors, [](double f) { return f == 1.0; });
}

void Converter::add(const NirNode& node, std::vector<std::string> from) {
    const NodeRule& rule = *node.rule;
    LayerSpec layer;
    layer.name = node.name;
    layer.from = std::move(from);
    if (rule.role == NodeRole::Neuron)
        neuron(*this, node, layer);
    else if (rule.linear.matrix)
        dense(*this, node, layer);
    else if (rule.conv)
        conv(*this, node, layer);
    else if (rule.pool)
        pool(node, layer);
    else if (passes_on(node))
        flatten(node, layer);
    else
        refuse_node(node, "cannot be trained");
    spec.layers.push_back(std::move(layer));
}

std::uint32_t only(const NirModel& m, NodeRole role, const char* type) {
    std::uint32_t found = 0, n = 0;
    for (std::uint32_t i = 0; i < m.nodes.size(); ++i)
        if (m.nodes[i].rule->role == role) found = i, ++n;
    if (n != 1) throw UnsupportedError(fmt::format("{} nodes of type {}; one can be trained", n, type));
    return found;
}

}  // namespace

learn::NetworkSpec network_from_nir(const NirModel& model, const Profile& profile, BiasRule biases) {
    const std::uint32_t input = only(model, NodeRole::Input, "Input"),
                        output = only(model, NodeRole::Output, "Output");
    NodeOrder order(model);
    const std::vector<std::uint32_t> last = order.sources(output);
    if (last.size() != 1 || last[0] == input)
        throw UnsupportedError("the output must be fed by one node to be trained");
    order.visit(last[0]);
    learn::NetworkSpec spec;
    spec.file = model.file;
    spec.input = shape_of(model.nodes[input].output_shape);
    Converter c{model, profile, biases, spec, order.recurrent};
    for (const std::uint32_t node : order.order) {
        if (node == input) continue;
        std::vector<std::string> from;
        for (const std::uint32_t s : order.sources(node))
            from.push_back(s == input ? "input" : model.nodes[s].name);
        if (from.empty()) refuse_node(model.nodes[node], "has no input");
        c.add(model.nodes[node], std::move(from));
    }
    return spec;
}

void check_training_profile(const Profile& p) {
    const auto no = [](const char* key) {
        throw ConfigError(fmt::format("profile.{}: cannot be trained with", key));
    };
    if (!p.layers.empty()) no("layers");
    if (p.v_init != "0" && p.v_init != preset_profile(p.preset).v_init) no("v_init");
    if (p.method == "rockpool") throw ConfigError("profile.method: rockpool cannot be trained with");
    if (p.multispike) no("multispike");
    if (p.reset_delay) no("reset_delay");
    if (p.clamp) no("clamp");
    if (p.reset == "subtract_snn")
        throw ConfigError("profile.reset: subtract_snn cannot be trained with; use subtract");
    if (p.reset == "none")
        throw ConfigError("profile.reset: none cannot be trained with; use value or subtract");
}

}  // namespace loom::compiler
