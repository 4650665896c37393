// SPDX-License-Identifier: Apache-2.0
// What a NIR neuron is per timestep: by hand, and there and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "compiler/neurons/constants.hpp"
#include "compiler/nodes/node_catalogue.hpp"
#include "compiler/passes/lowered_neurons.hpp"

namespace loom::compiler {
namespace {

using ::testing::ElementsAre;

Tensor numbers(std::vector<double> v) {
    return {{v.size()}, std::move(v), nullptr};
}

NirNode node(const char* type, std::map<std::string, Tensor> arrays) {
    NirNode n;
    n.name = "x";
    n.rule = &builtin_nodes().at(type);
    n.arrays = std::move(arrays);
    return n;
}

Profile profile(const char* method) {
    Profile p = preset_profile("nir-euler");
    p.method = method;
    return p;
}

/// A leaky neuron of 1 ms with timesteps of 0.25 ms.
NirNode leaky(const char* type, const char* tau) {
    return node(type, {{tau, numbers({1e-3})},
                       {"r", numbers({2})},
                       {"v_leak", numbers({3})},
                       {"v_threshold", numbers({1, 2})},
                       {"v_reset", numbers({0.5, 0.5})}});
}

TEST(NeuronConstants, LeakGainAndDriftByHand) {
    Profile p = profile("euler");
    p.dt = 2.5e8;  // ps
    NeuronConstants c = neuron_constants(leaky("LIF", "tau"), p);
    EXPECT_THAT(c.loss, ElementsAre(0.25));
    EXPECT_THAT(c.gain, ElementsAre(0.5));
    EXPECT_THAT(c.drift, ElementsAre(0.75));
    EXPECT_THAT(c.threshold, ElementsAre(1, 2));
    EXPECT_THAT(c.v_reset, ElementsAre(0.5)) << "one value when all are equal";
    p.method = "exp";
    c = neuron_constants(leaky("CubaLIF", "tau_mem"), p);
    EXPECT_THAT(c.loss, ElementsAre(1 - std::exp(-0.25)));
    EXPECT_THAT(c.gain, ElementsAre((1 - std::exp(-0.25)) * 2));
    EXPECT_THAT(c.drift, ElementsAre((1 - std::exp(-0.25)) * 3));
    p.method = "jump";
    c = neuron_constants(leaky("LI", "tau"), p);
    EXPECT_THAT(c.loss, ElementsAre(1 - std::exp(-0.25)));
    EXPECT_THAT(c.gain, ElementsAre(2));
    EXPECT_THAT(c.drift, ElementsAre(0));
}

TEST(NeuronConstants, IntegratorsAndThresholds) {
    Profile p = profile("euler");
    p.dt = 2.5e8;
    const NirNode integrator = node("IF", {{"r", numbers({4})}, {"v_threshold", numbers({7})}});
    EXPECT_THAT(neuron_constants(integrator, p).gain, ElementsAre(1e-3));
    EXPECT_THAT(neuron_constants(integrator, p).loss, ElementsAre(0));
    p.if_dt = 1;
    EXPECT_THAT(neuron_constants(integrator, p).gain, ElementsAre(4));
    const NeuronConstants c = neuron_constants(node("Threshold", {{"threshold", numbers({9})}}), p);
    EXPECT_THAT(c.threshold, ElementsAre(9));
    EXPECT_THAT(c.loss, ElementsAre(1)) << "nothing is left of the membrane";
    EXPECT_THAT(c.gain, ElementsAre(1));
}

TEST(NeuronConstants, AdaptationMustNotGrow) {
    NirNode n = leaky("ALIF", "tau");
    n.arrays["adapt_decay"] = numbers({1.5});
    EXPECT_THROW(neuron_constants(n, profile("euler")), UnsupportedError);
}

class Inverse : public ::testing::TestWithParam<const char*> {};

TEST_P(Inverse, GivesTheConstantsBack) {
    const Profile p = profile(GetParam());
    const bool jump = std::string(GetParam()) == "jump";
    for (const double leak : {0.1, 0.5, 0.9375, 0.999}) {
        for (const double gain : {0.25, 1.0, 3.0}) {
            const LeakyParameters l = leaky_parameters(leak, gain, 0.125, p);
            const NeuronConstants c = neuron_constants(
                node("LIF",
                     {{"tau", numbers({l.tau})}, {"r", numbers({l.r})}, {"v_leak", numbers({l.v_leak})}}),
                p);
            EXPECT_NEAR(1 - c.loss[0], leak, 1e-12);
            EXPECT_NEAR(c.gain[0], gain, 1e-12);
            EXPECT_NEAR(c.drift[0], jump ? 0.0 : 0.125, 1e-12);
        }
    }
    const LeakyParameters none = leaky_parameters(1.0, 1.0, 0.0, p);
    EXPECT_TRUE(std::isfinite(none.tau)) << "no leak is a very long tau";
    const FilterParameters f = filter_parameters(0.75, p);
    const NeuronConstants c = neuron_constants(
        node("CubaLIF", {{"tau_syn", numbers({f.tau_syn})}, {"w_in", numbers({f.w_in})}}), p);
    EXPECT_NEAR(1 - c.ks[0], 0.75, 1e-12);
    EXPECT_NEAR(c.ks[0] * c.w_in[0], 1, 1e-12);
    EXPECT_NEAR(neuron_constants(node("IF", {{"r", numbers({integrator_r(2.5, p)})}}), p).gain[0], 2.5,
                1e-12);
}
INSTANTIATE_TEST_SUITE_P(Methods, Inverse, ::testing::Values("euler", "exp", "jump"),
                         [](const auto& q) { return q.param; });

LoweredNeurons lowered(const NirNode& n, const Profile& p) {
    NirModel model;
    model.nodes = {n};
    Graph graph;
    graph.model = &model;
    return lower_neurons(graph, Population{}, p);
}

const Values& fixed(const LoweredNeurons& n, std::string_view name) {
    for (const FixedParameter& f : n.fixed)
        if (f.name == name) return f.values;
    throw InternalError("no parameter " + std::string(name));
}

TEST(LowerNeurons, IntegersKeepTheRiseOfTheThreshold) {
    Profile p = profile("euler");
    p.dt = 2.5e8;
    NirNode n = leaky("ALIF", "tau");  // gain 0.5
    n.arrays["adapt_decay"] = numbers({0.75});
    n.arrays["adapt_jump"] = numbers({0.25});
    n.arrays["adapt_strength"] = numbers({2, 4});
    const LoweredNeurons l = lowered(n, p);
    EXPECT_EQ(l.model, "alif");
    EXPECT_THAT(fixed(l, "adapt_decay"), ElementsAre(0.25));
    EXPECT_THAT(fixed(l, "adapt_jump"), ElementsAre(1, 2)) << "strength times jump, divided by the gain";
    EXPECT_THAT(fixed(l, "threshold"), ElementsAre(2, 4));
    EXPECT_THAT(fixed(l, "bias"), ElementsAre(1.5)) << "the leak's pull";
}

TEST(LowerNeurons, LateResetsToAValueAreThatOfIntegratorsToo) {
    Profile p = profile("euler");
    p.reset_delay = true;
    const NirNode n = node("IF", {{"r", numbers({1})}, {"v_threshold", numbers({1})}});
    EXPECT_EQ(lowered(n, p).rule.reset, arch::Reset::Value);
    EXPECT_FALSE(lowered(n, p).rule.late_after);
    p.late_reset = "snntorch";
    EXPECT_FALSE(lowered(leaky("LIF", "tau"), p).rule.late_after);
    EXPECT_TRUE(lowered(leaky("CubaLIF", "tau_mem"), p).rule.late_after);
    p.reset = "subtract";
    EXPECT_FALSE(lowered(leaky("CubaLIF", "tau_mem"), p).rule.late_after);
}

TEST(LowerNeurons, KeysOfALayerAreThatLayersOnly) {
    Profile p = profile("euler");
    NirNode n = leaky("LIF", "tau");
    n.name = "out";
    p.layers["out"].reset = "none";
    p.layers["out"].v_init = "v_reset";
    EXPECT_EQ(lowered(n, p).rule.reset, arch::Reset::None);
    EXPECT_EQ(lowered(n, p).real.back().values, Values{0.5});
    n.name = "hidden";
    EXPECT_EQ(lowered(n, p).rule.reset, arch::Reset::Value);
    p.v_min = -2;
    p.v_min_unit = "threshold";
    EXPECT_THAT(fixed(lowered(n, p), "v_min"), ElementsAre(-10, -20));
}

/// What snnTorch's exporter writes of beta and alpha in float32, and gets back.
TEST(NeuronConstants, Float32GivesTheFrameworksNumbersBack) {
    Profile p = preset_profile("snntorch-defaults");
    for (const float beta : {0.5F, 0.625F, 0.75F, 0.9F, 0.95F, 0.99F}) {
        const float dt = 1e-4F, tau = dt / (1 - beta), r = tau / dt;
        const NirNode n = node("CubaLIF", {{"tau_mem", numbers({tau})},
                                           {"tau_syn", numbers({tau})},
                                           {"r", numbers({r})},
                                           {"w_in", numbers({r})}});
        const NeuronConstants c = neuron_constants(n, p);
        EXPECT_EQ(1 - c.loss[0], static_cast<double>(beta));
        EXPECT_EQ(1 - c.ks[0], static_cast<double>(beta));
        EXPECT_THAT(c.gain, ElementsAre(1));
        EXPECT_THAT(c.weight_gain, ElementsAre(1));
    }
}

TEST(NeuronConstants, AnInfiniteTauIsAnIntegrator) {
    const double inf = std::numeric_limits<double>::infinity();
    for (const char* method : {"euler", "exp", "jump", "rockpool"}) {
        NirNode n = leaky("LIF", "tau");
        n.arrays["tau"] = n.arrays["r"] = numbers({inf});
        const NeuronConstants c = neuron_constants(n, profile(method));
        EXPECT_THAT(c.loss, ElementsAre(0)) << method;
        EXPECT_THAT(c.gain, ElementsAre(1)) << method;
        EXPECT_THAT(c.drift, ElementsAre(0)) << method;
        n.arrays["tau"] = numbers({1e-3});
        EXPECT_THROW(neuron_constants(n, profile(method)), UnsupportedError) << method;
    }
}

TEST(NeuronConstants, StepsOfEulerAreNoLongerThanTau) {
    Profile p = profile("euler");
    p.dt = 1e9;
    EXPECT_NO_THROW(neuron_constants(leaky("LIF", "tau"), p));
    p.dt = 1.1e9;
    EXPECT_THROW(neuron_constants(leaky("LIF", "tau"), p), ConfigError);
    p.method = "exp";
    EXPECT_NO_THROW(neuron_constants(leaky("LIF", "tau"), p));
    NirNode n = leaky("CubaLIF", "tau_mem");
    n.arrays["tau_syn"] = numbers({5e-4});
    EXPECT_THROW(neuron_constants(n, p), ConfigError) << "the filter of a current is Euler's";
}

}  // namespace
}  // namespace loom::compiler
