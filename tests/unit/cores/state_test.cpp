// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/error.hpp"
#include "core_fixture.hpp"
#include "cores/near_memory/synapse_rows.hpp"
#include "tests/unit/cores/random_conv.hpp"

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
        const arch::ConvRows c = random_conv(pick);
        const arch::LinearShape& s = c.shape;
        const arch::WindowAxis &rows = s.window.rows, &columns = s.window.columns;
        const std::size_t at = c.weight_at.back() + s.window.taps() * c.co_count.back();
        auto block = std::make_shared<arch::WeightBlock>();
        std::vector<std::int8_t> w(at + 1);
        for (auto& x : w) x = static_cast<std::int8_t>(rng());
        block->values = w;
        arch::AxonGroup g;
        g.rows = c;
        g.weights = block;
        arch::CoreSpec spec;
        for (std::uint32_t axon = 0; axon < s.inputs(); ++axon) {
            std::vector<std::int32_t> got(s.outputs(), 0), want(s.outputs(), 0);
            cores::add_row<std::int32_t>(g, axon, 3, got.data());
            std::uint64_t synapses = 0;
            const std::size_t ci = axon % s.in_c, x = axon / s.in_c % s.in_w, y = axon / s.in_c / s.in_w;
            for (std::size_t ty = 0; ty < s.out_h; ++ty) {
                for (std::size_t tx = 0; tx < s.out_w; ++tx) {
                    for (std::size_t ky = 0; ky < rows.kernel; ++ky) {
                        for (std::size_t kx = 0; kx < columns.kernel; ++kx) {
                            if (ty * rows.stride + ky * rows.dilation != y + rows.before) continue;
                            if (tx * columns.stride + kx * columns.dilation != x + columns.before) continue;
                            for (std::size_t o = 0; o < c.co_count[ci]; ++o) {
                                want[(ty * s.out_w + tx) * s.out_c + c.co_first[ci] + o] +=
                                    3 * w[c.weight_at[ci] + (ky * columns.kernel + kx) * c.co_count[ci] + o];
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
