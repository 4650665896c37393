// SPDX-License-Identifier: Apache-2.0
#include "training/learn/algorithm.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "tests/unit/training/learn/reference/small_trainer.hpp"
#include "training/learn/work_recorder.hpp"

namespace loom::learn {
namespace {

using namespace reference;
using ::testing::HasSubstr;

/// TET without lambda is the cross entropy of every timestep over T: what timestep by timestep sums up to.
const SmallOptions kPerTimestep{.loss = {.kind = "tet"}};

TEST(Algorithms, PassesOfOneTimestepGiveTheGradientOfOnePass) {
    for (const std::string kind : {"sltt", "ottt_a", "ottt_o"})
        for (const bool recurrent : {false, true}) {
            SCOPED_TRACE(kind);
            SmallOptions o = kPerTimestep;
            o.hidden.recurrent = recurrent;
            auto online = small_trainer({.algorithm = kind}, {}, o);
            auto whole =
                small_trainer({.algorithm = kind == "ottt_o" ? "ottt_a" : kind, .online = false}, {}, o);
            const auto a = online.trainer->gradients(online.input, online.labels);
            const auto b = whole.trainer->gradients(whole.input, whole.labels);
            EXPECT_NEAR(a.loss, b.loss, 1e-6);
            EXPECT_EQ(a.correct, b.correct);
            expect_close(gradients(*online.trainer), gradients(*whole.trainer), 1e-5);
        }
}

TEST(Algorithms, EvaluationIsTheForwardPassOfTraining) {
    for (const std::string kind : {"bptt", "sltt"}) {
        auto t = small_trainer({.algorithm = kind}, {}, kPerTimestep);
        const auto a = t.trainer->evaluate(t.input, t.labels), b = t.trainer->gradients(t.input, t.labels);
        EXPECT_NEAR(a.loss, b.loss, 1e-6);
        EXPECT_EQ(a.correct, b.correct);
        EXPECT_GT(a.correct, 0U);
        EXPECT_LT(a.correct, 4U);
    }
}

TEST(Algorithms, MembraneLossTimestepByTimestep) {
    SmallOptions o;
    o.loss = {.kind = "rmp", .main = "tet", .weight = 0.5};  // a mean over elements: the mean over timesteps
    auto online = small_trainer({.algorithm = "sltt"}, {}, o);
    auto whole = small_trainer({.algorithm = "sltt", .online = false}, {}, o);
    const auto a = online.trainer->gradients(online.input, online.labels);
    const auto b = whole.trainer->gradients(whole.input, whole.labels);
    EXPECT_NEAR(a.loss, b.loss, 1e-6);
    expect_close(gradients(*online.trainer), gradients(*whole.trainer), 1e-5);
    auto plain = small_trainer({.algorithm = "sltt"}, {}, kPerTimestep);
    EXPECT_LT(plain.trainer->gradients(plain.input, plain.labels).loss, a.loss - 1e-3);
}

/// OTTT-O by hand: at every timestep, forward, gradient of the cross entropy over T, w -= lr g.
TEST(Algorithms, OtttOUpdatesAtEveryTimestep) {
    const double lr = 0.3;
    auto online = small_trainer({.algorithm = "ottt_o"}, {.kind = "sgd", .lr = lr}, kPerTimestep);
    auto by_hand = small_trainer({.algorithm = "ottt_a"}, {}, kPerTimestep);
    online.trainer->step(online.input, online.labels);
    EXPECT_EQ(online.trainer->iteration(), 6U);
    Network& net = by_hand.trainer->network();
    const auto loss = make_loss("ce_membrane");
    for (std::size_t t = 0; t < 6; ++t) {
        Signal now(1, 4, 6);
        std::ranges::copy(by_hand.input.all().subspan(t * 24, 24), now.all().begin());
        Pass pass;
        pass.first = t, pass.steps = 1, pass.batch = 4;
        pass.rules = by_hand.trainer->schedule().rules;
        net.clear_gradients();
        net.forward(pass, now);
        loss->evaluate(net.output(), by_hand.labels, net.output_gradient());
        net.backward(pass);
        for (auto& [layer, p] : net.parameters())
            for (std::size_t i = 0; i < layer->parameters()[p].value.size(); ++i)
                layer->parameters()[p].value[i] -=
                    static_cast<float>(lr) * (layer->parameters()[p].grad[i] / 6);
        net.updated();
    }
    expect_close(values(*online.trainer), values(*by_hand.trainer), 1e-6);
}

TEST(Algorithms, TracesFollowATrainedLeak) {
    SmallOptions o = kPerTimestep;
    o.hidden.learns_leak = true;
    auto t = small_trainer({.algorithm = "ottt_o"}, {.kind = "sgd", .lr = 1}, o);
    t.trainer->step(t.input, t.labels);
    Network& net = t.trainer->network();
    const auto& hidden = dynamic_cast<const Lif&>(*net.find("hidden")->layer);
    EXPECT_GT(std::abs(hidden.leaks()[0] - 0.5F), 1e-3F);
    EXPECT_EQ(dynamic_cast<const LinearLayer&>(*net.find("w1")->layer).trace_leak, hidden.leaks()[0]);
    EXPECT_EQ(dynamic_cast<const LinearLayer&>(*net.find("w2")->layer).trace_leak, 0.5F);
}

TEST(Algorithms, SlttKGivesErrorsToKTimesteps) {
    const AlgorithmSpec spec{.algorithm = "sltt_k", .backward_steps = 2, .seed = 5};
    auto t = small_trainer(spec, {}, kPerTimestep);
    std::vector<bool> got;
    std::vector<std::vector<float>> before = gradients(*t.trainer);
    t.trainer->after_pass = [&](const Pass& pass) {
        bool errors = false;
        for (const float g : t.trainer->network().nodes().front().grad.all()) errors |= g != 0;
        EXPECT_EQ(errors, gradients(*t.trainer) != before);
        before = gradients(*t.trainer);
        EXPECT_EQ(errors, t.trainer->schedule().picks(0, pass.first, 6));
        got.push_back(errors);
    };
    t.trainer->gradients(t.input, t.labels);
    EXPECT_EQ(got.size(), 6U);
    EXPECT_EQ(std::ranges::count(got, true), 2);

    auto all = small_trainer({.algorithm = "sltt_k", .backward_steps = 6}, {}, kPerTimestep);
    auto sltt = small_trainer({.algorithm = "sltt"}, {}, kPerTimestep);
    all.trainer->gradients(all.input, all.labels);
    sltt.trainer->gradients(sltt.input, sltt.labels);
    EXPECT_EQ(gradients(*all.trainer), gradients(*sltt.trainer));
}

TEST(Algorithms, SlttKPicksEverySetEquallyOften) {
    const Schedule s = make_schedule({.algorithm = "sltt_k", .backward_steps = 2, .seed = 3});
    std::map<unsigned, unsigned> sets;
    for (std::uint64_t i = 0; i < 6000; ++i) {
        unsigned set = 0;
        for (std::size_t t = 0; t < 4; ++t) set |= s.picks(i, t, 4) ? 1U << t : 0U;
        ++sets[set];
    }
    EXPECT_EQ(sets.size(), 6U);
    for (const auto& [set, n] : sets) {
        EXPECT_EQ(std::popcount(set), 2);
        EXPECT_NEAR(n, 1000, 5 * 29) << set;  // sigma = sqrt(6000 / 6 * 5 / 6)
    }
}

TEST(Algorithms, MemoryOfOnlinePassesDoesNotGrowWithT) {
    for (const std::string kind : {"sltt", "ottt_a", "ottt_o"}) {
        const auto floats = [&](std::size_t steps) {
            SmallOptions o = kPerTimestep;
            o.steps = steps;
            o.hidden.recurrent = true;
            o.hidden.adaptation = AdaptationSpec{};
            o.hidden.current_decay = 0.5F;
            auto t = small_trainer({.algorithm = kind}, {}, o);
            t.trainer->step(t.input, t.labels);
            t.trainer->evaluate(t.input, t.labels);
            std::size_t n = 0;
            for (const Network::Node& node : t.trainer->network().nodes()) {
                n += node.out.all().size() + node.grad.all().size() + node.sum.all().size();
                if (const auto* l = dynamic_cast<const NeuronLayer*>(node.layer.get())) {
                    n += l->membranes().all().size() + l->membrane_gradients().all().size();
                    if (const Recurrence* r = l->recurrence())
                        n += r->input.all().size() + r->trace.all().size() + r->error.all().size();
                }
                if (const auto* l = dynamic_cast<const LinearLayer*>(node.layer.get()))
                    n += l->trace().all().size();
            }
            return n;
        };
        EXPECT_EQ(floats(4), floats(40)) << kind;
    }
}

TEST(Algorithms, WorkOfPassesEqualsWorkOfOnePass) {
    SmallOptions o = kPerTimestep;
    o.hidden.recurrent = true;
    o.norm = true;
    auto online = small_trainer({.algorithm = "sltt"}, {}, o);
    auto whole = small_trainer({.algorithm = "sltt", .online = false}, {}, o);
    for (float& x : online.input.all().first(24)) x = 1;  // binary at t = 0 only
    std::ranges::copy(online.input.all(), whole.input.all().begin());
    WorkRecorder recorder(*online.trainer);
    online.trainer->step(online.input, online.labels);
    const arch::TrainingWork a = recorder.take();
    whole.trainer->step(whole.input, whole.labels);
    const arch::TrainingWork b = collect_work(*whole.trainer);
    const auto expect_same = [](const arch::BitSignal& x, const arch::BitSignal& y) {
        ASSERT_EQ(x.steps(), y.steps());
        EXPECT_GT(y.ones(), 0U);
        for (std::size_t t = 0; t < x.steps(); ++t)
            for (std::size_t s = 0; s < x.batch(); ++s)
                EXPECT_TRUE(std::ranges::equal(x.row(t, s), y.row(t, s)));
    };
    EXPECT_EQ(a.steps, 6U);
    ASSERT_EQ(a.linear.size(), 3U);
    ASSERT_EQ(a.items.size(), 6U);
    EXPECT_EQ(a.linear[1].name, "hidden.recurrent");
    EXPECT_EQ(a.items[2].sources, std::vector<std::uint32_t>{3});
    EXPECT_EQ(a.items[3].sources, (std::vector<std::uint32_t>{1, 2}));
    for (std::size_t i = 0; i < 3; ++i) {
        expect_same(a.linear[i].input, b.linear[i].input);
        expect_same(a.linear[i].error, b.linear[i].error);
        EXPECT_EQ(a.linear[i].binary_input, b.linear[i].binary_input);
    }
    EXPECT_FALSE(a.linear[0].binary_input);
    EXPECT_TRUE(a.linear[1].binary_input);
    for (std::size_t i = 0; i < 2; ++i) expect_same(a.neurons[i].error, b.neurons[i].error);
    expect_same(a.linear[1].error, a.neurons[0].error);
    for (std::size_t t = 1; t < 6; ++t)
        EXPECT_TRUE(std::ranges::equal(a.linear[1].input.row(t, 2), a.neurons[0].spikes.row(t - 1, 2)));
    expect_same(a.neurons[0].spikes, b.neurons[0].spikes);
    EXPECT_EQ(a.elements[0].forward.add, b.elements[0].forward.add);
    EXPECT_EQ(a.elements[0].backward.multiply, b.elements[0].backward.multiply);
    EXPECT_THROW(collect_work(*online.trainer), InternalError);
    auto o_variant = small_trainer({.algorithm = "ottt_o"}, {}, kPerTimestep);
    WorkRecorder updates(*o_variant.trainer);
    o_variant.trainer->step(o_variant.input, o_variant.labels);
    EXPECT_EQ(updates.take().updates, 6U);
}

std::string message(const std::function<void()>& f) {
    try {
        f();
    } catch (const Error& e) {
        return e.what();
    }
    return "accepted";
}

TEST(Algorithms, RefuseWhatCannotWork) {
    const auto schedule = [](const AlgorithmSpec& spec) { return message([&] { make_schedule(spec); }); };
    EXPECT_THAT(schedule({.algorithm = "btpt"}),
                HasSubstr("train.algorithm: unknown `btpt`; did you mean 'bptt'?"));
    EXPECT_THAT(schedule({.algorithm = "sltt", .truncate = 2}), HasSubstr("train.truncate"));
    EXPECT_THAT(schedule({.algorithm = "sltt_k"}), HasSubstr("train.backward_steps"));
    EXPECT_THAT(schedule({.algorithm = "bptt", .backward_steps = 2}), HasSubstr("train.backward_steps"));
    EXPECT_THAT(schedule({.algorithm = "bptt", .online = true}), HasSubstr("train.online"));
    EXPECT_THAT(schedule({.algorithm = "ottt_o", .online = false}), HasSubstr("train.online"));
    EXPECT_EQ(schedule({.algorithm = "bptt", .truncate = 3}), "accepted");

    const auto built = [](const AlgorithmSpec& spec, const SmallOptions& o) {
        return message([&] { small_trainer(spec, {}, o); });
    };
    SmallOptions tdbn = kPerTimestep, dsr = kPerTimestep, leaks = kPerTimestep;
    tdbn.tdbn = true;
    dsr.hidden.lif.leak.values = {1.0F}, dsr.hidden.lif.reset = Reset::Subtract, dsr.surrogate.kind = "dsr";
    EXPECT_THAT(built({.algorithm = "ottt_o"}, tdbn),
                HasSubstr("train.algorithm: layer tdbn needs all timesteps"));
    EXPECT_EQ(built({.algorithm = "bptt"}, tdbn), "accepted");
    EXPECT_THAT(built({.algorithm = "sltt"}, dsr), HasSubstr("dsr"));
    leaks.hidden.lif.leak.values.assign(12, 0.5F);
    leaks.hidden.lif.leak.values[3] = 0.25F;
    EXPECT_THAT(built({.algorithm = "ottt_a"}, leaks), HasSubstr("one leak for all neurons of layer hidden"));
}

TEST(Algorithms, BadInputIsRefused) {
    auto t = small_trainer({});
    const auto step = [&](const Signal& x, const std::vector<std::int64_t>& y) {
        return message([&] { t.trainer->step(x, y); });
    };
    auto labels = t.labels;
    labels[2] = 3;
    EXPECT_THAT(step(t.input, labels), HasSubstr("label 3 of sample 2 of the minibatch, expected 0 to 2"));
    labels[2] = -1;
    EXPECT_THAT(step(t.input, labels), HasSubstr("label -1"));
    EXPECT_THAT(step(t.input, {0, 1}), HasSubstr("2 labels for 4 samples"));
    EXPECT_THAT(step(Signal(6, 4, 5), t.labels), HasSubstr("5 elements, the network's input 6"));
    EXPECT_THAT(step(Signal(6, 0, 6), {}), HasSubstr("empty minibatch"));
    Signal broken = t.input;
    broken.at(3, 1)[2] = std::nanf("");
    EXPECT_THAT(step(broken, t.labels),
                HasSubstr("data.x: sample 1 of the minibatch is not finite at timestep 3"));
    auto& weights = t.trainer->network().nodes()[0].layer->parameters()[0].value;
    weights[4] = std::nanf("");  // no spike, finite loss, gradient nan
    EXPECT_THAT(step(t.input, t.labels), HasSubstr("the gradient of w1.weight is not finite"));
    weights[4] = 0;
    t.trainer->network().nodes()[2].layer->parameters()[1].value[0] = std::numeric_limits<float>::infinity();
    EXPECT_THAT(step(t.input, t.labels), HasSubstr("the loss is"));
    EXPECT_EQ(t.trainer->iteration(), 0U);
}

}  // namespace
}  // namespace loom::learn
