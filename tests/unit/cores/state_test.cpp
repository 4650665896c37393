// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/error.hpp"
#include "core_fixture.hpp"
#include "cores/near_memory/synapse_rows.hpp"
#include "cores/neuron/fixed_rule.hpp"
#include "cores/neuron/float_rule.hpp"

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

/// Floor division by 2^bits, or truncation, of a product: written with division, not shifts.
std::int64_t scaled(std::int64_t v, std::int64_t factor, unsigned bits, bool floor) {
    using cores::Wide;
    const Wide p = static_cast<Wide>(v) * factor, d = static_cast<Wide>(1) << bits;
    Wide q = p / d;
    if (floor && p % d < 0) --q;
    return static_cast<std::int64_t>(q);
}

TEST(FixedRule, AgreesWithAPlainTranscription) {
    std::mt19937_64 rng(5);
    const auto pick = [&](std::int64_t lo, std::int64_t hi) {
        return lo + static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(hi - lo + 1));
    };
    for (int round = 0; round < 4000; ++round) {
        arch::NeuronGroup g;
        g.rule.has_current = pick(0, 1) != 0;
        g.rule.parallel = pick(0, 1) != 0;
        g.rule.fires = pick(0, 4) != 0;
        g.rule.greater_equal = pick(0, 1) != 0;
        g.rule.reset = static_cast<arch::Reset>(pick(0, 1));
        g.rule.multispike = pick(0, 3) == 0;
        g.rule.reset_delay = !g.rule.multispike && pick(0, 3) == 0;
        g.rule.clamp = pick(0, 2) == 0;
        g.method = pick(0, 1) != 0 ? arch::NeuronGroup::Method::Euler : arch::NeuronGroup::Method::Integrate;
        const std::int64_t dv = pick(0, 4096), du = pick(0, 4096), bu = pick(-50, 50), bv = pick(-50, 50),
                           thr = pick(1, 400), vr = pick(-20, 20), vm = pick(-300, 0);
        g.decay_v.i = {dv};
        g.decay_u.i = {du};
        g.bias_u.i = {bu};
        g.bias_v.i = {bv};
        g.threshold.i = {thr};
        g.v_reset.i = {vr};
        g.v_min.i = {vm};
        cores::FixedFormat f{12, pick(0, 1) != 0, 2047, -2048};
        cores::FixedState s;
        std::int64_t v = 0, u = 0, pending = 0;
        std::uint64_t saturations = 0, expected_saturations = 0;
        const auto clip = [&](std::int64_t x) {
            if (x > 2047 || x < -2048) ++expected_saturations;
            return std::clamp<std::int64_t>(x, -2048, 2047);
        };
        for (int t = 0; t < 30; ++t) {
            const std::int64_t in = pick(-400, 500);
            std::int64_t used = 0;
            const std::int64_t z = cores::update_fixed(f, g, 0, s, in, used, saturations);
            // the transcription
            std::int64_t late = 0;
            if (g.rule.reset_delay && g.rule.fires) {
                if (g.rule.reset == arch::Reset::Value && g.method != arch::NeuronGroup::Method::Integrate) {
                    v = pending != 0 ? 0 : v;
                } else {
                    late = pending * thr;
                }
            }
            std::int64_t i = in + bu;
            if (g.rule.has_current) {
                const std::int64_t before = u;
                u = clip(scaled(u, du, 12, f.floor_rounding) + i);
                i = g.rule.parallel ? before : u;
            }
            v = clip(scaled(v, dv, 12, f.floor_rounding) + i + bv - late);
            std::int64_t want = 0;
            if (g.rule.fires) {
                want = g.rule.multispike                                 ? (v > 0 ? v / thr : 0)
                       : (v > thr || (g.rule.greater_equal && v == thr)) ? 1
                                                                         : 0;
                if (g.rule.reset_delay) {
                    pending = want;
                } else if (g.rule.reset == arch::Reset::Subtract) {
                    v -= want * thr;
                } else if (want != 0) {
                    v = vr;
                }
                if (g.rule.clamp) v = std::max(v, vm);
            }
            ASSERT_EQ(z, want);
            ASSERT_EQ(s.v, v);
            ASSERT_EQ(used, i);
            ASSERT_EQ(saturations, expected_saturations);
        }
    }
}

/// The soma's short cut for the common rule against the general one.
TEST(FixedCore, TheCommonRuleEqualsTheGeneralOne) {
    std::mt19937 rng(9);
    const auto pick = [&](int lo, int hi) {
        return lo + static_cast<int>(rng() % static_cast<unsigned>(hi - lo + 1));
    };
    for (int round = 0; round < 60; ++round) {
        CoreFixture f(1, 1);
        f.spec.core.soma.rounding = round % 2 == 0 ? arch::Rounding::Floor : arch::Rounding::TowardZero;
        f.spec.core.soma.state_bits = 14;
        auto& g = f.neurons();
        g.decay_v.i = {pick(0, 4096)};
        g.bias_u.i = {pick(-20, 20)};
        g.threshold.i = {pick(1, 3000)};
        g.v_reset.i = {pick(-30, 30)};
        g.rule.greater_equal = pick(0, 1) != 0;
        g.rule.reset = static_cast<arch::Reset>(pick(0, 1));
        f.build();
        const arch::NeuronGroup copy = g;
        const auto format = cores::FixedFormat::of(f.spec.core.soma);
        cores::FixedState s;
        std::uint64_t saturations = 0;
        for (Step t = 0; t < 40; ++t) {
            const std::int64_t in = pick(-4000, 4000);
            f.core->set_host_current(0, in);
            step(f, t);
            std::int64_t used = 0;
            const std::int64_t z = cores::update_fixed(format, copy, 0, s, in, used, saturations);
            ASSERT_EQ(f.core->membrane(0), static_cast<double>(s.v));
            ASSERT_EQ(f.core->current(0), static_cast<double>(used));
            ASSERT_EQ(f.core->spikes().size(), static_cast<std::size_t>(z));
        }
        EXPECT_EQ(f.counters().state_saturations, saturations);
    }
}

TEST(FixedRule, WideMembranesDoNotOverflow) {
    cores::FixedFormat f{16, true, (std::int64_t{1} << 61) - 1, -(std::int64_t{1} << 61)};
    EXPECT_EQ(f.decay(std::int64_t{1} << 60, 65535), (std::int64_t{1} << 60) - (std::int64_t{1} << 44));
    EXPECT_EQ(f.decay(-3, 32768), -2);
    f.floor_rounding = false;
    EXPECT_EQ(f.decay(-3, 32768), -1);
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

TEST(FloatRule, MethodsByHand) {
    arch::NeuronGroup g;
    for (auto* p : {&g.k, &g.a, &g.leak, &g.r, &g.ks, &g.w_in, &g.bias, &g.v_reset, &g.v_min}) p->d = {0.0};
    g.k.d = {0.5};
    g.a.d = {0.25};
    g.leak.d = {2.0};
    g.r.d = {3.0};
    g.threshold.d = {100.0};
    using Method = arch::NeuronGroup::Method;
    const std::pair<Method, double> cases[] = {{Method::Euler, 1 + 0.5 * ((2 - 1) + 3 * 4)},
                                               {Method::Exp, 14 + (1 - 14) * 0.25},
                                               {Method::Jump, 1 * 0.25 + 3 * 4},
                                               {Method::Integrate, 1 + 0.5 * 4},
                                               {Method::Direct, 4}};
    for (const auto& [method, want] : cases) {
        g.method = method;
        cores::FloatState s{1, 0, 0};
        double used = 0;
        EXPECT_EQ(cores::update_float(g, 0, s, 4, used), 0);
        EXPECT_EQ(s.v, want);
        EXPECT_EQ(used, 4);
    }
    // snnTorch's soft reset: above the threshold after a subtraction costs another threshold
    g.method = Method::Integrate;
    g.k.d = {1.0};
    g.threshold.d = {1.0};
    g.rule.reset = arch::Reset::SubtractSnn;
    cores::FloatState s;
    double used = 0;
    EXPECT_EQ(cores::update_float(g, 0, s, 2.5, used), 1);
    EXPECT_EQ(s.v, 1.5);
    EXPECT_EQ(s.memory, 1);
    EXPECT_EQ(cores::update_float(g, 0, s, 0, used), 0);
    EXPECT_EQ(s.v, 1.5);
}

}  // namespace
}  // namespace loom
