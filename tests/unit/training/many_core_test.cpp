// SPDX-License-Identifier: Apache-2.0
// Training on a near-memory many-core chip: operations are those that the activity asks for, whatever the
// placement.
#include <gmock/gmock.h>

#include "base/json/json.hpp"

#include <fstream>

#include "noc/catalogue.hpp"
#include "tests/support/golden_network.hpp"
#include "tests/unit/training/many_core_networks.hpp"
#include "tests/unit/training/random_work.hpp"

namespace loom::training {
namespace {

using arch::ZeroRule;

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

Json golden_counts(const std::string& name) {
    std::ifstream file(learn::GoldenNetwork::folder() + "summary.json");
    return Json::parse(file)[name]["op_counts"];
}

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

/// The chip of a step serves the next one: whatever its routers, nothing of the first step is left.
TEST(ManyCoreTraining, AKeptChipIsAsGoodAsANewOne) {
    const arch::TrainingWork work = golden_work(true, {"rect", {}, 0.5}, false);
    std::size_t tried = 0;
    for (const std::string& kind : noc::builtin().routers.names()) {
        arch::ChipSpec chip = mesh(3, 32);
        chip.noc.router.kind = kind;
        ManyCoreEngine kept(chip, {S, S, S}), anew(chip, {S, S, S});
        try {
            kept.execute(work);
        } catch (const Error&) {
            continue;  // routers that send to no sets
        }
        ++tried;
        anew.resume(kept.record());
        kept.execute(work);
        anew.execute(work);
        EXPECT_EQ(kept.record().cycles, anew.record().cycles) << kind;
        EXPECT_EQ(to_list(*kept.record().many_core), to_list(*anew.record().many_core)) << kind;
        for (std::size_t l = 0; l < kept.record().layers.size(); ++l)
            for (std::size_t p = 0; p < kPhases; ++p)
                EXPECT_EQ(kept.record().layers[l].phases[p].cycles, anew.record().layers[l].phases[p].cycles)
                    << kind << l << p;
    }
    EXPECT_GE(tried, 3U);
}

TEST(ManyCoreTraining, PlacesAnewWhenTheMinibatchChanges) {
    const arch::TrainingWork two = network_work({.batch = 2}), three = network_work({.batch = 3});
    ManyCoreEngine mixed(mesh(3, 64), {S, S, S}), alone(mesh(3, 64), {S, S, S});
    mixed.execute(two);
    const std::uint64_t before = mixed.record().cycles;
    mixed.execute(three);
    alone.execute(three);
    EXPECT_EQ(mixed.record().cycles - before, alone.record().cycles);
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
