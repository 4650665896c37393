// SPDX-License-Identifier: Apache-2.0
// Outputs and gradients of random small networks against scalar reverse-mode differentiation in double:
// layers, neurons with all their parts, norms, residual connections, rules of time. Relative 1e-5 of a
// gradient's largest.
#include "base/portable_math.hpp"
#include "tests/unit/training/learn/reference/bench.hpp"

namespace loom::learn {
namespace {

using namespace reference;

LifSpec random_lif(Random& r, std::size_t n) {
    const auto some = [&](double low, double high) {
        PerNeuron p;
        p.values.resize(r.coin() ? 1 : n);
        r.fill(p.values, low, high);
        return p;
    };
    LifSpec s;
    s.leak = some(0.3, 1), s.gain = some(0.5, 1.5), s.drift = some(-0.1, 0.1);
    s.threshold = some(0.4, 1.2), s.reset_value = some(-0.2, 0.2);
    s.reset = static_cast<Reset>(r.of(0, 2));
    s.at_threshold = r.coin();
    return s;
}

TimeRules random_rules(unsigned seed) {
    Random r(seed + 7777);
    TimeRules rules;
    rules.detach_reset = r.coin();
    if (r.of(0, 3) == 0) rules.truncate = r.of(1, 3);
    if (r.of(0, 4) == 0) rules.temporal = false;
    return rules;
}

/// Runs `one` for many seeds; nearly all must be decided by more than rounding.
template <class F>
void many(unsigned seeds, F one) {
    unsigned compared = 0;
    for (unsigned seed = 0; seed < seeds && !::testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        compared += one(seed) ? 1U : 0U;
    }
    EXPECT_GE(compared, seeds * 8 / 10);
}

TEST(BruteForce, DenseAndLif) {
    many(200, [](unsigned seed) {
        Bench b(seed, {1, 1, 5}, random_rules(seed));
        auto at = b.dense({Network::kInput}, 5, 6, 1.2);
        at = b.neurons(at, {1, 1, 6}, {.lif = random_lif(b.random, 6)});
        at = b.dense({at}, 6, 4, 1.5);
        LifSpec last = random_lif(b.random, 4);
        last.fires = b.random.coin();
        b.neurons(at, {1, 1, 4}, {.lif = last});
        return b.check();
    });
}

TEST(BruteForce, ConvolutionAndPooling) {
    many(60, [](unsigned seed) {
        Bench b(seed, {6, 5, 2}, random_rules(seed));
        auto at = b.conv({Network::kInput}, {6, 5, 2}, 4, 1);
        const Shape maps = b.network.nodes()[at].layer->out;
        at = b.neurons(at, maps, {.lif = random_lif(b.random, maps.count())});
        Shape now = maps;
        if (maps.height >= 2 && maps.width >= 2) {
            at = b.pool(at, maps);
            now = b.network.nodes()[at].layer->out;
        }
        at = b.conv({at}, {now}, 4, 1.5);
        const Shape second = b.network.nodes()[at].layer->out;
        at = b.neurons(at, second, {.lif = random_lif(b.random, second.count())});
        at = b.flatten(at, second);
        at = b.dense({at}, second.count(), 3, 1.5);
        b.neurons(at, {1, 1, 3}, {.lif = random_lif(b.random, 3)});
        return b.check();
    });
}

TEST(BruteForce, PartsOfNeurons) {
    many(300, [](unsigned seed) {
        Bench b(seed, {1, 1, 4}, random_rules(seed));
        const auto random_spec = [&](std::size_t n) {
            NeuronSpec s{.lif = random_lif(b.random, n)};
            if (b.random.coin()) {
                s.learns_leak = true;
                s.lif.leak.values = {0.6F};
                s.scales_input = b.random.coin();
            }
            if (b.random.coin()) s.adaptation = AdaptationSpec{0.8F, 0.3F, 0.5F};
            if (b.random.coin()) s.current_decay = 0.4F;
            s.recurrent = b.random.coin();
            return s;
        };
        auto at = b.dense({Network::kInput}, 4, 5, 1.5);
        at = b.neurons(at, {1, 1, 5}, random_spec(5));
        at = b.dense({at}, 5, 3, 2);
        b.neurons(at, {1, 1, 3}, random_spec(3));
        return b.check();
    });
}

TEST(BruteForce, TrainedWindow) {
    many(60, [](unsigned seed) {
        Bench b(seed, {1, 1, 4}, random_rules(seed));
        auto at = b.dense({Network::kInput}, 4, 5, 1.5);
        at = b.neurons(at, {1, 1, 5}, {.lif = random_lif(b.random, 5)}, Known{{"lsg", {}, 0.5}, {}});
        at = b.dense({at}, 5, 3, 2);
        b.neurons(at, {1, 1, 3}, {.lif = random_lif(b.random, 3)});
        return b.check();
    });
}

/// LSG with PLIF: the window keeps its proportion to the leak while that is trained.
TEST(BruteForce, WindowFollowsTheLeak) {
    const auto neurons = make_neurons({1, 1, 2}, {.learns_leak = true}, {"lsg", {}, 0.6});
    ASSERT_EQ(neurons->parameters().size(), 1U);
    neurons->parameters()[0].value[0] = 1;
    const float leak = 1 / (1 + std::exp(-1.0F));
    Signal in(1, 1, 2), out(1, 1, 2);
    in.at(0, 0)[0] = 1 + 0.59F * leak / 0.5F, in.at(0, 0)[1] = 1 + 0.61F * leak / 0.5F;
    Pass pass;
    pass.steps = pass.batch = 1;
    neurons->forward(pass, in, out);
    std::vector<float> h(2);
    neurons->derivative(0, 0, h);
    EXPECT_NEAR(h[0], 1 / (2 * 0.6F * leak / 0.5F), 1e-6);
    EXPECT_EQ(h[1], 0);
}

TEST(BruteForce, RatesDsr) {
    many(60, [](unsigned seed) {
        Bench b(seed, {1, 1, 4});
        auto at = b.dense({Network::kInput}, 4, 5, 1.5);
        LifSpec spec = random_lif(b.random, 5);
        spec.leak.values = {1.0F};
        spec.reset = Reset::Subtract;
        at = b.neurons(at, {1, 1, 5}, {.lif = spec}, Known{{"dsr"}, {}});
        at = b.dense({at}, 5, 3, 2);
        b.neurons(at, {1, 1, 3}, {.lif = random_lif(b.random, 3)});
        return b.check();
    });
}

TEST(BruteForce, Norms) {
    many(60, [](unsigned seed) {
        Bench b(seed, {4, 4, 2}, random_rules(seed));
        auto at =
            b.conv({Network::kInput}, {4, 4, 2}, 3, 1, false);  // the gradient of a bias before a norm is 0
        const Shape maps = b.network.nodes()[at].layer->out;
        at = b.norm(at, maps, b.random.coin());
        at = b.neurons(at, maps, {.lif = random_lif(b.random, maps.count())});
        at = b.flatten(at, maps);
        at = b.dense({at}, maps.count(), 4, 1.5);
        if (b.sizes.batch > 2) at = b.norm(at, {1, 1, 4}, b.random.coin());
        b.neurons(at, {1, 1, 4}, {.lif = random_lif(b.random, 4)});
        return b.check(2e-4);  // a norm over few elements divides by small differences
    });
}

/// SEW-ADD (spikes added), a shortcut of currents, and a sum that feeds two layers.
TEST(BruteForce, Residual) {
    many(100, [](unsigned seed) {
        Bench b(seed, {1, 1, 5}, random_rules(seed));
        const Shape five{1, 1, 5};
        const auto lif = [&] { return NeuronSpec{.lif = random_lif(b.random, 5)}; };
        const auto i1 = b.dense({Network::kInput}, 5, 5, 1.5);
        const auto s1 = b.neurons(i1, five, lif());
        const auto i2 = b.dense({s1}, 5, 5, 1.5);
        const auto s2 = b.neurons(i2, five, lif());
        const auto sew = b.sum_of({s1, s2}, five);
        const auto i3 = b.dense({sew, Network::kInput}, 5, 5, 1.5);
        const auto currents = b.sum_of({i3, i2}, five);
        const auto s3 = b.neurons(currents, five, lif());
        const auto i4 = b.dense({s3, sew}, 5, 3, 1.5);
        b.neurons(i4, {1, 1, 3}, {.lif = random_lif(b.random, 3)});
        return b.check();
    });
}

TEST(BruteForce, PresynapticTraces) {
    many(100, [](unsigned seed) {
        TimeRules rules;
        rules.temporal = false, rules.traces = true;
        Bench b(seed, {1, 1, 5}, rules);
        LifSpec first = random_lif(b.random, 6), second = random_lif(b.random, 4);
        first.leak.values = {0.5F}, second.leak.values = {0.75F};
        auto at = b.dense({Network::kInput}, 5, 6, 1.2, 0.5);
        at = b.neurons(at, {1, 1, 6}, {.lif = first, .recurrent = b.random.coin()});
        at = b.dense({at}, 6, 4, 1.5, 0.75);
        b.neurons(at, {1, 1, 4}, {.lif = second});
        return b.check();
    });
}

TEST(Surrogates, EqualTheFormulasWrittenOut) {
    for (const Known& k : known_surrogates()) {
        std::vector<float> x, h(401);
        for (int i = -200; i <= 200; ++i) x.push_back(static_cast<float>(i) * 0.01F + 0.0003F);
        const auto made = make_surrogate(k.spec);
        made->derivative(x, h);
        bool zero_far = true;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double want = k.h(static_cast<double>(x[i]));
            EXPECT_NEAR(static_cast<double>(h[i]), want, 3e-7 * std::max(1.0, want))
                << k.spec.kind << " at " << x[i];
            zero_far &= std::abs(x[i]) < 1.5F || x[i] > 0 || h[i] == 0;
        }
        EXPECT_EQ(made->windowed(), zero_far) << k.spec.kind;
        const SurrogateCost c = made->cost();
        EXPECT_GT(c.lut + c.compare, 0U) << k.spec.kind;
    }
}

TEST(Surrogates, ExponentialsOfARowAreThoseOneByOne) {
    for (const std::size_t n : {1U, 7U, 8U, 29U}) {
        std::vector<double> x(n), want;
        Random random(static_cast<unsigned>(n));
        for (int round = 0; round < 200; ++round) {
            want.clear();
            for (double& v : x)
                v = random.of(0, 30) == 0 ? random.between(-800, 800) : random.between(-30, 30);
            for (const double v : x) want.push_back(portable_exp(v));
            portable_exp(std::span(x));
            EXPECT_EQ(x, want);
        }
    }
}

TEST(Surrogates, EvolveWithTheTraining) {
    const auto h = make_surrogate({.kind = "evolving_tanh", .alpha = 1.0, .alpha_end = 10.0});
    const std::vector<float> x{0.0F};
    std::vector<float> at(1);
    for (const auto& [progress, want] : {std::pair{0.0, 0.5}, {0.5, 0.5 * std::sqrt(10.0)}, {1.0, 5.0}}) {
        h->derivative(x, at, progress);
        EXPECT_NEAR(static_cast<double>(at[0]), want, 1e-6);
    }
}

}  // namespace
}  // namespace loom::learn
