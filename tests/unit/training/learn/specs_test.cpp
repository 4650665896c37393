// SPDX-License-Identifier: Apache-2.0
// The sections of a training file as the reader fills them, and operation counts of norms against counted
// arithmetic.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "base/error.hpp"
#include "base/config/reader.hpp"
#include "base/config/writer.hpp"
#include "training/learn/algorithm.hpp"
#include "training/learn/formats.hpp"
#include "training/learn/layer_kinds.hpp"
#include "training/learn/layers/conv.hpp"
#include "training/learn/layers/pool.hpp"
#include "training/learn/loss.hpp"
#include "training/learn/norms/batch_norm.hpp"
#include "training/learn/norms/tdbn.hpp"
#include "training/learn/optimiser.hpp"

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

/// Docs of the keys of a layer.
struct Docs {
    std::map<std::string, std::string, std::less<>> of;
    template <class T>
    void operator()(std::string_view name, T&, const Field& field) {
        of[std::string(name)] = field.doc;
    }
};

TEST(LayerKinds, EveryKeyOfEveryKindIsDocumented) {
    Docs docs;
    LayerSpec spec;
    fields(docs, spec);
    std::set<std::string, std::less<>> used{"kind", "name", "from"};
    for (const LayerKind& kind : layer_kinds()) {
        EXPECT_FALSE(kind.doc.empty()) << kind.name;
        for (const std::string_view key : kind.keys) {
            EXPECT_TRUE(docs.of.contains(key) && !docs.of.find(key)->second.empty()) << kind.name << key;
            used.emplace(key);
        }
    }
    for (const auto& [key, doc] : docs.of) EXPECT_TRUE(used.contains(key)) << "no kind has " << key;
}

std::unique_ptr<Network> network_of(const std::string& layer, const Shape& input) {
    NetworkSpec spec;
    spec.input = input;
    spec.layers = {read<LayerSpec>(layer)};
    return build_network(spec, {});
}

TEST(LayerKinds, WindowsTakeANumberOrTwo) {
    const auto conv = [](const std::string& keys, const Shape& input = {9, 7, 4}) {
        const auto n = network_of("{kind: conv, outputs: 6, " + keys + "}", input);
        return dynamic_cast<const Conv&>(*n->nodes()[0].layer).linear_shape();
    };
    const auto out = [](const arch::LinearShape& s) { return Shape{s.out_h, s.out_w, s.out_c}; };
    EXPECT_EQ(out(conv("kernel: 3")), (Shape{7, 5, 6}));
    EXPECT_EQ(out(conv("kernel: [3, 1], stride: [2, 1], padding: [1, 2]")), (Shape{5, 11, 6}));
    EXPECT_EQ(out(conv("kernel: 2, dilation: [4, 1]")), (Shape{5, 6, 6}));
    EXPECT_EQ(out(conv("kernel: [4, 3], dilation: [1, 2], padding: same")), (Shape{9, 7, 6}));
    EXPECT_EQ(conv("kernel: 4, padding: same").window.rows.before, 1U);
    EXPECT_EQ(conv("kernel: 4, padding: same").window.rows.after, 2U);
    EXPECT_EQ(out(conv("kernel: 3, padding: valid")), (Shape{7, 5, 6}));
    EXPECT_EQ(out(conv("kernel: 1, padding: 3")), (Shape{15, 13, 6})) << "padding beyond the kernel";
    EXPECT_EQ(conv("kernel: 3, groups: 2").weights(), 2U * 9 * 6);
    const auto line = network_of("{kind: conv1d, outputs: 6, kernel: 3, dilation: 2, stride: 2}", {1, 20, 4});
    EXPECT_EQ(line->nodes()[0].layer->out, (Shape{1, 8, 6}));
    EXPECT_EQ(line->nodes()[0].layer->file_shape(0), (std::vector<std::size_t>{6, 4, 3}));
    const auto pool =
        network_of("{kind: max_pool, size: [3, 2], stride: [2, 1], padding: [1, 0]}", {9, 7, 4});
    EXPECT_EQ(pool->nodes()[0].layer->out, (Shape{5, 6, 4}));
    EXPECT_EQ(network_of("{kind: avg_pool, size: 2}", {9, 7, 4})->nodes()[0].layer->out, (Shape{4, 3, 4}));
    for (const std::string kind : {"avg_pool", "sum_pool", "max_pool"}) {
        const auto line_of = [&](const std::string& keys) {
            return network_of("{kind: " + kind + ", " + keys + "}", {1, 20, 4})->nodes()[0].layer->out;
        };
        EXPECT_EQ(line_of("size: 3"), (Shape{1, 6, 4})) << "a number goes along the length";
        EXPECT_EQ(line_of("size: [1, 3], stride: 2"), (Shape{1, 9, 4}));
        EXPECT_EQ(line_of("size: 3, stride: 1, padding: 1"), (Shape{1, 20, 4}));
    }
    const auto mean = network_of("{kind: avg_pool, size: 2, padding: 1}", {1, 4, 1});
    EXPECT_EQ(dynamic_cast<const AveragePool&>(*mean->nodes()[0].layer).window().taps(), 2U);
    EXPECT_EQ(read<LayerSpec>(config::emit(config::to_node(
                                  read<LayerSpec>("{kind: conv, kernel: [3, 4], padding: same, stride: 2}"))))
                  .kernel->values,
              (std::vector<std::uint64_t>{3, 4}));
}

/// Additions and places of pools against windows gone through one by one.
TEST(LayerKinds, PoolsSayWhatTheyDo) {
    for (const bool largest : {false, true}) {
        const Shape in{5, 4, 3}, out{3, 5, 3};
        const auto pool = network_of(std::string("{kind: ") + (largest ? "max_pool" : "sum_pool") +
                                         ", size: [3, 2], stride: [2, 1], padding: [1, 1]}",
                                     in);
        Layer& layer = *pool->nodes()[0].layer;
        Pass pass;
        pass.steps = 2, pass.batch = 3;
        Signal x(2, 3, in.count()), y(2, 3, out.count());
        for (std::size_t i = 0; i < x.all().size(); ++i) x.all()[i] = static_cast<float>(i * 37 % 11);
        layer.forward(pass, x, y);
        arch::ElementWork work;
        layer.describe(pass, work);
        std::uint64_t forward = 0, backward = 0;
        for (std::size_t row = 0; row < 6; ++row) {  // timestep, sample
            std::vector<std::uint64_t> errors(in.count());
            for (std::size_t o = 0; o < out.count(); ++o) {
                const long c = static_cast<long>(o % 3), ox = static_cast<long>(o / 3 % 5),
                           oy = static_cast<long>(o / 15);
                std::vector<std::size_t> window;
                for (long yy = 2 * oy - 1; yy < 2 * oy + 2; ++yy)
                    for (long xx = ox - 1; xx < ox + 1; ++xx)
                        if (yy >= 0 && yy < 5 && xx >= 0 && xx < 4)
                            window.push_back(static_cast<std::size_t>((yy * 4 + xx) * 3 + c));
                forward += window.size() - 1;
                const auto value = [&](std::size_t i) { return x.at(row / 3, row % 3)[i]; };
                if (largest)
                    ++errors[*std::ranges::max_element(window, {}, value)];
                else
                    for (const std::size_t i : window) ++errors[i];
                for (const std::size_t i : window) {
                    bool there = false;
                    work.each_output(i, [&](std::size_t to) { there |= to == o; });
                    EXPECT_TRUE(there) << i << " " << o;
                }
            }
            for (const std::uint64_t n : errors) backward += n > 0 ? n - 1 : 0;
        }
        EXPECT_EQ(work.forward.add, forward) << largest;
        EXPECT_EQ(work.backward.add, backward) << largest;
        EXPECT_GT(backward, 0U);
        EXPECT_EQ(work.outputs, out.count());
    }
}

TEST(LayerKinds, BadWindowsNameTheirKey) {
    const auto message = [](const std::string& layer, const Shape& input = {9, 7, 4}) {
        try {
            network_of(layer, input);
        } catch (const ConfigError& e) {
            return std::string(e.what());
        }
        return std::string("accepted");
    };
    using ::testing::HasSubstr;
    EXPECT_THAT(message("{kind: conv, outputs: 6, kernel: [1, 2, 3]}"),
                HasSubstr("network.layers.0.kernel: "));
    EXPECT_THAT(
        message("{kind: conv, outputs: 6, kernel: 3, padding: sane}"),
        HasSubstr(
            "network.layers.0.padding: expected whole numbers up to 65536; or same, or valid (got 'sane')"));
    EXPECT_THAT(message("{kind: conv, outputs: 6, kernel: 3, stride: 2, padding: same}"),
                HasSubstr("padding: same needs stride 1"));
    EXPECT_THAT(message("{kind: conv, outputs: 6, kernel: 3, groups: 3}"),
                HasSubstr("groups: 4 channels do not divide into 3 groups"));
    EXPECT_THAT(message("{kind: conv, outputs: 6, kernel: 3, dilation: 4}"),
                HasSubstr("kernel: spans 9 x 9, more than the padded input, 9 x 7"));
    EXPECT_THAT(message("{kind: conv1d, outputs: 6, kernel: 3}"), HasSubstr("takes [channels, length]"));
    EXPECT_THAT(message("{kind: conv1d, outputs: 6, kernel: [3, 3]}", {1, 9, 4}),
                HasSubstr("kernel: expected one number"));
    EXPECT_THAT(message("{kind: avg_pool, size: 2, padding: 2}"),
                HasSubstr("padding: must be smaller than the window"));
    EXPECT_THAT(message("{kind: avg_pool, size: 2, groups: 2}"),
                HasSubstr("groups: a layer of kind avg_pool has no such key"));
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
        EXPECT_EQ(work.forward.add, Counted::adds);
        EXPECT_EQ(work.forward.multiply, Counted::multiplies);
        EXPECT_EQ(work.forward.divide, Counted::divides);
        EXPECT_EQ(work.forward.sqrt, Counted::roots);
        Counted::clear();
        for (std::size_t k = 0; k < windows * 5; ++k) count_backward(n);
        EXPECT_EQ(work.backward.add, Counted::adds);
        EXPECT_EQ(work.backward.multiply, Counted::multiplies);
        EXPECT_EQ(work.backward.divide, Counted::divides);
    }
}

}  // namespace
}  // namespace loom::learn
