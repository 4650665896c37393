// SPDX-License-Identifier: Apache-2.0
// Training on a near-memory many-core chip: operations are those that the activity asks for, whatever the
// placement.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include <fstream>

#include "base/error.hpp"
#include "tests/support/core_kinds.hpp"
#include "tests/support/golden_network.hpp"
#include "tests/unit/training/random_work.hpp"
#include "training/learn/neurons/make_neurons.hpp"
#include "training/learn/work_recorder.hpp"
#include "training/many_core/many_core_engine.hpp"

namespace loom::training {
namespace {

using arch::ZeroRule;

arch::ChipSpec mesh(std::uint64_t side, std::uint64_t kib) {
    arch::ChipSpec chip{support::core_kinds()};
    chip.name = "test";
    chip.noc.size = {side, side};
    chip.core.synapse.memory = kib * 1024 * 8;
    return chip;
}

arch::TrainingWork golden_work(bool conv, const learn::SurrogateSpec& surrogate, bool detach) {
    learn::GoldenNetwork golden;
    golden.conv = conv;
    golden.surrogate = surrogate;
    golden.detach = detach;
    const auto trainer = golden.make();
    const auto [x, y] = learn::GoldenNetwork::minibatch(0);
    trainer->gradients(x, y);
    return learn::collect_work(*trainer);
}

nlohmann::json golden_counts(const std::string& name) {
    std::ifstream file(learn::GoldenNetwork::folder() + "summary.json");
    return nlohmann::json::parse(file)[name]["op_counts"];
}

std::uint64_t events(const EngineRecord& record, const std::string& layer, Phase phase, TrainingEvent event) {
    for (const LayerRecord& l : record.layers)
        if (l.name == layer) return l.phases[static_cast<std::size_t>(phase)].counts[event];
    ADD_FAILURE() << "no layer " << layer;
    return 0;
}

constexpr ZeroRule S = ZeroRule::Skip, D = ZeroRule::Dense, G = ZeroRule::Gate;

TEST(ManyCoreTraining, OperationsOfTheGoldenMlp) {
    const arch::TrainingWork work = golden_work(false, {"rect", {}, 0.5}, false);
    const auto want = golden_counts("mlp_rect_hard_nodetach");
    for (const std::uint64_t side : {2U, 4U}) {
        ManyCoreEngine engine(mesh(side, side == 2 ? 64U : 16U), {S, S, S});
        engine.execute(work);
        const EngineRecord& r = engine.record();
        EXPECT_EQ(events(r, "w1", Phase::Forward, &TrainingCounters::mac),
                  want["fwd_l1_mac_sparse"].get<std::uint64_t>() / 8)
            << "a constant current is computed once";
        EXPECT_EQ(events(r, "w2", Phase::Forward, &TrainingCounters::ac), want["fwd_l2_ac_sparse"]);
        EXPECT_EQ(events(r, "w2", Phase::Backward, &TrainingCounters::mac), want["bwd_l2_mac_dual_sparse"]);
        EXPECT_EQ(events(r, "w1", Phase::WeightGradient, &TrainingCounters::mac),
                  want["wgrad_l1_mac_sparse_x_du"]);
        EXPECT_EQ(events(r, "w2", Phase::WeightGradient, &TrainingCounters::ac),
                  want["wgrad_l2_ac_sparse_s_du"]);
        EXPECT_EQ(events(r, "lif1", Phase::Forward, &TrainingCounters::compare), want["lif_updates_l1"]);
        EXPECT_EQ(events(r, "w1", Phase::WeightUpdate, &TrainingCounters::multiply) +
                      events(r, "w2", Phase::WeightUpdate, &TrainingCounters::multiply),
                  want["weights"]);
    }
}

TEST(ManyCoreTraining, OperationsOfTheGoldenConvolution) {
    const arch::TrainingWork work = golden_work(true, {"rect", {}, 0.5}, false);
    const auto want = golden_counts("conv_rect_hard_nodetach");
    ManyCoreEngine engine(mesh(4, 16), {S, S, S});
    engine.execute(work);
    const EngineRecord& r = engine.record();
    EXPECT_EQ(events(r, "w1", Phase::Forward, &TrainingCounters::mac),
              want["fwd_l1_mac_sparse"].get<std::uint64_t>() / 8);
    EXPECT_EQ(events(r, "w2", Phase::Forward, &TrainingCounters::ac), want["fwd_l2_ac_sparse"])
        << "spikes before pooling";
    EXPECT_EQ(events(r, "w2", Phase::Backward, &TrainingCounters::mac), want["bwd_l2_mac_dual_sparse"]);
    EXPECT_EQ(events(r, "w1", Phase::WeightGradient, &TrainingCounters::mac),
              want["wgrad_l1_mac_sparse_x_du"]);
}

TEST(ManyCoreTraining, EveryNeuronBehindAPoolSends) {
    const arch::TrainingWork work = golden_work(true, {"rect", {}, 0.5}, false);
    const auto want = golden_counts("conv_rect_hard_nodetach");
    ManyCoreEngine dense(mesh(4, 16), {D, S, S}), gated(mesh(4, 16), {G, S, S});
    dense.execute(work);
    gated.execute(work);
    EXPECT_EQ(events(dense.record(), "w2", Phase::Forward, &TrainingCounters::ac), want["fwd_l2_ac_dense"]);
    EXPECT_EQ(events(gated.record(), "w2", Phase::Forward, &TrainingCounters::ac), want["fwd_l2_ac_sparse"]);
    EXPECT_EQ(events(dense.record(), "pool", Phase::Forward, &TrainingCounters::add), want["pool_add"]);
}

TEST(ManyCoreTraining, EachZeroCanBeKept) {
    const arch::TrainingWork work = golden_work(false, {"rect", {}, 0.5}, false);
    const auto want = golden_counts("mlp_rect_hard_nodetach");
    const auto run = [&](const arch::SparsityRules& rules) {
        ManyCoreEngine engine(mesh(4, 16), rules);
        engine.execute(work);
        return engine.record();
    };
    const EngineRecord all = run({S, S, S}), errors = run({S, S, D}), none = run({D, D, D}),
                       gated = run({G, G, G});
    EXPECT_EQ(events(errors, "w2", Phase::Backward, &TrainingCounters::mac), want["bwd_l2_mac_sparse_du"]);
    EXPECT_EQ(events(none, "w2", Phase::Backward, &TrainingCounters::mac), want["bwd_l2_mac_dense"]);
    EXPECT_EQ(events(none, "w2", Phase::WeightGradient, &TrainingCounters::ac), want["wgrad_l2_ac_dense"]);
    EXPECT_EQ(events(gated, "w2", Phase::Backward, &TrainingCounters::mac), want["bwd_l2_mac_dual_sparse"]);
    EXPECT_EQ(events(gated, "w2", Phase::Backward, &TrainingCounters::mac) +
                  events(gated, "w2", Phase::Backward, &TrainingCounters::gated),
              want["bwd_l2_mac_dense"]);
    EXPECT_EQ(events(none, "w2", Phase::Forward, &TrainingCounters::ac), want["fwd_l2_ac_dense"]);
    EXPECT_EQ(events(none, "w1", Phase::Forward, &TrainingCounters::mac) * 8, want["fwd_l1_mac_dense"]);
    EXPECT_EQ(events(gated, "w2", Phase::Forward, &TrainingCounters::ac), want["fwd_l2_ac_sparse"]);
    EXPECT_EQ(events(gated, "w2", Phase::Forward, &TrainingCounters::ac) +
                  events(gated, "w2", Phase::Forward, &TrainingCounters::gated),
              want["fwd_l2_ac_dense"]);
    const auto forward = [](const EngineRecord& r) {
        std::uint64_t cycles = 0;
        for (const LayerRecord& l : r.layers) cycles += l.phases[0].cycles;
        return cycles;
    };
    EXPECT_EQ(forward(all), forward(errors));
    EXPECT_LT(forward(errors), forward(none)) << "a packet for every zero";
    EXPECT_EQ(forward(gated), forward(none));
    EXPECT_LT(all.cycles, errors.cycles);
    EXPECT_LT(errors.cycles, none.cycles);
    EXPECT_EQ(gated.cycles, none.cycles) << "gating saves no time";
}

TEST(ManyCoreTraining, DoesNotDependOnTheOrderOfEvaluation) {
    const arch::TrainingWork work = golden_work(true, {"triangle", {}, 1}, true);
    ManyCoreEngine plain(mesh(3, 32), {S, S, S}), shuffled(mesh(3, 32), {S, S, S});
    shuffled.shuffle(7);
    plain.execute(work);
    shuffled.execute(work);
    EXPECT_EQ(plain.record().cycles, shuffled.record().cycles);
    EXPECT_EQ(plain.network_counters().flit_hops(), shuffled.network_counters().flit_hops());
    EXPECT_GT(plain.network_counters().flit_hops(), 0U);
    std::uint64_t sum = 0;
    for (const LayerRecord& l : plain.record().layers)
        for (const PhaseRecord& p : l.phases) sum += p.cycles;
    EXPECT_EQ(sum, plain.record().cycles) << "every cycle belongs to one layer and phase";
}

/// One channel of 16 x 16 and a dense layer: the map can only be cut by positions.
arch::TrainingWork one_channel_work() {
    using namespace learn;
    const std::shared_ptr<const Surrogate> h = make_surrogate({"rect", {}, 0.5});
    auto network = std::make_unique<Network>(Shape{16, 16, 1});
    std::uint32_t at = Network::kInput;
    const auto add = [&](std::unique_ptr<Layer> layer, const char* name) {
        layer->name = name;
        for (Parameter& p : layer->parameters()) std::ranges::fill(p.value, 0.2F);
        at = network->add(std::move(layer), {at});
    };
    add(std::make_unique<Conv>(learn::conv_shape({16, 16, 1}, 1, arch::square_window(3, 1, 1)), false), "w1");
    add(std::make_unique<Lif>(Shape{16, 16, 1}, LifSpec{}, h), "lif1");
    add(std::make_unique<Flatten>(Shape{16, 16, 1}), "flatten");
    add(std::make_unique<Dense>(256, 4, false), "w2");
    add(std::make_unique<Lif>(Shape{1, 1, 4}, LifSpec{}, h), "lif2");
    Trainer trainer(std::move(network), make_loss("mse_rate"), make_optimiser({}), Schedule{});
    Signal x(4, 2, 256);
    std::ranges::fill(x.all(), 0.4F);
    const std::vector<std::int64_t> labels{1, 3};
    trainer.gradients(x, labels);
    return collect_work(trainer);
}

TEST(ManyCoreTraining, CopiesOfAKernelAreUpdatedOnce) {
    const arch::TrainingWork work = one_channel_work();
    ManyCoreEngine one(mesh(1, 4096), {S, S, S}), many(mesh(4, 4), {S, S, S});
    one.execute(work);
    many.execute(work);
    const auto adds = [](const ManyCoreEngine& e, const char* layer) {
        return events(e.record(), layer, Phase::WeightUpdate, &TrainingCounters::add);
    };
    EXPECT_EQ(adds(one, "w1"), 9U) << "one per weight: SGD";
    const std::uint64_t extra = adds(many, "w1") - adds(one, "w1");
    EXPECT_GT(extra, 0U) << "the convolution's map lies on several cores";
    EXPECT_EQ(extra % 9, 0U) << "each copy's gradients are added to the owner's";
    EXPECT_EQ(events(many.record(), "w1", Phase::WeightUpdate, &TrainingCounters::multiply), 9U);
    EXPECT_EQ(adds(one, "w2"), adds(many, "w2")) << "a dense layer is cut by outputs: nothing to exchange";
    EXPECT_GT(many.network_counters(Phase::WeightUpdate).flit_hops(), 0U);
    EXPECT_EQ(one.network_counters(Phase::WeightUpdate).flit_hops(), 0U);
}

/// Grouped and depthwise convolutions with windows of any kind; sum pooling whose windows overlap; neurons
/// with a decaying current.
arch::TrainingWork windows_work() {
    using namespace learn;
    const std::shared_ptr<const Surrogate> h = make_surrogate({"triangle", {}, 2});
    auto network = std::make_unique<Network>(Shape{7, 6, 4});
    std::uint32_t at = Network::kInput;
    Shape now{7, 6, 4};
    std::uint32_t seed = 1;
    const auto add = [&](std::unique_ptr<Layer> layer, const char* name) {
        layer->name = name;
        for (Parameter& p : layer->parameters())
            for (float& v : p.value) {
                seed = seed * 1664525U + 1013904223U;
                v = static_cast<float>(seed >> 8) * 0x1p-24F - 0.3F;
            }
        now = layer->out;
        at = network->add(std::move(layer), {at});
    };
    add(std::make_unique<Conv>(learn::conv_shape(now, 6, {{3, 2, 1, 1, 1}, {2, 1, 2, 0, 1}}, 2), true), "w1");
    add(make_neurons(now, {.current_decay = 0.5F}, {"triangle", {}, 2}), "lif1");
    add(std::make_unique<AveragePool>(now, arch::Window{{2, 1, 1, 1, 1}, {3, 2, 1, 1, 1}}, false), "pool");
    add(std::make_unique<Conv>(learn::conv_shape(now, 12, arch::square_window(2), 6), false), "w2");
    add(std::make_unique<Lif>(now, LifSpec{}, h), "lif2");
    const Shape maps = now;
    add(std::make_unique<Flatten>(maps), "flatten");
    add(std::make_unique<Dense>(maps.count(), 4, false), "w3");
    add(std::make_unique<Lif>(now, LifSpec{}, make_surrogate({"atan", 4, {}})), "lif3");
    Trainer trainer(std::move(network), make_loss("mse_rate"), make_optimiser({}), Schedule{});
    Signal x(3, 2, 7 * 6 * 4);
    for (std::size_t i = 0; i < x.all().size(); ++i) x.all()[i] = i * 7 % 5 < 2 ? 1.0F : 0.0F;
    const std::vector<std::int64_t> labels{1, 3};
    trainer.gradients(x, labels);
    return collect_work(trainer);
}

/// Pairs one by one. Spikes before pooling travel: `before` calls f(input element) for every packet.
struct Pairs {
    std::uint64_t forward = 0, backward = 0, gradient = 0;
};
template <class F>
Pairs brute_force(const arch::TrainingWork& work, const arch::LinearWork& l, F packets) {
    Pairs n;
    const arch::LinearShape& s = l.shape;
    const std::size_t g_in = s.in_c / s.groups, g_out = s.out_c / s.groups;
    for (std::size_t t = 0; t < work.steps; ++t)
        for (std::size_t b = 0; b < work.batch; ++b) {
            std::vector<std::uint64_t> arrived(s.inputs());
            packets(t, b, [&](std::size_t e) { ++arrived[e]; });
            each_pair(s, [&](std::size_t q, std::size_t p, std::size_t) {
                for (std::size_t c = 0; c < s.in_c; ++c)
                    for (std::size_t k = c / g_in * g_out; k < (c / g_in + 1) * g_out; ++k) {
                        const std::size_t e = p * s.in_c + c;
                        const bool g = l.error.test(t, b, q * s.out_c + k);
                        n.forward += arrived[e];
                        n.backward += l.sends_error && g && l.wanted.test(t, b, e);
                        n.gradient += g && l.input.test(t, b, e);
                    }
            });
        }
    return n;
}

TEST(ManyCoreTraining, WindowsOfAnyKindAndGroups) {
    const arch::TrainingWork work = windows_work();
    EXPECT_GT(work.neurons[0].spikes.ones(), 50U);
    EXPECT_GT(work.linear[1].error.ones(), 50U);
    const auto of_input = [&](const arch::LinearWork& l) {
        return brute_force(work, l, [&](std::size_t t, std::size_t b, auto f) {
            for (std::size_t e = 0; e < l.shape.inputs(); ++e)
                if (l.input.test(t, b, e)) f(e);
        });
    };
    // Behind the pool a spike is as many packets as windows have it.
    const arch::LinearWork& second = work.linear[1];
    const arch::ElementWork& pool = work.elements[0];
    const Pairs pooled = brute_force(work, second, [&](std::size_t t, std::size_t b, auto f) {
        for (std::size_t oy = 0; oy < pool.out_h; ++oy)
            for (std::size_t ox = 0; ox < pool.out_w; ++ox)
                for (std::size_t k = 0; k < 6; ++k) {
                    const std::size_t y = oy + k / 3, x = 2 * ox + k % 3;  // + 1: padding
                    if (y < 1 || x < 1 || y > pool.in_h || x > pool.in_w) continue;
                    for (std::size_t c = 0; c < 6; ++c)
                        if (work.neurons[0].spikes.test(t, b, ((y - 1) * pool.in_w + x - 1) * 6 + c))
                            f((oy * pool.out_w + ox) * 6 + c);
                }
    });
    const Pairs first = of_input(work.linear[0]), last = of_input(work.linear[2]);
    for (const std::uint64_t side : {1U, 2U, 4U}) {
        ManyCoreEngine engine(mesh(side, side == 4 ? 4U : 64U), {S, S, S});
        engine.execute(work);
        const EngineRecord& r = engine.record();
        EXPECT_EQ(events(r, "w1", Phase::Forward, &TrainingCounters::ac), first.forward) << side;
        EXPECT_EQ(events(r, "w2", Phase::Forward, &TrainingCounters::ac), pooled.forward) << side;
        EXPECT_EQ(events(r, "w3", Phase::Forward, &TrainingCounters::ac), last.forward) << side;
        EXPECT_EQ(events(r, "w2", Phase::Backward, &TrainingCounters::mac), pooled.backward) << side;
        EXPECT_EQ(events(r, "w3", Phase::Backward, &TrainingCounters::mac), last.backward) << side;
        EXPECT_EQ(events(r, "w1", Phase::WeightGradient, &TrainingCounters::ac), first.gradient) << side;
        EXPECT_EQ(events(r, "w2", Phase::WeightGradient, &TrainingCounters::mac), pooled.gradient) << side;
        EXPECT_EQ(events(r, "w2", Phase::WeightUpdate, &TrainingCounters::multiply), 12U * 4);
        const std::uint64_t n = work.neurons[0].count * work.steps * work.batch;
        EXPECT_EQ(events(r, "lif1", Phase::Forward, &TrainingCounters::multiply), 2 * n)
            << "membrane and current leak";
        EXPECT_EQ(events(r, "lif1", Phase::Forward, &TrainingCounters::membrane_write), 3 * n);
        EXPECT_EQ(engine.network_counters().flit_hops() > 0, side > 1);
    }
}

TEST(ManyCoreTraining, ArraysTakeNoGroups) {
    const arch::TrainingWork work = windows_work();
    const arch::CimCoreSpec arrays;
    CoreRoom room;
    room.memory_bits = 1U << 24, room.max_neurons = 4096;
    EXPECT_NO_THROW(place_training(work, room));
    room.cim = &arrays;
    try {
        place_training(work, room);
        ADD_FAILURE();
    } catch (const UnsupportedError& e) {
        EXPECT_THAT(e.what(), ::testing::HasSubstr("layer 'w1' has 2 groups"));
    }
}

TEST(ManyCoreTraining, ContinuesFromARecord) {
    const arch::TrainingWork work = golden_work(false, {"rect", {}, 0.5}, false);
    ManyCoreEngine whole(mesh(2, 64), {S, S, S}), resumed(mesh(2, 64), {S, S, S});
    whole.execute(work);
    resumed.resume(whole.record());
    whole.execute(work);
    resumed.execute(work);
    EXPECT_EQ(whole.record().cycles, resumed.record().cycles);
    EXPECT_EQ(to_list(*whole.record().many_core), to_list(*resumed.record().many_core));
    EXPECT_EQ(whole.network_counters().flit_hops(), resumed.network_counters().flit_hops());
}

TEST(ManyCoreTraining, RefusesANetworkWithoutNeurons) {
    arch::TrainingWork work = golden_work(false, {"rect", {}, 0.5}, false);
    work.items.clear();
    work.neurons.clear();
    work.linear.clear();
    ManyCoreEngine engine(mesh(2, 64), {S, S, S});
    EXPECT_THROW(engine.execute(work), UnsupportedError);
}

TEST(ManyCoreTraining, RefusesWhatDoesNotFit) {
    const arch::TrainingWork work = golden_work(false, {"sigmoid", 4, {}}, true);
    ManyCoreEngine engine(mesh(2, 1), {S, S, S});
    EXPECT_THROW(engine.execute(work), MappingError);
}

}  // namespace
}  // namespace loom::training
