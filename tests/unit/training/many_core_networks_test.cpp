// SPDX-License-Identifier: Apache-2.0
// Networks that are no chains on a many-core chip: recurrent weights, ANN, neurons of all kinds; cycles that
// add up.
#include <gmock/gmock.h>

#include "training/accelerator/make_engine.hpp"
#include "tests/unit/training/chips.hpp"
#include "tests/unit/training/cim_chips.hpp"
#include "tests/unit/training/many_core_networks.hpp"
#include "training/accelerator/ann.hpp"
#include "training/many_core/make_many_core.hpp"

namespace loom::training {
namespace {

TEST(ManyCoreNetworks, CyclesOfLayersAndPhasesAddUpInAnyOrderOfEvaluation) {
    for (const bool over_time : {false, true})
        for (const std::uint64_t side : {1U, 2U, 5U}) {
            const arch::TrainingWork work = network_work({.over_time = over_time});
            const arch::ChipSpec chip = mesh(side, side == 1 ? 1024U : side == 2 ? 32U : 6U);
            const EngineRecord r = run(work, chip);
            ManyCoreEngine shuffled(chip, {S, S, S});
            shuffled.shuffle(5);
            shuffled.execute(work);
            std::uint64_t sum = 0;
            for (std::size_t l = 0; l < r.layers.size(); ++l)
                for (std::size_t p = 0; p < kPhases; ++p) {
                    const PhaseRecord& a = r.layers[l].phases[p];
                    const PhaseRecord& b = shuffled.record().layers[l].phases[p];
                    sum += a.cycles;
                    EXPECT_EQ(a.cycles, b.cycles);
                    EXPECT_EQ(a.counts, b.counts);
                }
            EXPECT_EQ(sum, r.cycles);
        }
}

TEST(ManyCoreNetworks, RecurrentSpikesReachTheNextTimestepOnly) {
    const arch::TrainingWork work = network_work({});
    const arch::LinearWork& r = work.linear[4];
    ASSERT_EQ(r.name, "lif3.recurrent");
    ASSERT_GT(r.input.ones(), 0U);
    std::uint64_t wanted = 0, dense = 0;
    for (std::size_t t = 0; t < 4; ++t)
        for (std::size_t b = 0; b < 3; ++b) {
            dense += r.error.ones(t, b) * 12;
            if (t > 0) wanted += r.error.ones(t, b) * work.neurons[2].derivative.ones(t - 1, b);
        }
    for (const std::uint64_t side : {1U, 4U}) {
        const EngineRecord e = run(work, mesh(side, side == 1 ? 1024U : 12U));
        EXPECT_EQ(events(e, "lif3.recurrent", Phase::Forward, &TrainingCounters::ac), r.input.ones() * 12);
        EXPECT_EQ(events(e, "lif3.recurrent", Phase::Backward, &TrainingCounters::mac), wanted);
        EXPECT_EQ(events(run(work, mesh(side, side == 1 ? 1024U : 12U), {S, S, D}), "lif3.recurrent",
                         Phase::Backward, &TrainingCounters::mac),
                  dense);
    }
}

TEST(ManyCoreNetworks, AnnMultipliesEverySynapseOnce) {
    const arch::TrainingWork snn = network_work({}), ann = ann_of(snn, Rectifiers::Populations);
    for (const std::uint64_t side : {1U, 5U}) {
        const EngineRecord r = run(ann, mesh(side, side == 1 ? 1024U : 6U));
        for (const arch::LinearWork& l : snn.linear) {
            const std::uint64_t all = l.shape.synapses() * snn.batch;
            EXPECT_EQ(events(r, l.name, Phase::Forward, &TrainingCounters::mac), all) << l.name;
            EXPECT_EQ(events(r, l.name, Phase::Forward, &TrainingCounters::ac), 0U) << l.name;
            EXPECT_EQ(events(r, l.name, Phase::Backward, &TrainingCounters::mac), l.sends_error ? all : 0U)
                << l.name;
            EXPECT_EQ(events(r, l.name, Phase::WeightGradient, &TrainingCounters::mac), all) << l.name;
        }
        for (const arch::NeuronWork& n : snn.neurons) {
            EXPECT_EQ(events(r, n.name, Phase::Forward, &TrainingCounters::add), n.count * snn.batch)
                << n.name;
            EXPECT_EQ(events(r, n.name, Phase::Backward, &TrainingCounters::add), n.count * snn.batch)
                << n.name;
            EXPECT_EQ(events(r, n.name, Phase::Forward, &TrainingCounters::compare), 0U) << n.name;
        }
        EXPECT_EQ(events(r, "norm1", Phase::Forward, &TrainingCounters::square_root), 4U);
        EXPECT_EQ(events(r, "norm1", Phase::Forward, &TrainingCounters::add),
                  element(snn, "norm1").forward.add / 4);
    }
}

TEST(ManyCoreNetworks, AnnOnArrays) {
    const arch::TrainingWork snn = cells_work(true, {"rect", {}, 0.5}, false);
    const auto engine = make_cim_training_engine(cim_mesh(3), {S, S, S});
    engine->execute(ann_of(snn, Rectifiers::Populations));
    for (const arch::LinearWork& l : snn.linear)
        EXPECT_EQ(events(engine->record(), l.name, Phase::Forward, &TrainingCounters::array_mac),
                  l.shape.synapses() * snn.batch);
    EXPECT_GT(engine->record().cycles, 0U);
}

TEST(ManyCoreNetworks, OnlineUpdatesHappenAtEveryTimestep) {
    arch::TrainingWork work = network_work({});
    work.temporal = false;
    const auto update = [&](std::uint64_t side) {
        ManyCoreEngine engine(mesh(side, side == 1 ? 1024U : 2U), {S, S, S});
        engine.execute(work);
        std::uint64_t writes = 0;
        for (const LayerRecord& l : engine.record().layers) writes += l.phases[3].counts.weight_write;
        return std::pair{writes, engine.network_counters(Phase::WeightUpdate).flit_hops()};
    };
    const auto one = update(1);
    work.updates = work.steps;
    EXPECT_EQ(update(1).first, work.steps * one.first);
    const auto many = update(5);
    EXPECT_GT(many.second, 0U);
    EXPECT_EQ(many.second % work.steps, 0U) << "kernels are exchanged every time";
}

/// The same counts of neurons as an engine with arrays, with every zero.
TEST(ManyCoreNetworks, NeuronsCountAsOnArrays) {
    arch::TrainingWork work = network_work({});
    for (arch::NeuronWork& n : work.neurons)
        n.adaptive = n.filters_current = n.learns_leak = n.scales_input = true;
    for (const bool detach : {false, true})
        for (const arch::SparsityRules& rules : {arch::SparsityRules{S, S, S}, {D, D, D}, {G, G, G}}) {
            work.detach_reset = detach;
            arch::TrainingChip chip = test_chip();
            chip.sparsity = rules;
            chip.schedule.leak_shift = false;
            chip.buffers[0].capacity *= 64, chip.buffers[1].capacity *= 64;
            const auto arrays = make_engine(chip);
            arrays->execute(work);
            for (const std::uint64_t side : {1U, 5U}) {
                const EngineRecord r = run(work, mesh(side, side == 1 ? 1024U : 8U), rules);
                for (const char* name : {"lif1", "lif2", "lif3"})
                    for (const Phase p : {Phase::Forward, Phase::Backward, Phase::WeightUpdate})
                        for (const TrainingEvent e :
                             {&TrainingCounters::add, &TrainingCounters::multiply, &TrainingCounters::mac,
                              &TrainingCounters::mux, &TrainingCounters::compare, &TrainingCounters::shift,
                              &TrainingCounters::lut_read, &TrainingCounters::divide}) {
                            // copies of a trained leak are added up; arrays add recurrent sums to those below
                            if (e == &TrainingCounters::add && p == Phase::WeightUpdate) continue;
                            std::uint64_t want = events(arrays->record(), name, p, e);
                            if (e == &TrainingCounters::add && p == Phase::Forward &&
                                std::string(name) == "lif3")
                                want -= 12 * work.steps * work.batch;
                            EXPECT_EQ(events(r, name, p, e), want)
                                << name << ' ' << kPhaseNames[static_cast<std::size_t>(p)] << ' '
                                << event_name(e);
                        }
            }
        }
}

}  // namespace
}  // namespace loom::training
