// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/error.hpp"
#include "core_fixture.hpp"
#include "cores/near_memory/synapse_rows.hpp"

namespace loom {
namespace {

using testing::CoreFixture;

/// One empty timestep.
void step(CoreFixture& f, Step s) {
    f.core->begin_step(f.scheduler.now(), s);
    f.drain();
}

class AnyCore : public ::testing::TestWithParam<arch::Arithmetic> {
  protected:
    CoreFixture fixture(std::uint32_t inputs, std::uint32_t neurons) const {
        CoreFixture f(inputs, neurons);
        f.spec.core.soma.arithmetic = GetParam();
        f.program.fixed = GetParam() == arch::Arithmetic::Fixed;
        f.dense(inputs, std::vector<double>(std::size_t{inputs} * neurons, 1.0));
        return f;
    }
};

TEST_P(AnyCore, DelaysComeBackInTheirTimestep) {
    for (std::uint8_t delay = 1; delay <= 8; ++delay) {
        CoreFixture f = fixture(1, 2);
        f.axons().delay = delay;
        f.build();
        for (Step s = 0; s < 40; ++s) {
            if (s % 3 == 0) f.peer->send(f.scheduler.now() + 1, 0);
            step(f, s);
            // inputs of steps 0, 3, 6, ... count `delay` later
            const double want = s < delay ? 0 : static_cast<double>((s - delay) / 3 + 1);
            ASSERT_EQ(f.core->membrane(0), want) << "delay " << int{delay} << " step " << s;
        }
    }
}

TEST_P(AnyCore, ActiveWindowResetsAndHostCurrent) {
    CoreFixture f = fixture(1, 1);
    f.neurons().start_step = 2;
    f.schedule.active_steps = 6;
    f.schedule.reset_every = 4;
    f.build();
    const bool fixed = GetParam() == arch::Arithmetic::Fixed;
    f.core->set_host_current(0, fixed ? 5 : Packet::from_double(5.0));
    std::vector<double> v;
    for (Step s = 0; s < 10; ++s) {
        step(f, s);
        v.push_back(f.core->membrane(0));
    }
    EXPECT_THAT(v, ::testing::ElementsAre(0, 0, 5, 10, 15, 20, 5, 10, 10, 10));
    f.core->reset_state();
    EXPECT_EQ(f.core->membrane(0), 0);
    step(f, 2);
    EXPECT_EQ(f.core->membrane(0), 0) << "the host current is forgotten";
}

TEST_P(AnyCore, InputOutsideTheWindowIsDiscarded) {
    CoreFixture f = fixture(1, 1);
    f.neurons().start_step = 3;
    f.build();
    f.peer->send(1, 0);  // counts in step 1, before the start
    for (Step s = 0; s < 12; ++s) step(f, s);
    EXPECT_EQ(f.core->membrane(0), 0);
}

TEST_P(AnyCore, ArrivalOrderDoesNotMatter) {
    const std::uint32_t inputs = 40, neurons = 9;
    std::vector<std::vector<double>> results;
    for (unsigned seed = 0; seed < 6; ++seed) {
        CoreFixture f = fixture(inputs, neurons);
        std::mt19937 fixed_rng(1), rng(seed);
        std::vector<double> w(std::size_t{inputs} * neurons);
        for (double& x : w) {
            x = GetParam() == arch::Arithmetic::Fixed
                    ? static_cast<double>(static_cast<int>(fixed_rng() % 255) - 127)
                    : static_cast<double>(fixed_rng()) * 1e-7;
        }
        f.dense(inputs, w);
        f.build();
        std::vector<std::uint32_t> order(inputs);
        for (std::uint32_t i = 0; i < inputs; ++i) order[i] = i;
        std::shuffle(order.begin(), order.end(), rng);
        for (const std::uint32_t a : order) f.peer->send(1, a);
        step(f, 0);
        step(f, 1);
        std::vector<double> v;
        for (std::uint32_t n = 0; n < neurons; ++n) v.push_back(f.core->membrane(n));
        results.push_back(v);
        EXPECT_EQ(f.counters().ac, inputs * neurons);
    }
    for (const auto& r : results) EXPECT_EQ(r, results[0]);
    EXPECT_NE(results[0][0], 0);
}

TEST_P(AnyCore, UnknownAxonIsAFault) {
    CoreFixture f = fixture(2, 1);
    f.build();
    f.peer->send(1, 2);
    EXPECT_THROW(f.drain(), ModelError);
}

INSTANTIATE_TEST_SUITE_P(NearMemory, AnyCore,
                         ::testing::Values(arch::Arithmetic::Fixed, arch::Arithmetic::Float64),
                         [](const auto& p) {
                             return p.param == arch::Arithmetic::Fixed ? "fixed" : "float64";
                         });

TEST(FixedCore, GradedInputCountsAsMac) {
    CoreFixture f(1, 3);
    f.axons().analogue = true;
    f.axons().shift = 2;
    f.build();
    f.peer->send(1, 0, 11);
    step(f, 0);
    step(f, 1);
    EXPECT_EQ(f.core->membrane(1), 44);
    EXPECT_EQ(f.counters().mac, 3u);
    EXPECT_EQ(f.counters().ac, 0u);
}

TEST(FixedCore, AccumulatorAndMembraneSaturate) {
    CoreFixture f(1, 1);
    f.spec.core.dendrite.accumulator_bits = 8;  // -128..127
    f.spec.core.soma.state_bits = 10;           // -512..511
    f.axons().analogue = true;
    f.build();
    f.peer->send(1, 0, 1000);
    step(f, 0);
    step(f, 1);
    EXPECT_EQ(f.core->membrane(0), 127);
    EXPECT_EQ(f.counters().accumulator_saturations, 1u);
    EXPECT_EQ(f.counters().state_saturations, 0u);
    for (Step s = 2; s < 7; ++s) {
        f.peer->send(f.scheduler.now() + 1, 0, -1000);
        step(f, s);
    }
    for (Step s = 7; s < 9; ++s) step(f, s);
    EXPECT_EQ(f.core->membrane(0), -512);
    EXPECT_EQ(f.counters().accumulator_saturations, 6u);
    EXPECT_EQ(f.counters().state_saturations, 1u) << "127 - 5 * 128 = -513";
}

TEST(Catalogue, UnknownKind) {
    CoreFixture f;
    f.spec.core.kind = "far_memory";
    try {
        f.build();
        FAIL();
    } catch (const ConfigError& e) {
        EXPECT_STREQ(e.what(), "core.kind: unknown 'far_memory'; did you mean 'near_memory'?");
    }
}

/// A random convolution as ConvRows and as the same connections written out.
TEST(SynapseRows, ConvolutionsEqualTheirSparseForm) {
    std::mt19937 rng(3);
    const auto pick = [&](std::uint32_t lo, std::uint32_t hi) {
        return lo + static_cast<std::uint32_t>(rng() % (hi - lo + 1));
    };
    for (int round = 0; round < 300; ++round) {
        arch::ConvRows c;
        c.in_y0 = pick(0, 3);
        c.in_x0 = pick(0, 3);
        c.in_h = pick(1, 6);
        c.in_w = pick(1, 6);
        c.in_c = pick(1, 3);
        c.kernel_h = pick(1, 3);
        c.kernel_w = pick(1, 3);
        c.stride_y = pick(1, 2);
        c.stride_x = pick(1, 3);
        c.dilation_y = pick(1, 2);
        c.dilation_x = pick(1, 2);
        c.pad_y = static_cast<std::int32_t>(pick(0, 2));
        c.pad_x = static_cast<std::int32_t>(pick(0, 2));
        c.tile_y0 = pick(0, 2);
        c.tile_x0 = pick(0, 2);
        c.tile_h = pick(1, 5);
        c.tile_w = pick(1, 5);
        c.tile_c = pick(1, 4);
        std::uint32_t at = 0;
        for (std::uint32_t ci = 0; ci < c.in_c; ++ci) {
            const std::uint32_t first = pick(0, c.tile_c - 1), count = pick(0, c.tile_c - first);
            c.co_first.push_back(first);
            c.co_count.push_back(count);
            c.weight_at.push_back(at);
            at += count * c.kernel_h * c.kernel_w;
        }
        auto block = std::make_shared<arch::WeightBlock>();
        std::vector<std::int8_t> w(at + 1);
        for (auto& x : w) x = static_cast<std::int8_t>(rng());
        block->values = w;
        arch::AxonGroup g;
        g.rows = c;
        g.weights = block;
        arch::CoreSpec spec;
        const std::uint32_t neurons = c.tile_h * c.tile_w * c.tile_c;
        for (std::uint32_t axon = 0; axon < c.in_h * c.in_w * c.in_c; ++axon) {
            std::vector<std::int32_t> got(neurons, 0), want(neurons, 0);
            cores::add_row<std::int32_t>(g, axon, 3, got.data());
            std::uint64_t synapses = 0;
            const std::uint32_t ci = axon % c.in_c;
            const auto x = static_cast<std::int64_t>(axon / c.in_c % c.in_w + c.in_x0),
                       y = static_cast<std::int64_t>(axon / c.in_c / c.in_w + c.in_y0);
            for (std::uint32_t ty = 0; ty < c.tile_h; ++ty) {
                for (std::uint32_t tx = 0; tx < c.tile_w; ++tx) {
                    for (std::uint32_t ky = 0; ky < c.kernel_h; ++ky) {
                        for (std::uint32_t kx = 0; kx < c.kernel_w; ++kx) {
                            if (std::int64_t{(ty + c.tile_y0) * c.stride_y + ky * c.dilation_y} - c.pad_y !=
                                y)
                                continue;
                            if (std::int64_t{(tx + c.tile_x0) * c.stride_x + kx * c.dilation_x} - c.pad_x !=
                                x)
                                continue;
                            for (std::uint32_t o = 0; o < c.co_count[ci]; ++o) {
                                want[(ty * c.tile_w + tx) * c.tile_c + c.co_first[ci] + o] +=
                                    3 * w[c.weight_at[ci] + (ky * c.kernel_w + kx) * c.co_count[ci] + o];
                                ++synapses;
                            }
                        }
                    }
                }
            }
            ASSERT_EQ(got, want) << "round " << round << " axon " << axon;
            ASSERT_EQ(cores::row_cost(g, axon, spec).synapses, synapses);
        }
    }
}

}  // namespace
}  // namespace loom
