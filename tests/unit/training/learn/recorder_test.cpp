// SPDX-License-Identifier: Apache-2.0
// What passes of one timestep leave behind: signals of all timesteps, products of a constant input, input
// formats.
#include <gmock/gmock.h>

#include "tests/unit/training/learn/reference/small_trainer.hpp"
#include "training/learn/formats.hpp"
#include "training/learn/layers/conv.hpp"
#include "training/learn/layers/dense.hpp"
#include "training/learn/signal_recorder.hpp"
#include "training/learn/work_recorder.hpp"

namespace loom::learn {
namespace {

using namespace reference;

const SmallOptions kPerTimestep{.loss = {.kind = "tet"}};

std::vector<float> all(const Signal& s) {
    return {s.all().begin(), s.all().end()};
}

TEST(SignalRecorder, TimestepByTimestepIsOnePass) {
    auto online = small_trainer({.algorithm = "sltt"}, {}, kPerTimestep);
    auto whole = small_trainer({.algorithm = "sltt", .online = false}, {}, kPerTimestep);
    SignalRecorder recorder(*online.trainer), once(*whole.trainer);
    {
        WorkRecorder work(*online.trainer);  // both listen, and this one leaves the other in place
        recorder.clear();
        online.trainer->gradients(online.input, online.labels);
        EXPECT_EQ(work.take().steps, 6U);
    }
    whole.trainer->gradients(whole.input, whole.labels);
    Network& network = whole.trainer->network();
    for (std::size_t i = 0; i < network.nodes().size(); ++i) {
        const auto* neurons = dynamic_cast<const NeuronLayer*>(network.nodes()[i].layer.get());
        if (neurons == nullptr) continue;
        EXPECT_EQ(recorder.spikes(i).steps(), 6U);
        EXPECT_EQ(all(recorder.spikes(i)), all(network.nodes()[i].out));
        EXPECT_EQ(all(recorder.membranes(i)), all(neurons->membranes()));
        expect_close({all(recorder.membrane_gradients(i))}, {all(neurons->membrane_gradients())}, 1e-5);
        EXPECT_EQ(all(once.membranes(i)), all(neurons->membranes()));
    }
    recorder.clear();
    EXPECT_EQ(recorder.spikes(1).steps(), 0U);
    online.trainer->gradients(online.input, online.labels);  // still listening
    EXPECT_EQ(recorder.spikes(1).steps(), 6U);
}

TEST(SignalRecorder, SumsGradientsOfUpdatesAtEveryTimestep) {
    const double lr = 0.25;
    auto t = small_trainer({.algorithm = "ottt_o"}, {.kind = "sgd", .lr = lr}, kPerTimestep);
    SignalRecorder recorder(*t.trainer);
    const auto before = values(*t.trainer);
    t.trainer->step(t.input, t.labels);
    const auto after = values(*t.trainer);
    std::size_t k = 0;
    Network& network = t.trainer->network();
    for (std::size_t i = 0; i < network.nodes().size(); ++i)
        for (std::size_t p = 0; p < network.nodes()[i].layer->parameters().size(); ++p, ++k) {
            const auto sum = recorder.gradient(i, p);
            ASSERT_EQ(sum.size(), before[k].size());
            for (std::size_t e = 0; e < sum.size(); ++e)
                EXPECT_NEAR(after[k][e], before[k][e] - static_cast<float>(lr) * sum[e], 1e-6);
        }
}

/// The same values, whether a layer knows that its input is constant or not; and it does not multiply again.
TEST(ConstantProduct, SparesTimestepsOfPassesOfOne) {
    for (const std::string kind : {"sltt", "ottt_a", "ottt_o"}) {
        std::vector<std::vector<std::vector<float>>> results;
        for (const bool constant : {false, true}) {
            auto t = small_trainer({.algorithm = kind}, {.kind = "sgd", .lr = 0.1}, kPerTimestep);
            for (std::size_t k = 1; k < 6; ++k)
                std::ranges::copy(t.input.all().subspan(0, 24), t.input.all().subspan(k * 24).begin());
            t.input.constant = constant;
            t.trainer->step(t.input, t.labels);
            t.trainer->evaluate(t.input, t.labels);
            t.trainer->step(t.input, t.labels);
            results.push_back(values(*t.trainer));
        }
        expect_close(results[0], results[1], 1e-6);
    }
    Dense dense(2, 1, false);
    Conv conv(learn::conv_shape({1, 1, 2}, 1, {}), false);
    for (Layer* layer : {static_cast<Layer*>(&dense), static_cast<Layer*>(&conv)}) {
        layer->import(0, std::vector<float>{2, 3});
        Signal in(1, 1, 2), out(1, 1, 1);
        in.constant = true;
        in.at(0, 0)[0] = in.at(0, 0)[1] = 1;
        Pass pass;
        pass.steps = pass.batch = 1;
        const auto result = [&](std::size_t first) {
            pass.first = first;
            out.resize(1, 1, 1);
            layer->forward(pass, in, out);
            return out.at(0, 0)[0];
        };
        EXPECT_EQ(result(0), 5);
        in.at(0, 0)[0] = 7;  // against the promise: what is given is the first timestep's
        EXPECT_EQ(result(1), 5);
        layer->import(0, std::vector<float>{4, 3});
        EXPECT_EQ(result(2), 31) << "other weights";
        EXPECT_EQ(result(0), 31) << "another sample";
    }
}

TEST(NumberFormats, AnalogueInputIsStoredInItsFormat) {
    const auto formats = make_formats({.input = {"fixed", 8, 5}});
    ASSERT_NE(formats, nullptr);
    for (const std::string kind : {"bptt", "sltt"}) {
        auto t = small_trainer({.algorithm = kind}, {}, kPerTimestep);
        t.trainer->formats = formats.get();
        formats->clear_counts();
        for (std::size_t i = 0; i < t.input.all().size(); ++i)
            t.input.all()[i] = static_cast<float>(i % 7) * 0.31F + (i == 3 ? 9.0F : 0.0F);
        Signal rounded = t.input;
        for (float& v : rounded.all()) v = std::min(std::nearbyint(v * 32) / 32, 127.0F / 32);  // by hand
        t.trainer->gradients(t.input, t.labels);
        const auto got = gradients(*t.trainer);
        EXPECT_EQ(formats->counts(Role::Input).rounded, t.input.all().size());
        EXPECT_EQ(formats->counts(Role::Input).saturated, 1U);
        t.trainer->formats = nullptr;
        t.trainer->gradients(rounded, t.labels);
        EXPECT_EQ(got, gradients(*t.trainer));
        t.trainer->gradients(t.input, t.labels);
        EXPECT_NE(got, gradients(*t.trainer));
    }
}

TEST(NumberFormats, SpikesAndConstantInputs) {
    const auto formats = make_formats({.input = {"fixed", 4, 3}, .rounding = "stochastic"});
    auto t = small_trainer({.algorithm = "bptt"});
    t.trainer->formats = formats.get();
    for (std::size_t i = 0; i < t.input.all().size(); ++i) t.input.all()[i] = i % 3 == 0 ? 1.0F : 0.0F;
    t.trainer->gradients(t.input, t.labels);
    EXPECT_EQ(formats->counts(Role::Input).rounded, 0U) << "1 is beyond this format; spikes are no numbers";
    for (float& v : t.input.all()) v = 0.3F;
    t.input.constant = true;
    t.trainer->gradients(t.input, t.labels);
    EXPECT_EQ(formats->counts(Role::Input).rounded, t.input.batch() * t.input.count()) << "stored once";
}

}  // namespace
}  // namespace loom::learn
