// SPDX-License-Identifier: Apache-2.0
// Passes over part of the timesteps, batches, repetition: the same bits.
#include <gmock/gmock.h>

#include <algorithm>

#include "training/learn/membrane_loss.hpp"
#include "tests/unit/training/learn/reference/small_trainer.hpp"

namespace loom::learn {
namespace {

using namespace reference;

SmallOptions every_part() {
    SmallOptions o;
    o.hidden = {.adaptation = AdaptationSpec{0.9F, 0.2F, 0.4F}, .current_decay = 0.3F, .recurrent = true};
    o.hidden.learns_leak = true;
    return o;
}

TEST(Passes, ChunksWithCarriedStateGiveTheSameOutputs) {
    for (const Reset reset : {Reset::Value, Reset::Subtract, Reset::SubtractAfterLeak}) {
        SmallOptions o = every_part();
        o.hidden.lif.reset = reset;
        auto t = small_trainer({}, {}, o);
        Network& net = t.trainer->network();
        Pass pass;
        pass.steps = 6, pass.batch = 4;
        net.forward(pass, t.input);
        const std::vector<float> want(net.output().all().begin(), net.output().all().end());
        const auto hidden = net.find("hidden")->out.all();
        EXPECT_GT(std::ranges::count(hidden, 1.0F), 10);
        std::vector<float> got;
        for (const auto& [first, steps] : {std::pair<std::size_t, std::size_t>{0, 1}, {1, 3}, {4, 2}}) {
            Signal part(steps, 4, 6);
            std::ranges::copy(t.input.all().subspan(first * 24, steps * 24), part.all().begin());
            pass.first = first, pass.steps = steps;
            net.forward(pass, part);
            got.insert(got.end(), net.output().all().begin(), net.output().all().end());
        }
        EXPECT_EQ(got, want);
    }
}

TEST(Passes, ABatchIsItsSamples) {
    auto t = small_trainer({}, {}, every_part());
    t.trainer->gradients(t.input, t.labels);
    const Signal together = t.trainer->network().output();
    const auto want = gradients(*t.trainer);
    std::vector<std::vector<float>> sum;
    for (std::size_t b = 0; b < 4; ++b) {
        Signal alone(6, 1, 6);
        for (std::size_t k = 0; k < 6; ++k) std::ranges::copy(t.input.at(k, b), alone.at(k, 0).begin());
        t.trainer->gradients(alone, std::span(t.labels).subspan(b, 1));
        for (std::size_t k = 0; k < 6; ++k)
            EXPECT_TRUE(std::ranges::equal(t.trainer->network().output().at(k, 0), together.at(k, b)));
        const auto one = gradients(*t.trainer);
        if (sum.empty()) sum.assign(one.size(), {});
        for (std::size_t p = 0; p < one.size(); ++p) {
            sum[p].resize(one[p].size());
            for (std::size_t i = 0; i < one[p].size(); ++i) sum[p][i] += one[p][i] / 4;
        }
    }
    expect_close(sum, want, 1e-5);
}

TEST(Passes, TwoRunsGiveTheSameBytes) {
    const auto run = [](const std::string& algorithm) {
        SmallOptions o = every_part();
        o.norm = true;
        auto t = small_trainer({.algorithm = algorithm}, {.kind = "adam", .lr = 1e-2}, o);
        double loss = 0;
        for (int i = 0; i < 5; ++i) loss = t.trainer->step(t.input, t.labels).loss;
        return std::pair(loss, values(*t.trainer));
    };
    for (const std::string kind : {"bptt", "sltt", "ottt_o"}) EXPECT_EQ(run(kind), run(kind)) << kind;
}

/// Neighbouring inputs summed first: other bits, the same values; a constant input is the same as a repeated
/// one.
TEST(Passes, GroupedSumsAndConstantInputs) {
    auto t = small_trainer({});
    for (std::size_t k = 1; k < 6; ++k)
        std::ranges::copy(t.input.all().subspan(0, 24), t.input.all().subspan(k * 24).begin());
    t.trainer->gradients(t.input, t.labels);
    const auto want = gradients(*t.trainer);
    t.trainer->sum_group = 4;
    t.trainer->gradients(t.input, t.labels);
    expect_close(gradients(*t.trainer), want, 1e-5);
    t.trainer->sum_group = 1;
    t.input.constant = true;
    t.trainer->gradients(t.input, t.labels);
    expect_close(gradients(*t.trainer), want, 1e-5);
}

/// Evaluation normalises with running statistics: one sample does not depend on the others.
TEST(Passes, NormsEvaluateWithRunningStatistics) {
    for (const bool over_time : {false, true}) {
        Random random(4);
        const Shape shape{2, 1, 3};
        std::unique_ptr<Norm> norm;
        if (over_time)
            norm = std::make_unique<TdBatchNorm>(shape, 1.0F, 2.0F);
        else
            norm = std::make_unique<BatchNorm>(shape);
        Signal x(4, 5, 6), y(4, 5, 6);
        Pass pass;
        pass.steps = 4, pass.batch = 5;
        random.fill(x.all(), -1, 3);
        norm->forward(pass, x, y);
        double mean = 1,
               variance = 1;  // running variance, starting at 1, of the unbiased estimate (as in torch)
        for (std::size_t first = 0; first < 4; first += over_time ? 4 : 1) {
            std::vector<double> v;
            for (std::size_t k = first; k < first + (over_time ? 4 : 1); ++k)
                for (std::size_t b = 0; b < 5; ++b)
                    for (std::size_t i = 1; i < 6; i += 3) v.push_back(static_cast<double>(x.at(k, b)[i]));
            mean = 0;
            double square = 0;
            for (const double w : v) mean += w / static_cast<double>(v.size());
            for (const double w : v) square += (w - mean) * (w - mean);
            variance = 0.9 * variance + 0.1 * square / static_cast<double>(v.size() - 1);
        }
        EXPECT_NEAR(static_cast<double>(norm->buffers()[1][1]), variance, 1e-6);
        for (int i = 0; i < 400; ++i) {
            random.fill(x.all(), -1, 3);  // mean 1, variance 4/3
            norm->forward(pass, x, y);
        }
        const auto statistics = norm->buffers();
        for (std::size_t c = 0; c < 3; ++c) {
            EXPECT_NEAR(statistics[0][c], 1, 0.3);
            EXPECT_NEAR(statistics[1][c], 4.0 / 3, 0.4);
        }
        pass.training = false;
        norm->forward(pass, x, y);
        const float scale = over_time ? 2.0F : 1.0F;
        for (std::size_t i = 0; i < 6; ++i) {
            const float want =
                scale * (x.at(2, 3)[i] - statistics[0][i % 3]) / std::sqrt(statistics[1][i % 3] + 1e-5F);
            EXPECT_NEAR(y.at(2, 3)[i], want, 1e-5);
        }
    }
}

/// Training reduces the loss with every kind of neuron, surrogate, algorithm and membrane loss.
TEST(Passes, EverythingLearns) {
    const auto falls = [](const AlgorithmSpec& algorithm, const SmallOptions& o, const std::string& what) {
        auto t = small_trainer(algorithm, {.kind = "adam", .lr = 1e-2}, o);
        const double first = t.trainer->step(t.input, t.labels).loss;
        double last = first;
        for (int i = 0; i < 80; ++i) last = t.trainer->step(t.input, t.labels).loss;
        EXPECT_LT(last, 0.9 * first) << what;
    };
    falls({}, every_part(), "all parts");
    for (const std::string& kind : algorithm_kinds())
        falls({.algorithm = kind, .backward_steps = kind == "sltt_k" ? 3U : 0U}, {.loss = {.kind = "tet"}},
              kind);
    const std::vector<std::string> on_membranes = membrane_loss_kinds();
    for (const std::string& kind : loss_kinds()) {
        LossSpec loss{.kind = kind};
        if (std::ranges::find(on_membranes, kind) != on_membranes.end()) loss.main = "ce_membrane";
        falls({}, {.loss = loss}, kind);
    }
    for (const std::string& kind : surrogate_kinds()) {
        SmallOptions o{.surrogate = {.kind = kind}};
        if (kind == "dsr") o.hidden.lif.leak.values = {1.0F}, o.hidden.lif.reset = Reset::Subtract;
        if (kind != "dsr") falls({}, o, kind);
    }
}

}  // namespace
}  // namespace loom::learn
