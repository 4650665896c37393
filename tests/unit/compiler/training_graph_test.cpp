// SPDX-License-Identifier: Apache-2.0
// Networks to NIR files and back: what comes back computes the same values bit by bit.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/rng.hpp"
#include "compiler/import/nir_reader.hpp"
#include "compiler/import/nir_writer.hpp"
#include "training/learn/trainer.hpp"
#include "training/nir/from_nir.hpp"
#include "training/nir/to_nir.hpp"

namespace loom::compiler {
namespace {

using learn::LayerSpec;
using learn::Signal;

std::string scratch(const std::string& name) {
    return (std::filesystem::temp_directory_path() / ("loom-graph-" + std::to_string(getpid()) + name))
        .string();
}

LayerSpec layer(const std::string& kind, const std::string& name) {
    LayerSpec s;
    s.kind = kind;
    s.name = name;
    return s;
}

std::vector<float> random(std::size_t n, float low, float high, std::uint64_t seed) {
    const CounterRng rng(seed, 1);
    std::vector<float> v(n);
    for (std::size_t i = 0; i < n; ++i) v[i] = low + (high - low) * static_cast<float>(rng.uniform(i, 0));
    return v;
}

/// conv - lif (one constant per neuron) - pool - flatten - dense - li, beside a dense - recurrent - dense
/// path.
learn::NetworkSpec spec() {
    learn::NetworkSpec s;
    s.input = {6, 6, 2};
    LayerSpec conv = layer("conv", "conv");
    conv.outputs = 3, conv.kernel = {{3}}, conv.padding = {{"1"}}, conv.bias = true;
    conv.arrays["bias"] = {0.1F, -0.2F, 0.3F};
    LayerSpec lif = layer("lif", "lif");
    const std::size_t n = 6 * 6 * 3;
    lif.arrays = {{"leak", random(n, 0.3F, 0.95F, 1)},
                  {"gain", random(n, 0.2F, 2.0F, 2)},
                  {"threshold", random(n, 0.3F, 1.0F, 3)},
                  {"v_reset", random(n, -0.3F, 0.1F, 4)}};
    LayerSpec pool = layer("sum_pool", "pool");
    pool.size = {{2}};
    LayerSpec dense = layer("dense", "dense");
    dense.outputs = 5;
    LayerSpec recurrent = layer("recurrent", "rec");
    recurrent.leak = 0.75;
    LayerSpec last = layer("dense", "last");
    last.outputs = 4;
    last.from = {"rec", "dense"};
    LayerSpec fire = layer("if", "fire");
    fire.gain = 1.5;
    s.layers = {conv, lif, pool, layer("flatten", "flat"), dense, recurrent, last, fire, layer("li", "out")};
    s.layers.back().leak = 0.9;
    return s;
}

/// Outputs of all layers for random spikes.
std::vector<Signal> outputs(learn::Network& network, const std::vector<std::string>& names) {
    const std::size_t steps = 7, batch = 3;
    Signal in(steps, batch, network.input_shape().count());
    const std::vector<float> x = random(in.all().size(), 0, 1, 9);
    for (std::size_t i = 0; i < x.size(); ++i) in.all()[i] = x[i] < 0.4F ? 1.0F : 0.0F;
    learn::Pass pass;
    pass.steps = steps, pass.batch = batch, pass.training = false;
    network.forward(pass, in);
    std::vector<Signal> out;
    for (const std::string& name : names) out.push_back(network.find(name)->out);
    return out;
}

/// Every output bit for bit, and none that is all zero.
void expect_equal(const std::vector<Signal>& got, const std::vector<Signal>& want,
                  const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        float sum = 0;
        for (std::size_t k = 0; k < want[i].all().size(); ++k) {
            ASSERT_EQ(got[i].all()[k], want[i].all()[k]) << names[i] << " " << k;
            sum += want[i].all()[k];
        }
        EXPECT_NE(sum, 0) << names[i];
    }
}

/// Every kind of window: groups, dilation, axes that differ, padding as text, pools that overlap; a current
/// that decays; a map of one position before a matrix.
learn::NetworkSpec windows() {
    learn::NetworkSpec s;
    s.input = {9, 8, 2};
    const auto conv = [](const char* name, std::uint64_t outputs, std::vector<std::uint64_t> kernel,
                         std::vector<std::string> padding) {
        LayerSpec l = layer("conv", name);
        l.outputs = outputs, l.kernel = {std::move(kernel)}, l.padding = {std::move(padding)};
        return l;
    };
    LayerSpec first = conv("first", 6, {3, 2}, {"same"});
    first.dilation = {{1, 3}};
    LayerSpec cuba = layer("cuba_lif", "cuba");
    cuba.current_leak = 0.75, cuba.leak = 0.5, cuba.gain = 1.5, cuba.threshold = 0.5;
    LayerSpec pool = layer("avg_pool", "pool");
    pool.size = {{3, 2}}, pool.stride = {{2, 1}}, pool.padding = {{"1", "0"}};
    LayerSpec depthwise = conv("depthwise", 12, {3, 3}, {"1", "0"});
    depthwise.groups = 6, depthwise.stride = {{2, 1}}, depthwise.bias = true;
    depthwise.arrays["bias"] = random(12, -0.2F, 0.4F, 5);
    LayerSpec lif = layer("lif", "lif");
    lif.leak = 0.5, lif.threshold = 0.25;
    LayerSpec last = conv("last", 5, {3, 5}, {"valid"});
    LayerSpec dense = layer("dense", "dense");  // from a map of one position
    dense.outputs = 4;
    LayerSpec out = layer("cuba_lif", "out");
    out.threshold = 0.25;
    s.layers = {first, cuba, pool, depthwise, lif, last, dense, out};
    return s;
}

learn::NetworkSpec line() {
    learn::NetworkSpec s;
    s.input = {1, 20, 2};
    const auto conv = [](const char* name, std::uint64_t outputs, std::uint64_t kernel) {
        LayerSpec l = layer("conv1d", name);
        l.outputs = outputs, l.kernel = {{kernel}};
        return l;
    };
    LayerSpec first = conv("first", 4, 4);
    first.padding = {{"same"}};
    LayerSpec second = conv("second", 4, 3);
    second.groups = 2, second.stride = {{2}}, second.padding = {{"2"}}, second.dilation = {{2}};
    second.bias = true;
    second.arrays["bias"] = random(4, -0.2F, 0.4F, 5);
    LayerSpec a = layer("lif", "cuba"), b = layer("lif", "lif"), dense = layer("dense", "dense");
    LayerSpec pool = layer("avg_pool", "pool");
    pool.size = {{3}}, pool.stride = {{2}}, pool.padding = {{"1"}};
    a.threshold = 0.5, b.threshold = 0.25;
    dense.outputs = 3;
    s.layers = {first, a, second, b, pool, layer("flatten", "flat"), dense, layer("if", "out")};
    return s;
}

TEST(Windows, ComputeTheSameBehindAFile) {
    const Profile profile = preset_profile("nir-euler");
    for (const bool one_dimensional : {false, true}) {
        const auto network = learn::build_network(one_dimensional ? line() : windows(), {});
        const std::string file = scratch("windows.nir");
        const std::vector<std::string> names{"cuba", "lif", "out"};
        const std::vector<Signal> want = outputs(*network, names);
        write_nir(network_to_nir(*network, profile), file);
        const NirModel model = read_nir(file);
        for (const NirNode& n : model.nodes) {
            if (n.name == "first") {
                EXPECT_EQ(n.type(), one_dimensional ? "Conv1d" : "Conv2d");
                EXPECT_EQ(n.strings.at("padding"), "same");
            }
            if (n.name == "pool") {
                EXPECT_EQ(n.type(), one_dimensional ? "AvgPool1d" : "AvgPool2d");
            }
        }
        const auto back = learn::build_network(network_from_nir(model, profile, BiasRule::Auto), {});
        const std::vector<Signal> got = outputs(*back, names);
        std::filesystem::remove(file);
        expect_equal(got, want, names);
    }
}

class RoundTrip : public ::testing::TestWithParam<std::string> {};

TEST_P(RoundTrip, ComputesTheSame) {
    Profile profile = preset_profile("nir-euler");
    profile.method = GetParam();
    learn::BuildOptions options;
    const auto network = learn::build_network(spec(), options);
    const std::string file = scratch(GetParam() + ".nir");
    const std::vector<std::string> names{"lif", "rec", "fire", "out"};
    const std::vector<Signal> want = outputs(*network, names);
    write_nir(network_to_nir(*network, profile), file);
    const auto back =
        learn::build_network(network_from_nir(read_nir(file), profile, BiasRule::Auto), options);
    const std::vector<Signal> got = outputs(*back, names);
    std::filesystem::remove(file);
    expect_equal(got, want, names);
}
INSTANTIATE_TEST_SUITE_P(Methods, RoundTrip, ::testing::Values("euler", "exp", "jump"),
                         [](const auto& p) { return p.param; });

TEST(FromNir, CubaIsAnIntegratorAndANeuron) {
    NirModel m;
    m.file = "x.nir";
    const auto node = [&](const char* name, const char* type, std::map<std::string, Tensor> arrays) {
        NirNode n{name, &builtin_nodes().at(type), std::move(arrays), {}, {2}, {2}};
        m.nodes.push_back(std::move(n));
    };
    const auto both = [](double v) { return Tensor{{1}, {v}, nullptr}; };
    node("in", "Input", {});
    node("cuba", "CubaLIF",
         {{"tau_syn", both(2e-4)},
          {"tau_mem", both(4e-4)},
          {"r", both(4)},
          {"v_leak", both(0)},
          {"v_threshold", both(1)},
          {"v_reset", both(0)},
          {"w_in", both(2)}});
    node("out", "Output", {});
    m.edges = {{0, 1, ""}, {1, 2, ""}};
    const learn::NetworkSpec s = network_from_nir(m, preset_profile("nir-euler"), BiasRule::Auto);
    ASSERT_EQ(s.layers.size(), 2U);
    EXPECT_EQ(s.layers[0].name, "cuba.syn");
    EXPECT_EQ(s.layers[0].arrays.at("leak"), std::vector<float>{0.5F});   // 1 - dt / tau_syn
    EXPECT_EQ(s.layers[0].arrays.at("gain"), std::vector<float>{1.0F});   // dt / tau_syn w_in
    EXPECT_EQ(s.layers[1].arrays.at("leak"), std::vector<float>{0.75F});  // 1 - dt / tau_mem
    EXPECT_EQ(s.layers[1].arrays.at("gain"), std::vector<float>{1.0F});   // dt / tau_mem r
    Profile parallel = preset_profile("nir-euler");
    parallel.cuba = "par";
    EXPECT_THROW(network_from_nir(m, parallel, BiasRule::Auto), UnsupportedError);
}

/// dense - alif - dense - recurrent alif
learn::NetworkSpec adaptive() {
    learn::NetworkSpec s;
    s.input = {1, 1, 12};
    LayerSpec first = layer("dense", "first"), second = layer("dense", "second");
    first.outputs = 8, second.outputs = 6;
    LayerSpec alif = layer("alif", "alif"), recurrent = layer("recurrent_alif", "rec");
    alif.threshold = 0.25, alif.adapt_decay = 0.9, alif.adapt_jump = 0.3, alif.adapt_strength = 0.7;
    recurrent.leak = 0.75, recurrent.threshold = 0.125;
    s.layers = {first, alif, second, recurrent};
    return s;
}

TEST_P(RoundTrip, AdaptiveThresholdsComputeTheSame) {
    Profile profile = preset_profile("nir-euler");
    profile.method = GetParam();
    const auto network = learn::build_network(adaptive(), {});
    const std::string file = scratch(GetParam() + "alif.nir");
    const std::vector<std::string> names{"alif", "rec"};
    const std::vector<Signal> want = outputs(*network, names);
    write_nir(network_to_nir(*network, profile), file);
    const NirModel model = read_nir(file);
    const learn::NetworkSpec spec = network_from_nir(model, profile, BiasRule::Auto);
    EXPECT_EQ(spec.layers[1].kind, "alif");
    EXPECT_EQ(spec.layers[1].adapt_decay, double{0.9F});
    EXPECT_EQ(spec.layers[1].adapt_jump, double{0.3F});
    EXPECT_EQ(spec.layers[1].adapt_strength, double{0.7F});
    EXPECT_EQ(spec.layers[3].kind, "recurrent_alif");
    EXPECT_EQ(spec.layers[3].adapt_strength, double{1.7F}) << "a default is written too";
    const std::vector<Signal> got = outputs(*learn::build_network(spec, {}), names);
    std::filesystem::remove(file);
    expect_equal(got, want, names);
}

TEST(FromNir, OneAdaptationForALayer) {
    learn::NetworkSpec s = adaptive();
    const auto network = learn::build_network(s, {});
    NirModel model = network_to_nir(*network, preset_profile("nir-euler"));
    for (NirNode& n : model.nodes)
        if (n.name == "alif") n.arrays.at("adapt_jump").data[1] = 5;
    EXPECT_THROW(network_from_nir(model, preset_profile("nir-euler"), BiasRule::Auto), UnsupportedError);
}

TEST(ToNir, ASumAlongALineHasNoNode) {
    learn::NetworkSpec s = line();
    for (LayerSpec& l : s.layers)
        if (l.kind == "avg_pool") l.kind = "sum_pool";
    const auto network = learn::build_network(s, {});
    EXPECT_THROW(network_to_nir(*network, preset_profile("nir-euler")), UnsupportedError);
}

TEST(ToNir, LeavesOutNothingSilently) {
    learn::NetworkSpec s;
    s.input = {4, 4, 1};
    s.layers = {layer("max_pool", "a")};
    s.layers[0].size = {{2}};
    const auto network = learn::build_network(s, {});
    EXPECT_THROW(network_to_nir(*network, preset_profile("nir-euler")), UnsupportedError);
}

}  // namespace
}  // namespace loom::compiler
