// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "compiler/compile.hpp"
#include "compiler/import/nir_reader.hpp"
#include "compiler/passes/passes.hpp"
#include "tests/support/core_kinds.hpp"

namespace loom::compiler {
namespace {

std::shared_ptr<const NirModel> digits(const std::string& name) {
    return std::make_shared<NirModel>(
        read_nir(std::string(LOOM_SOURCE_DIR) + "/tests/golden/digits/" + name + ".nir"));
}

arch::ChipSpec chip() {
    arch::ChipSpec c{support::core_kinds()};
    c.core.axon_in.payload_bits = 8;
    c.core.axon_out.max_fanout_entries = 65536;
    return c;
}

InputFormat image() {
    InputFormat f;
    f.analogue = true;
    f.exponent = 4;
    return f;
}

Mapping compile_conv(const arch::ChipSpec& c, MapSpec map = {}) {
    return compile(digits("digits_conv_q8"), Profile{}, c, map, image());
}

TEST(Compile, EveryConnectionOnceOnChipsOfManySizes) {
    const auto model = digits("digits_conv_q8");
    for (const std::uint64_t neurons : {1024u, 300u, 100u, 33u}) {
        for (const bool conv : {true, false}) {
            arch::ChipSpec c = chip();
            c.noc.size = {16, 16};
            c.core.soma.max_neurons = neurons;
            c.core.synapse.conv = conv;
            c.core.synapse.memory = 4096 * 8192;
            const Mapping m = compile(model, Profile{}, c, {}, image());
            std::uint64_t total = 0;
            for (const auto& core : m.program.cores) {
                EXPECT_LE(core.n_neurons, neurons);
                total += core.n_neurons;
            }
            EXPECT_EQ(total, 1024u + 512u + 10u);
            // conv1: 3x3 taps inside 8x8, 16 channels: (22*22) * 16; conv2 reached through pooling:
            // each of 1024 elements sees the taps of its 4x4 position: 4 * (10*10) * 16 * 32; fc 512 * 10
            EXPECT_EQ(check_program(m, Profile{}, c), 484u * 16 + 4 * 100 * 16 * 32 + 5120);
        }
    }
}

TEST(Compile, PopulationsAndSkews) {
    const Mapping m = compile_conv(chip());
    ASSERT_EQ(m.program.layers.size(), 4u);
    EXPECT_EQ(m.program.max_skew, 3u);
    for (const auto& l : m.program.layers) {
        const std::uint32_t want = l.name == "input" ? 0 : l.name == "lif1" ? 1 : l.name == "lif2" ? 2 : 3;
        EXPECT_EQ(l.skew, want) << l.name;
    }
    double macs = 0;
    for (const auto& l : m.program.layers) macs += l.ann_macs;
    EXPECT_EQ(macs, 484.0 * 16 + 100.0 * 16 * 32 + 5120);
    for (const PassReport& p : m.passes) EXPECT_GE(p.seconds, 0);
    EXPECT_EQ(m.passes.size(), 8u);
}

TEST(Compile, SamePlacementForTheSameSeed) {
    arch::ChipSpec c = chip();
    c.noc.size = {8, 8};
    c.core.soma.max_neurons = 64;
    MapSpec map;
    map.seed = 9;
    const Mapping a = compile_conv(c, map), b = compile_conv(c, map);
    EXPECT_EQ(a.placement.endpoint, b.placement.endpoint);
    EXPECT_LT(a.placement.cost, a.placement.sequential_cost);
    map.place = "sequential";
    const Mapping s = compile_conv(c, map);
    EXPECT_EQ(s.placement.cost, s.placement.sequential_cost);
    EXPECT_NE(s.placement.endpoint, a.placement.endpoint);
}

TEST(Compile, LayersCanBeSpread) {
    MapSpec map;
    map.min_slices = 4;
    const Mapping m = compile_conv(chip(), map);
    for (std::uint32_t i = 0; i < m.graph.populations.size(); ++i) {
        if (m.graph.populations[i].is_input) continue;
        EXPECT_GE(m.partition.of[i].size(), 4u);
    }
    EXPECT_EQ(m.program.cores.size(), 12u);
    map.min_slices = 1000;  // more than the output has neurons, and than the chip has cores
    EXPECT_THROW(compile_conv(chip(), map), MappingError);
}

/// The checker must see each kind of damage.
TEST(Checker, SeesDamage) {
    const arch::ChipSpec c = chip();
    const auto broken = [&](auto damage) {
        Mapping m = compile_conv(c);
        damage(m.program);
        try {
            check_program(m, Profile{}, c);
        } catch (const InternalError& e) {
            return std::string(e.what());
        }
        return std::string("not seen");
    };
    using P = arch::Program&;
    EXPECT_EQ(broken([](P) {}), "not seen");
    EXPECT_THAT(broken([](P p) { p.cores[0].fanout.entries[3].axon += 1; }),
                ::testing::HasSubstr("mapping check"));
    EXPECT_THAT(broken([](P p) { p.cores[0].fanout.entries[3] = p.cores[0].fanout.entries[2]; }),
                ::testing::HasSubstr("mapping check"));
    EXPECT_THAT(broken([](P p) {
                    p.input_fanout.entries.pop_back();
                    p.input_fanout.row.back() -= 1;
                }),
                ::testing::HasSubstr("delivered as 0"));
    EXPECT_THAT(broken([](P p) { p.cores[1].axons[0].delay = 2; }), ::testing::HasSubstr("a wrong delay"));
    EXPECT_THAT(broken([](P p) {
                    std::swap(p.cores[0].neurons[0].layer_index[0], p.cores[0].neurons[0].layer_index[1]);
                }),
                ::testing::HasSubstr("delivered as"));
    EXPECT_THAT(
        broken([](P p) { p.cores[0].neurons[0].layer_index[0] = p.cores[0].neurons[0].layer_index[1]; }),
        ::testing::HasSubstr("a neuron is on two cores"));
    EXPECT_THAT(broken([](P p) { p.cores[1].endpoint = p.cores[0].endpoint; }),
                ::testing::HasSubstr("two cores at one place"));
    EXPECT_THAT(broken([](P p) {
                    auto block = std::make_shared<arch::WeightBlock>(*p.cores[1].axons[0].weights);
                    std::get<std::vector<std::int8_t>>(block->values)[7] += 1;
                    p.cores[1].axons[0].weights = block;
                }),
                ::testing::HasSubstr("delivered as"));
}

TEST(Fit, NamesTheResource) {
    const auto refused = [](auto change) {
        arch::ChipSpec c = chip();
        change(c);
        try {
            compile_conv(c);
        } catch (const MappingError& e) {
            return e.resource();
        }
        return std::string("fits");
    };
    using C = arch::ChipSpec&;
    EXPECT_EQ(refused([](C) {}), "fits");
    EXPECT_EQ(refused([](C c) { c.core.soma.max_neurons = 50; }), "cores");
    EXPECT_EQ(refused([](C c) { c.core.axon_in.max_axons = 30; }), "input axons of a core");
    EXPECT_EQ(refused([](C c) { c.core.synapse.memory = 40; }), "synapse memory of a core (bits)");
    EXPECT_EQ(refused([](C c) { c.core.axon_out.max_fanout_entries = 0; }),
              "output fan-out entries of a core");
    EXPECT_EQ(refused([](C c) { c.core.axon_in.payload_bits = 4; }), "payload bits of a graded spike");
    EXPECT_EQ(refused([](C c) { c.core.soma.state_bits = 12; }), "membrane bits");
}

TEST(Quantise, FinestExponentThatFits) {
    LoweredNeurons n;
    n.threshold = n.gain = {1.0};
    n.bias_u = {0.0};
    arch::CoreSpec core;
    core.kinds = &support::core_kinds();
    const auto exponents = [&](std::vector<std::vector<double>> weights, std::uint64_t bits) {
        core.synapse.weight_bits = bits;
        std::vector<WeightedInput> in;
        for (const auto& w : weights) {
            const auto [low, high] = std::minmax_element(w.begin(), w.end());
            in.push_back({low == w.end() ? 0 : *low, high == w.end() ? 0 : *high, 0, 0});
        }
        const PopulationFormat f = quantise("x", in, n, core, std::nullopt);
        std::vector<int> k{f.accumulator};
        for (const auto& i : in) k.push_back(i.weight_exponent);
        return k;
    };
    EXPECT_THAT(exponents({{0.5, -0.25}}, 8), ::testing::ElementsAre(7, 7));         // 64
    EXPECT_THAT(exponents({{127.0 / 256, -0.5}}, 8), ::testing::ElementsAre(8, 8));  // 127, -128
    EXPECT_THAT(exponents({{0.5}}, 8), ::testing::ElementsAre(7, 7));
    EXPECT_THAT(exponents({{-0.5}}, 8), ::testing::ElementsAre(8, 8));      // -128 exists, 128 does not
    EXPECT_THAT(exponents({{1000.0}}, 8), ::testing::ElementsAre(-3, -3));  // 125
    EXPECT_THAT(exponents({{0.0}}, 8), ::testing::ElementsAre(0, 0));
    EXPECT_THAT(exponents({{0.5}, {100.0}}, 8), ::testing::ElementsAre(7, 7, 0));
    EXPECT_THAT(exponents({{0.001}, {100.0}}, 8), ::testing::ElementsAre(8, 8, 0));  // at most 8 apart
    EXPECT_THAT(exponents({{0.5}}, 4), ::testing::ElementsAre(3, 3));
    core.soma.weight_shift = 6;
    core.soma.threshold_shift = 6;
    core.soma.threshold_bits = 17;
    core.soma.state_bits = 24;
    n.threshold = {5000.0};  // 5000 * 2^(e + 6) must stay below 2^23: e = 4
    EXPECT_THAT(exponents({{0.5}}, 8), ::testing::ElementsAre(4, 4));
}

TEST(Quantise, Roundings) {
    EXPECT_EQ(to_integer_weight(0.7, 3), 6);
    EXPECT_EQ(to_integer_bias(-0.5, 0), 0);
    EXPECT_EQ(to_integer_bias(0.5, 0), 1);
    EXPECT_EQ(to_integer_threshold(1.3, 4, false, 0), 20);
    EXPECT_EQ(to_integer_threshold(1.3, 4, true, 0), 21);
    EXPECT_EQ(to_integer_threshold(1.0, 4, true, 0), 16);
    EXPECT_EQ(to_integer_threshold(1600, 0, false, 6), 1600);
    EXPECT_EQ(to_integer_threshold(1601, 0, false, 6), 1600);
    EXPECT_EQ(to_integer_threshold(1601, 0, true, 6), 1664);
    EXPECT_EQ(to_integer_decay(0.25, 12), 3072);
    EXPECT_EQ(to_integer_decay(1e-4 / 8e-4, 12), 3584) << "0.125 up to the noise of decimal fractions";
    EXPECT_EQ(snap(1e-4 / 8e-4), 0.125);
    EXPECT_EQ(snap(0.0), 0.0);
}

TEST(Delays, ALoopWithoutDelayIsRefused) {
    Graph g;
    g.populations.resize(3);
    for (std::uint32_t i = 0; i < 3; ++i) g.populations[i].name = std::string(1, static_cast<char>('a' + i));
    const auto edge = [&](std::uint32_t from, std::uint32_t to, std::uint32_t delay) {
        Projection p;
        p.source = from;
        p.target = to;
        p.delay = delay;
        g.projections.push_back(p);
    };
    edge(0, 1, 0);
    edge(1, 2, 0);
    edge(0, 2, 0);  // skip connection
    edge(2, 1, 2);  // long enough
    Graph fine = g;
    balance_delays(fine, 8);
    EXPECT_EQ(fine.populations[2].skew, 2u);
    EXPECT_EQ(fine.projections[2].chip_delay, 2u);
    EXPECT_EQ(fine.projections[3].chip_delay, 1u);
    EXPECT_THROW(balance_delays(fine = g, 1), MappingError);
    g.projections[3].delay = 1;
    try {
        balance_delays(g, 8);
        FAIL();
    } catch (const MappingError& e) {
        EXPECT_EQ(e.need(), 2);
        EXPECT_EQ(e.have(), 1);
    }
}

TEST(Profiles, PresetsAndMistakes) {
    EXPECT_EQ(preset_profile("sinabs").method, "jump");
    EXPECT_TRUE(preset_profile("sinabs").multispike);
    EXPECT_EQ(preset_profile("spikingjelly").compare, ">=");
    EXPECT_THROW(preset_profile("snntorhc"), ConfigError);
    Profile p;
    p.reset = "hard";
    EXPECT_THROW(check_profile(p), ConfigError);
    EXPECT_EQ(Profile{}.dt_seconds(), 1e-4);
}

}  // namespace
}  // namespace loom::compiler
