// SPDX-License-Identifier: Apache-2.0
#include "training/learn/formats.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.hpp"
#include "tests/unit/training/learn/reference/bench.hpp"
#include "tests/unit/training/learn/reference/small_trainer.hpp"
#include "training/learn/gradient_error.hpp"

namespace loom::learn {
namespace {

using reference::Random;

FormatSpec all_as(const FormatOfRole& f) {
    return {.weight = f, .current = f, .membrane = f, .error = f, .weight_gradient = f};
}
float rounded(const Formats& formats, float x, std::uint64_t at = 0) {
    formats.round(Role::Weight, {&x, 1}, 3, 5, at);
    return x;
}

/// Every finite value of a format with `exponent` and `mantissa` bits, in order, from its definition.
std::vector<double> values_of(int exponent, int mantissa) {
    std::vector<double> all;
    const int bias = (1 << (exponent - 1)) - 1;
    for (int e = 0; e < (1 << exponent) - 1; ++e)
        for (int m = 0; m < 1 << mantissa; ++m)
            all.push_back(e == 0 ? std::ldexp(m, 1 - bias - mantissa)
                                 : std::ldexp((1 << mantissa) + m, e - bias - mantissa));
    return all;
}
/// Nearest of `all` by search; ties to the even place, beyond the last: the last.
double nearest(const std::vector<double>& all, double x) {
    const double a = std::abs(x);
    const auto above = std::ranges::lower_bound(all, a);
    if (above == all.end()) return std::copysign(all.back(), x);
    if (above == all.begin()) return std::copysign(*above, x);
    const double up = *above - a, down = a - *(above - 1);
    const bool even_up = (above - all.begin()) % 2 == 0;
    return std::copysign(up < down || (up == down && even_up) ? *above : *(above - 1), x);
}

TEST(NumberFormats, FloatsAreTheNearestOfAllValues) {
    const std::pair<std::string, std::vector<double>> kinds[] = {{"fp16", values_of(5, 10)},
                                                                 {"bf16", values_of(8, 7)}};
    Random random(1);
    for (const auto& [kind, all] : kinds) {
        const auto formats = make_formats(all_as({.kind = kind}));
        for (int i = 0; i < 20000; ++i) {
            const double size =
                std::exp2(random.between(kind == "fp16" ? -28 : -140, kind == "fp16" ? 18 : 127));
            const auto x = static_cast<float>(random.between(-1, 1) * size);
            EXPECT_EQ(static_cast<double>(rounded(*formats, x)), nearest(all, static_cast<double>(x)))
                << kind << x;
        }
        for (std::size_t i = 1; i + 1 < all.size(); i += 37) {  // ties
            const auto middle = static_cast<float>((all[i] + all[i + 1]) / 2);
            EXPECT_EQ(static_cast<double>(rounded(*formats, middle)),
                      nearest(all, static_cast<double>(middle)));
        }
    }
}

TEST(NumberFormats, FixedPointRoundsAndSaturates) {
    const auto formats = make_formats(all_as({.kind = "fixed", .bits = 8, .fraction = 4}));
    Random random(2);
    std::uint64_t saturated = 0;
    for (int i = 0; i < 5000; ++i) {
        const auto x = static_cast<float>(random.between(-12, 12));
        double n = std::nearbyint(static_cast<double>(x) * 16);
        saturated += n < -128 || n > 127 ? 1U : 0U;
        n = std::clamp(n, -128.0, 127.0);
        EXPECT_EQ(static_cast<double>(rounded(*formats, x)), n / 16);
    }
    EXPECT_GT(saturated, 100U);
    EXPECT_EQ(formats->counts(Role::Weight).saturated, saturated);
    EXPECT_EQ(formats->counts(Role::Weight).rounded, 5000U);
    EXPECT_EQ(formats->counts(Role::Error).rounded, 0U);
    EXPECT_EQ(rounded(*formats, std::numeric_limits<float>::infinity()), 127.0F / 16);
    EXPECT_TRUE(std::isnan(rounded(*formats, std::nanf(""))));
}

TEST(NumberFormats, StochasticRoundingIsUnbiasedAndKeyedByPlace) {
    for (const std::string kind : {"fixed", "fp16", "bf16"}) {
        FormatSpec spec = all_as({.kind = kind, .bits = 16, .fraction = 6});
        spec.rounding = "stochastic";
        const auto formats = make_formats(spec);
        for (const float x : {0.1234F, -0.777F}) {
            std::vector<float> many(40000, x);
            formats->round(Role::Membrane, many, 1, 2, 0);
            const auto [low, high] = std::ranges::minmax(many);
            EXPECT_LT(low, x);
            EXPECT_GT(high, x);
            double sum = 0;
            for (const float v : many) {
                EXPECT_TRUE(v == low || v == high);
                sum += static_cast<double>(v);
            }
            for (std::size_t lag = 1; lag < 4;
                 ++lag) {  // neighbours of a block of random words are independent
                std::size_t same = 0;
                for (std::size_t i = 0; i + lag < many.size(); i += 4)
                    same += many[i] == many[i + lag] ? 1U : 0U;
                EXPECT_LT(same, 9500U);
            }
            const double p = static_cast<double>((x - low) / (high - low));
            const double sigma = static_cast<double>(high - low) * std::sqrt(p * (1 - p) / 40000);
            EXPECT_NEAR(sum / 40000, static_cast<double>(x), 5 * sigma);
            // In two pieces, of which the second starts within a block of random words: the same bits.
            std::vector<float> pieces(40000, x);
            formats->round(Role::Membrane, std::span(pieces).first(1001), 1, 2, 0);
            formats->round(Role::Membrane, std::span(pieces).subspan(1001), 1, 2, 1001);
            EXPECT_EQ(pieces, many);
            // Another tensor, iteration, role or seed: other bits.
            FormatSpec other = spec;
            other.seed = 2;
            const auto other_formats = make_formats(other);
            for (int k = 0; k < 4; ++k) {
                std::vector<float> v(40000, x);
                const Formats& f = k == 3 ? static_cast<const Formats&>(*other_formats) : *formats;
                f.round(k == 2 ? Role::Error : Role::Membrane, v, k == 0 ? 2 : 1, k == 1 ? 3 : 2, 0);
                EXPECT_NE(v, many) << k;
            }
        }
    }
}

TEST(NumberFormats, EveryStoredValueIsOnTheGrid) {
    const auto formats = make_formats({.weight = {"fixed", 8, 5},
                                       .current = {"fixed", 12, 6},
                                       .membrane = {"fixed", 12, 3},
                                       .error = {"fixed", 20, 12},
                                       .weight_gradient = {"fixed", 20, 10}});
    auto t = reference::small_trainer({.algorithm = "bptt"});
    t.trainer->formats = formats.get();
    t.trainer->step(t.input, t.labels);
    const auto expect_on = [](std::span<const float> values, double steps, const std::string& what) {
        bool any = false;
        for (const float v : values) {
            const double n = static_cast<double>(v) * steps;
            ASSERT_EQ(n, std::nearbyint(n)) << what;
            any |= v != 0;
        }
        EXPECT_TRUE(any) << what;
    };
    for (Network::Node& node : t.trainer->network().nodes()) {
        const std::string& name = node.layer->name;
        expect_on(node.grad.all(), 1 << 12, name + " error");
        if (node.layer->makes_currents()) expect_on(node.out.all(), 1 << 6, name + " current");
        if (const auto* neurons = dynamic_cast<NeuronLayer*>(node.layer.get())) {
            expect_on(neurons->membranes().all(), 1 << 3, name + " membrane");
            expect_on(neurons->membrane_gradients().all(), 1 << 12, name + " dL/du");
            for (std::size_t i = 0; neurons->fires() && i < node.out.all().size(); ++i)
                EXPECT_EQ(node.out.all()[i] == 1, neurons->membranes().all()[i] >= 1)
                    << "spikes of rounded membranes";
        }
        for (const Parameter& p : node.layer->parameters()) {
            expect_on(p.used(), 1 << 5, name + p.name);
            expect_on(p.grad, 1 << 10, name + p.name + " gradient");
            EXPECT_NE(p.value, p.stored) << "master weights stay float32";
        }
    }
    for (const Role role : {Role::Weight, Role::Current, Role::Membrane, Role::Error, Role::WeightGradient})
        EXPECT_GT(formats->counts(role).rounded, 0U);
    t.trainer->formats = nullptr;
    t.trainer->gradients(t.input, t.labels);
    for (auto& [layer, p] : t.trainer->network().parameters())
        EXPECT_TRUE(layer->parameters()[p].stored.empty());
}

/// What is stored is what counts: forward and backward, as if the values themselves were rounded.
TEST(NumberFormats, LayersComputeWithStoredWeights) {
    const auto run = [](unsigned layer, bool stored) {
        std::vector<std::unique_ptr<Layer>> layers;
        const Shape maps{4, 4, 2};
        layers.push_back(std::make_unique<Dense>(32, 5, true));
        layers.push_back(
            std::make_unique<Conv>(learn::conv_shape(maps, 3, arch::square_window(3, 1, 1)), true));
        layers.push_back(std::make_unique<BatchNorm>(maps));
        layers.push_back(make_neurons({1, 1, 32}, {.learns_leak = true, .recurrent = true}, {}));
        Layer& l = *layers[layer];
        Random random(3);
        for (Parameter& p : l.parameters()) {
            std::vector<float> coarse(p.value.size());
            random.fill(coarse, -1, 1);
            (stored ? p.stored : p.value) = coarse;
        }
        l.updated();
        Signal x(3, 4, 32), y(3, 4, l.out.count()), g(3, 4, l.out.count()), gx(3, 4, 32);
        random.fill(x.all(), 0, 1);
        random.fill(g.all(), -1, 1);
        Pass pass;
        pass.steps = 3, pass.batch = 4;
        l.forward(pass, x, y);
        l.backward(pass, x, y, g, &gx);
        std::vector<float> all(y.all().begin(), y.all().end());
        all.insert(all.end(), gx.all().begin(), gx.all().end());
        for (const Parameter& p : l.parameters()) all.insert(all.end(), p.grad.begin(), p.grad.end());
        return all;
    };
    for (unsigned layer = 0; layer < 4; ++layer) EXPECT_EQ(run(layer, true), run(layer, false)) << layer;
}

/// Small updates are lost without master weights when rounded to nearest, kept on average when stochastic.
TEST(NumberFormats, MasterWeightsKeepSmallUpdates) {
    const auto moved = [](bool master, const std::string& rounding) {
        FormatSpec spec{.weight = {"fixed", 8, 4}, .rounding = rounding, .master_weights = master};
        const auto formats = make_formats(spec);
        auto t = reference::small_trainer({.algorithm = "bptt"}, {.kind = "sgd", .lr = 1e-3});
        t.trainer->formats = formats.get();
        Parameter& w = t.trainer->network().nodes()[0].layer->parameters()[0];
        formats->round(Role::Weight, w.value, 0, 0, 0);
        t.trainer->network().updated();
        const std::vector<float> before = w.value;
        for (int i = 0; i < 30; ++i) t.trainer->step(t.input, t.labels);
        return w.value != before;
    };
    EXPECT_TRUE(moved(true, "nearest"));
    EXPECT_FALSE(moved(false, "nearest"));
    EXPECT_TRUE(moved(false, "stochastic"));
}

TEST(NumberFormats, GradientErrorFallsWithBits) {
    const auto worst = [](const FormatSpec& spec) {
        const auto formats = make_formats(spec);
        auto t = reference::small_trainer({.algorithm = "bptt"});
        t.trainer->formats = formats.get();
        double e = 0;
        for (const GradientError& g : gradient_error(*t.trainer, t.input, t.labels)) {
            e = std::max(e, g.relative);
            EXPECT_NEAR(g.cosine, 1, 0.5 * e * e + 1e-9) << g.layer;
            EXPECT_GE(g.largest, 0);
        }
        EXPECT_EQ(t.trainer->formats, formats.get());
        EXPECT_EQ(t.trainer->iteration(), 0U);
        return e;
    };
    EXPECT_EQ(worst({}), 0);
    const double fp16 = worst(all_as({.kind = "fp16"})), bf16 = worst(all_as({.kind = "bf16"}));
    EXPECT_GT(fp16, 1e-5);
    EXPECT_LT(fp16, 1e-2);
    EXPECT_GT(bf16, fp16);
    double last = 1e9;
    for (const int fraction : {8, 12, 16, 20}) {
        const double e =
            worst({.error = {"fixed", 32, fraction}, .weight_gradient = {"fixed", 32, fraction}});
        EXPECT_LT(e, last / 4) << fraction;
        last = e;
    }
}

TEST(NumberFormats, Refused) {
    EXPECT_EQ(make_formats({}), nullptr);
    EXPECT_THROW(make_formats({.error = {.kind = "fp8"}}), ConfigError);
    EXPECT_THROW(make_formats({.rounding = "up"}), ConfigError);
}

}  // namespace
}  // namespace loom::learn
