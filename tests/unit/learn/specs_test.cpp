// SPDX-License-Identifier: Apache-2.0
// The sections of a training file as the reader fills them, and operation counts of norms against counted
// arithmetic.
#include <gmock/gmock.h>

#include "sim/base/error.hpp"
#include "sim/config/reader.hpp"
#include "sim/config/writer.hpp"
#include "sim/learn/algorithm.hpp"
#include "sim/learn/formats.hpp"
#include "sim/learn/loss.hpp"
#include "sim/learn/norms/batch_norm.hpp"
#include "sim/learn/norms/tdbn.hpp"
#include "sim/learn/optimiser.hpp"

namespace loom::learn {
namespace {

template <class T>
T read(const std::string& text) {
    return config::read<T>(config::load_text(text, "train.yaml"));
}

template <class F>
std::string message(F call) {
    try {
        call();
    } catch (const ConfigError& e) {
        return std::string(e.what());
    }
    return std::string("accepted");
}

TEST(TrainingSpecs, AreRead) {
    const auto a =
        read<AlgorithmSpec>("{algorithm: sltt_k, backward_steps: 3, detach_reset: false, seed: 7}");
    EXPECT_EQ(a.algorithm, "sltt_k");
    EXPECT_EQ(a.backward_steps, 3U);
    EXPECT_FALSE(a.detach_reset);
    EXPECT_EQ(make_schedule(a).seed, 7U);
    EXPECT_TRUE(read<AlgorithmSpec>("{online: true}").online.value());
    const auto l = read<LossSpec>("{kind: im, main: mse_rate, weight: 0.5}");
    EXPECT_EQ(l.main, "mse_rate");
    EXPECT_EQ(l.weight, 0.5);
    const auto s = read<SurrogateSpec>("{kind: evolving_tanh, alpha: 2, alpha_end: 8}");
    EXPECT_EQ(s.alpha_end, 8.0);
    EXPECT_NO_THROW(make_surrogate(s));
    const auto f = read<FormatSpec>(
        "{weight: {kind: fixed, bits: 8, fraction: 6}, error: {kind: bf16}, rounding: stochastic}");
    EXPECT_EQ(f.weight.fraction, 6);
    EXPECT_EQ(f.error.kind, "bf16");
    EXPECT_NE(make_formats(f), nullptr);
    EXPECT_EQ(read<FormatSpec>(config::emit(config::to_node(f))).rounding, "stochastic");
}

TEST(TrainingSpecs, BadValuesNameTheirPlace) {
    using ::testing::HasSubstr;
    EXPECT_THAT(message([] { read<LossSpec>("{kind: tet, lambda: 2}"); }),
                HasSubstr("train.yaml:1:21: lambda"));
    EXPECT_THAT(message([] { read<FormatSpec>("{weight: {bits: 1}}"); }), HasSubstr("weight.bits"));
    EXPECT_THAT(message([] { read<AlgorithmSpec>("{detach: true}"); }), HasSubstr("detach_reset"));
    EXPECT_THAT(message([] { make_surrogate({.kind = "rect", .alpha = 2.0}); }),
                HasSubstr("train.surrogate.alpha"));
    EXPECT_THAT(message([] { make_surrogate({.kind = "sigmoid", .outside = 2.0}); }),
                HasSubstr("train.surrogate.outside"));
    EXPECT_THAT(message([] { make_surrogate({.kind = "sigmod"}); }), HasSubstr("did you mean 'sigmoid'?"));
}

/// Counts what is done to it.
struct Counted {
    static inline std::uint64_t adds, multiplies, divides, roots;
    static void clear() { adds = multiplies = divides = roots = 0; }
    friend Counted operator+(Counted, Counted) { return ++adds, Counted{}; }
    friend Counted operator*(Counted, Counted) { return ++multiplies, Counted{}; }
    friend Counted operator/(Counted, Counted) { return ++divides, Counted{}; }
    friend Counted root(Counted) { return ++roots, Counted{}; }
};

/// A norm over `n` elements of one channel, spelt out; + stands for - too.
void count_forward(std::size_t n) {
    Counted sum, square, x, mean, gamma, beta, eps, momentum, running;
    for (std::size_t i = 0; i < n; ++i) sum = sum + x;
    mean = sum / x;
    for (std::size_t i = 0; i < n; ++i) {
        const Counted off = x + mean;
        square = square + off * off;
    }
    const Counted variance = square / x, inverse = x / root(variance + eps), slope = gamma * inverse;
    const Counted unbiased = variance * x;
    running = running + momentum * (mean + running);
    running = running + momentum * (unbiased + running);
    for (std::size_t i = 0; i < n; ++i) x = slope * (x + mean) + beta;
}
void count_backward(std::size_t n) {
    Counted sum, product, g, x, mean, inverse, gamma;
    for (std::size_t i = 0; i < n; ++i) {
        sum = sum + g;
        product = product + g * ((x + mean) * inverse);
    }
    const Counted mean_g = sum / x, mean_gz = product / x, slope = gamma * inverse;
    for (std::size_t i = 0; i < n; ++i) g = slope * (g + mean_g + ((x + mean) * inverse) * mean_gz);
}

std::vector<float> after(const OptimiserSpec& spec, std::string name) {
    Parameter p{std::move(name), {0.5F, -2.0F}, {0.25F, 0.0F}};
    const auto optimiser = make_optimiser(spec);
    for (std::uint64_t k = 1; k <= 3; ++k) optimiser->update(p, 0, k);
    return p.value;
}

/// As torch.optim: biases, gammas and leaks decay like weights.
TEST(Optimisers, DecayEveryTrainedValue) {
    for (const char* kind : {"sgd", "momentum", "adam", "adamw"}) {
        const OptimiserSpec spec{.kind = kind, .lr = 0.1, .weight_decay = 0.2};
        EXPECT_EQ(after(spec, "bias"), after(spec, "weight")) << kind;
        EXPECT_NE(after(spec, "bias"), after({.kind = kind, .lr = 0.1}, "bias")) << kind;
        const OptimiserCost with = make_optimiser(spec)->cost(),
                            without = make_optimiser({.kind = kind})->cost();
        EXPECT_EQ(with.multiply, without.multiply + 1) << kind;
        EXPECT_EQ(with.add, without.add + 1) << kind;
    }
}

TEST(Optimisers, ADescentWithMomentumIsMomentum) {
    EXPECT_EQ(after({.kind = "sgd", .lr = 0.1, .momentum = 0.8}, "weight"),
              after({.kind = "momentum", .lr = 0.1, .momentum = 0.8}, "weight"));
    EXPECT_NE(after({.kind = "sgd", .lr = 0.1}, "weight"),
              after({.kind = "sgd", .lr = 0.1, .momentum = 0.8}, "weight"));
}

TEST(Optimisers, RefuseKeysOfOtherKinds) {
    EXPECT_EQ(message([] { make_optimiser({.kind = "sgd", .beta1 = 0.5}); }),
              "train.optimizer.beta1: sgd has no beta1");
    EXPECT_EQ(message([] { make_optimiser({.kind = "adam", .momentum = 0.5}); }),
              "train.optimizer.momentum: adam has no momentum");
    EXPECT_EQ(message([] { make_optimiser({.kind = "adam", .beta2 = 1}); }),
              "train.optimizer.beta2: must be below 1 (got 1)");
}

TEST(Norms, OperationsAreThoseOfTheFormula) {
    const Shape shape{3, 2, 5};
    const BatchNorm each(shape);
    const TdBatchNorm over_time(shape, 1, 1);
    Pass pass;
    pass.steps = 4, pass.batch = 7;
    for (const bool td : {false, true}) {
        arch::ElementWork work;
        (td ? static_cast<const Norm&>(over_time) : each).describe(pass, work);
        const std::size_t windows = td ? 1 : 4, n = 6 * 7 * 4 / windows;
        Counted::clear();
        for (std::size_t k = 0; k < windows * 5; ++k) count_forward(n);
        EXPECT_EQ(work.forward_add, Counted::adds);
        EXPECT_EQ(work.forward_multiply, Counted::multiplies);
        EXPECT_EQ(work.forward_divide, Counted::divides);
        EXPECT_EQ(work.forward_sqrt, Counted::roots);
        Counted::clear();
        for (std::size_t k = 0; k < windows * 5; ++k) count_backward(n);
        EXPECT_EQ(work.backward_add, Counted::adds);
        EXPECT_EQ(work.backward_multiply, Counted::multiplies);
        EXPECT_EQ(work.backward_divide, Counted::divides);
    }
}

}  // namespace
}  // namespace loom::learn
