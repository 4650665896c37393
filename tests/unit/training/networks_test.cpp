// SPDX-License-Identifier: Apache-2.0
// Networks that are no chains: residual sums, norms, recurrent weights, pooling, ANN; and engines side by
// side.
#include <gmock/gmock.h>

#include "tests/unit/training/chips.hpp"
#include "tests/unit/training/random_work.hpp"
#include "training/accelerator/ann.hpp"
#include "training/accelerator/make_engine.hpp"

namespace loom::training {
namespace {

using arch::WorkKind;

EngineRecord run(const arch::TrainingWork& work, const arch::TrainingChip& chip, std::size_t steps = 1) {
    const auto engine = make_engine(chip);
    for (std::size_t i = 0; i < steps; ++i) engine->execute(work);
    return engine->record();
}
std::uint64_t events(const EngineRecord& r, Phase p, TrainingEvent e) {
    std::uint64_t n = 0;
    for (const LayerRecord& l : r.layers) n += l.phases[static_cast<std::size_t>(p)].counts[e];
    return n;
}
std::uint64_t held(const EngineRecord& r) {
    std::uint64_t n = 0;
    for (const LayerRecord& l : r.layers)
        for (const PhaseRecord& p : l.phases) n += p.cycles;
    return n;
}

/// w1 -> lif1 -> w2 -> norm -> lif2 <- lif1 (skip) ; w3 -> lif3
arch::TrainingWork residual() {
    arch::TrainingWork w =
        random_chain({conv_shape(8, 3, 16), conv_shape(8, 16, 16), conv_shape(8, 16, 8)}, {});
    arch::ElementWork norm;
    norm.name = "norm";
    norm.outputs = 8 * 8 * 16;
    norm.parameters = 32;
    norm.statistics_steps = 1;
    norm.forward.add = norm.forward.multiply = 2 * norm.outputs * w.steps * w.batch;
    norm.backward.add = norm.backward.multiply = 3 * norm.outputs * w.steps * w.batch;
    norm.forward.sqrt = norm.forward.divide = 16;
    w.elements.push_back(norm);
    w.items = {{WorkKind::Linear, 0, {UINT32_MAX}}, {WorkKind::Neuron, 0, {0}},    {WorkKind::Linear, 1, {1}},
               {WorkKind::Element, 0, {2}},         {WorkKind::Neuron, 1, {3, 1}}, {WorkKind::Linear, 2, {4}},
               {WorkKind::Neuron, 2, {5}}};
    return w;
}

/// A population with weights to itself.
arch::TrainingWork recurrent() {
    arch::TrainingWork w = random_network({40, 32}, {});
    arch::LinearWork r;
    r.name = "recurrent";
    r.shape.in_c = r.shape.out_c = 32;
    r.input = random_bits({}, 32, 0.2, 70);
    r.error = w.linear[0].error;
    r.wanted = w.neurons[0].derivative;
    w.linear.push_back(r);
    w.items = {
        {WorkKind::Linear, 0, {UINT32_MAX}}, {WorkKind::Linear, 1, {2}}, {WorkKind::Neuron, 0, {0, 1}}};
    return w;
}

std::vector<arch::TrainingChip> chips() {
    std::vector<arch::TrainingChip> all;
    for (const char* kind : {"sata", "h2learn", "mac_array"})
        for (const auto order : {arch::LoopOrder::Time, arch::LoopOrder::Layer}) {
            arch::TrainingChip chip = test_chip(kind);
            chip.schedule.order = order;
            all.push_back(chip);
            if (order == arch::LoopOrder::Layer && chip.kind == "sata") {
                chip.schedule.keep = arch::KeepRule::Recompute;
                all.push_back(chip);
            }
        }
    return all;
}

TEST(TrainingNetworks, ResidualWithNorm) {
    const arch::TrainingWork work = residual();
    for (const arch::TrainingChip& chip : chips()) {
        const EngineRecord r = run(work, chip);
        const PhaseRecord& norm = r.layers[3].phases[0];
        EXPECT_EQ(r.layers[3].name, "norm");
        const bool again = chip.schedule.keep == arch::KeepRule::Recompute;
        EXPECT_EQ(norm.counts.multiply, work.elements[0].forward.multiply);
        EXPECT_EQ(r.layers[3].phases[1].counts.multiply,
                  work.elements[0].backward.multiply + (again ? work.elements[0].forward.multiply : 0));
        EXPECT_EQ(r.layers[3].phases[3].counts.weight_write, 32U);
        EXPECT_EQ(norm.counts.square_root, 16U);
        if (r.units.size() == 1) {
            EXPECT_EQ(held(r), r.cycles);
        }
    }
}

TEST(TrainingNetworks, StatisticsTakeTheWholeMinibatchAndKeepTheirInputs) {
    arch::TrainingWork work = residual();
    arch::TrainingChip chip = test_chip();
    chip.schedule.batch_block = 1;
    chip.buffers[0].capacity = 4096;  // all but tiles is in DRAM
    chip.buffers[3].capacity *= 16;
    const EngineRecord r = run(work, chip);
    EXPECT_EQ(r.batch_block, 4U);
    const std::uint64_t n = 8 * 8 * 16 * 4 * 4;
    const auto event = [&](std::size_t layer, std::size_t phase, TrainingEvent e) {
        return r.layers[layer].phases[phase].counts[e];
    };
    EXPECT_EQ(event(3, 0, &TrainingCounters::membrane_read), 2 * n);
    EXPECT_EQ(event(3, 0, &TrainingCounters::membrane_write), n);
    EXPECT_EQ(event(3, 1, &TrainingCounters::membrane_read), 2 * n);
    EXPECT_EQ(event(3, 1, &TrainingCounters::error_read), 2 * n);
    EXPECT_EQ(event(3, 1, &TrainingCounters::error_write), n);
    EXPECT_EQ(event(3, 1, &TrainingCounters::dram_read), 2 * n);  // the sums before the norm, 16 bits
    // Over time: a layer's timesteps before the next layer, and nothing without their sums.
    work.elements[0].statistics_steps = work.steps;
    const EngineRecord time = run(work, chip);
    EXPECT_EQ(time.batch_block, 4U);
    EXPECT_GE(time.memory[0].spilled_bits, n * 16);
    arch::TrainingWork both = recurrent();
    both.elements.push_back(work.elements[0]);
    EXPECT_ANY_THROW(run(both, chip));
}

TEST(TrainingNetworks, Recurrent) {
    const arch::TrainingWork work = recurrent();
    for (const arch::TrainingChip& chip : chips()) {
        if (chip.schedule.keep == arch::KeepRule::Recompute) {
            EXPECT_ANY_THROW(run(work, chip));
            continue;
        }
        const EngineRecord r = run(work, chip);
        const auto ac = [&](std::size_t layer, Phase p) {
            const TrainingCounters& c = r.layers[layer].phases[static_cast<std::size_t>(p)].counts;
            return c.ac + c.mac;
        };
        const std::uint64_t dense = work.steps * work.batch * 32 * 32;
        EXPECT_EQ(ac(1, Phase::Forward), chip.kind == "mac_array" ? dense : work.linear[1].input.ones() * 32);
        EXPECT_GT(ac(1, Phase::Backward), 0U);
        EXPECT_GT(ac(1, Phase::WeightGradient), 0U);
    }
}

TEST(TrainingNetworks, ErrorsThroughRecurrentWeightsWaitATimestep) {
    arch::TrainingChip chip = test_chip();
    chip.buffers[3].capacity = 2 * 32 * 16 + 8;  // two tiles; errors of a timestep are spilled
    chip.schedule.batch_block = 4;
    const EngineRecord r = run(recurrent(), chip);
    const auto dram = [&](std::size_t layer, TrainingEvent e) { return r.layers[layer].phases[1].counts[e]; };
    const std::uint64_t bytes = 32 * 4 * 2;
    EXPECT_EQ(dram(1, &TrainingCounters::dram_write), 3 * bytes);  // not at the first timestep
    EXPECT_EQ(dram(1, &TrainingCounters::dram_read), 4 * bytes);
    EXPECT_EQ(dram(2, &TrainingCounters::dram_write), 4 * bytes);
    EXPECT_EQ(dram(2, &TrainingCounters::dram_read), 7 * bytes);  // what comes back, and g[t + 1]
}

TEST(TrainingNetworks, OnlineUpdatesHappenAtEveryTimestep) {
    for (arch::TrainingChip chip : chips()) {
        if (chip.schedule.keep == arch::KeepRule::Recompute) continue;
        arch::TrainingWork work = random_network({64, 48, 10}, {});
        work.temporal = false;
        const std::uint64_t once =
            events(run(work, chip), Phase::WeightUpdate, &TrainingCounters::weight_write);
        work.updates = work.steps;
        EXPECT_EQ(events(run(work, chip), Phase::WeightUpdate, &TrainingCounters::weight_write),
                  work.steps * once);
        EXPECT_EQ(once, 64U * 48 + 480);
    }
}

TEST(TrainingNetworks, EnginesSideBySideOverlap) {
    arch::TrainingChip chip = test_chip("h2learn");
    for (auto& b : chip.buffers) b.capacity *= 16, b.banks = 256;
    const arch::TrainingWork work =
        random_chain({conv_shape(8, 16, 32), conv_shape(8, 32, 32)}, {.batch = 8});
    const EngineRecord piped = run(work, chip);
    EXPECT_EQ(piped.batch_block, 2U);
    EXPECT_LT(piped.cycles * 10, held(piped) * 7);
    chip.schedule.batch_block = 8;  // nothing to do for the forward engine while errors go back
    const EngineRecord alone = run(work, chip);
    EXPECT_GT(alone.cycles, piped.cycles);
}

TEST(TrainingNetworks, AnnOfTheSameShape) {
    const arch::TrainingWork snn = random_chain({conv_shape(8, 3, 16), conv_shape(8, 16, 16, 2)}, {});
    const arch::TrainingWork ann = ann_of(snn);
    const arch::TrainingChip chip = test_chip("mac_array");
    const EngineRecord s = run(snn, chip), a = run(ann, chip);
    for (const Phase p : {Phase::Forward, Phase::Backward, Phase::WeightGradient}) {
        EXPECT_EQ(events(s, p, &TrainingCounters::mac), snn.steps * events(a, p, &TrainingCounters::mac));
        EXPECT_EQ(events(a, p, &TrainingCounters::ac), 0U);
    }
    std::uint64_t synapses = 0;
    for (const arch::LinearWork& l : snn.linear) synapses += l.shape.synapses();
    EXPECT_EQ(events(a, Phase::Forward, &TrainingCounters::mac), synapses * snn.batch);
    EXPECT_LT(a.cycles * 2, s.cycles);
    EXPECT_EQ(events(a, Phase::Forward, &TrainingCounters::spike_write), 16U * 64 * 4 * 16);
}

TEST(TrainingNetworks, AResumedRunExecutesAsOneThatWasNot) {
    const arch::TrainingWork work = residual();
    const auto whole = make_engine(test_chip()), resumed = make_engine(test_chip());
    whole->execute(work);
    const std::uint64_t first = whole->record().cycles;
    resumed->resume(whole->record());
    whole->execute(work);
    resumed->execute(work);
    EXPECT_EQ(resumed->record().cycles, whole->record().cycles);
    EXPECT_LT(resumed->record().cycles, 2 * first);
    for (std::size_t l = 0; l < whole->record().layers.size(); ++l)
        for (std::size_t p = 0; p < kPhases; ++p)
            EXPECT_EQ(resumed->record().layers[l].phases[p].counts,
                      whole->record().layers[l].phases[p].counts);
}

TEST(TrainingNetworks, StepsAddUp) {
    const arch::TrainingWork work = residual();
    const EngineRecord one = run(work, test_chip()), three = run(work, test_chip(), 3);
    EXPECT_EQ(three.steps, 3U);
    EXPECT_EQ(three.samples, 3 * work.batch);
    EXPECT_EQ(events(three, Phase::Forward, &TrainingCounters::ac),
              3 * events(one, Phase::Forward, &TrainingCounters::ac));
    EXPECT_EQ(held(three), three.cycles);
    EXPECT_EQ(three.memory[0].peak_bits, one.memory[0].peak_bits);
    ASSERT_FALSE(three.memory_over_time.empty());
    std::uint64_t most = 0, last = 0;
    for (const MemoryPoint& m : three.memory_over_time) {
        EXPECT_GE(m.cycle, last);
        last = m.cycle;
        if (m.buffer == 0) most = std::max(most, m.bits);
    }
    EXPECT_LE(last, three.cycles);
    EXPECT_GT(most, three.memory[0].peak_bits / 2);
    EXPECT_LE(most, three.memory[0].peak_bits);
}

}  // namespace
}  // namespace loom::training
