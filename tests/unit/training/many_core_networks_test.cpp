// SPDX-License-Identifier: Apache-2.0
// Networks that are no chains on a many-core chip: norms, pooling, sums, recurrent weights, ANN. Operations
// are those of the layers, whatever the placement; times follow from operations and lanes.
#include <gmock/gmock.h>

#include "cores/training/ann.hpp"
#include "sim/base/error.hpp"
#include "sim/learn/layers/add.hpp"
#include "sim/learn/layers/max_pool.hpp"
#include "sim/learn/neurons/make_neurons.hpp"
#include "sim/learn/norms/batch_norm.hpp"
#include "sim/learn/norms/tdbn.hpp"
#include "sim/training_chip/make_engine.hpp"
#include "sim/training_chip/many_core_engine.hpp"
#include "tests/unit/training/chips.hpp"
#include "tests/unit/training/cim_chips.hpp"

namespace loom::training {
namespace {

using arch::ZeroRule;
constexpr ZeroRule S = ZeroRule::Skip, D = ZeroRule::Dense, G = ZeroRule::Gate;

arch::ChipSpec mesh(std::uint64_t side, std::uint64_t kib) {
    arch::ChipSpec chip;
    chip.name = "test";
    chip.noc.size = {side, side};
    chip.core.synapse.memory = kib * 1024 * 8;
    return chip;
}

EngineRecord run(const arch::TrainingWork& work, const arch::ChipSpec& chip,
                 const arch::SparsityRules& rules = {S, S, S}) {
    ManyCoreEngine engine(chip, rules);
    engine.execute(work);
    return engine.record();
}

const LayerRecord& layer(const EngineRecord& r, const std::string& name) {
    for (const LayerRecord& l : r.layers)
        if (l.name == name) return l;
    throw InternalError("no layer " + name);
}
std::uint64_t events(const EngineRecord& r, const std::string& name, Phase phase, Event event) {
    return layer(r, name).phases[static_cast<std::size_t>(phase)].counts[static_cast<std::size_t>(event)];
}

struct Options {
    bool over_time = false;  ///< norms with statistics over time
    bool max_pool = false;
    std::size_t steps = 4, batch = 3;
};

/// conv1 norm1 lif1; conv2 norm2 + shortcut(lif1) lif2; pool flatten; w3 and recurrent weights: lif3.
arch::TrainingWork network_work(const Options& o) {
    using namespace learn;
    const std::shared_ptr<const Surrogate> h = make_surrogate({"rect", {}, 0.5});
    auto network = std::make_unique<Network>(Shape{8, 8, 2});
    const auto add = [&](std::unique_ptr<Layer> layer, const char* name, std::vector<std::uint32_t> from) {
        layer->name = name;
        std::size_t k = 0;
        for (Parameter& p : layer->parameters())
            if (p.name != "gamma" && p.name != "beta")
                for (float& v : p.value) v = 0.3F * static_cast<float>(static_cast<int>(++k * 7919 % 11) - 4);
        return network->add(std::move(layer), std::move(from));
    };
    const Shape map{8, 8, 4};
    const auto norm = [&]() -> std::unique_ptr<Layer> {
        if (o.over_time) return std::make_unique<TdBatchNorm>(map, 1.0F, 1.0F);
        return std::make_unique<BatchNorm>(map);
    };
    std::uint32_t at =
        add(std::make_unique<Conv>(ConvShape{{8, 8, 2}, 4, 3, 3, 1, 1}, false), "conv1", {Network::kInput});
    at = add(norm(), "norm1", {at});
    const std::uint32_t lif1 = add(std::make_unique<Lif>(map, LifSpec{}, h), "lif1", {at});
    at = add(std::make_unique<Conv>(ConvShape{map, 4, 3, 3, 1, 1}, true), "conv2", {lif1});
    at = add(norm(), "norm2", {at});
    const std::uint32_t shortcut =
        add(std::make_unique<Conv>(ConvShape{map, 4, 1, 1, 1, 0}, false), "shortcut", {lif1});
    at = add(std::make_unique<Add>(map, 2), "sum", {at, shortcut});
    at = add(std::make_unique<Lif>(map, LifSpec{}, h), "lif2", {at});
    if (o.max_pool)
        at = add(std::make_unique<MaxPool>(map, 2, 2), "pool", {at});
    else
        at = add(std::make_unique<AveragePool>(map, 2, true), "pool", {at});
    at = add(std::make_unique<Flatten>(Shape{4, 4, 4}), "flatten", {at});
    at = add(std::make_unique<Dense>(64, 12, false), "w3", {at});
    add(make_neurons({1, 1, 12}, {.recurrent = true}, {"rect", {}, 0.5}), "lif3", {at});
    Trainer trainer(std::move(network), make_loss("mse_rate"), make_optimiser({"adam", 0.01}), Schedule{});
    Signal x(o.steps, o.batch, 128);
    std::size_t k = 0;
    for (float& v : x.all()) v = ++k * 2654435761U % 7 < 2 ? 1.0F : 0.0F;
    std::vector<std::int64_t> labels;
    for (std::size_t b = 0; b < o.batch; ++b) labels.push_back(static_cast<std::int64_t>(b));
    trainer.gradients(x, labels);
    return collect_work(trainer);
}

const arch::ElementWork& element(const arch::TrainingWork& work, const std::string& name) {
    for (const arch::ElementWork& e : work.elements)
        if (e.name == name) return e;
    throw InternalError("no layer " + name);
}

TEST(ManyCoreNetworks, ElementWiseLayersDoTheirOperationsWhereverTheyLie) {
    for (const bool over_time : {false, true}) {
        arch::TrainingWork work = network_work({.over_time = over_time});
        for (arch::ElementWork& e : work.elements)  // numbers that no division leaves whole
            if (e.statistics_steps != 0) {
                e.forward_add += 5, e.forward_sums.add += 2, e.forward_statistics.add += 1;
                e.backward_multiply += 11, e.backward_sums.multiply += 3, e.backward_statistics.multiply += 5;
            } else if (e.forward_add != 0) {
                e.forward_add += 7, e.backward_divide += 13;
            }
        for (const std::uint64_t side : {1U, 2U, 5U}) {
            const EngineRecord r = run(work, mesh(side, side == 1 ? 1024U : side == 2 ? 32U : 6U));
            for (const char* name : {"norm1", "norm2", "sum", "pool", "flatten"}) {
                const arch::ElementWork& e = element(work, name);
                const auto forward = [&](Event event) { return events(r, name, Phase::Forward, event); };
                const auto backward = [&](Event event) { return events(r, name, Phase::Backward, event); };
                EXPECT_EQ(forward(Event::Add), e.forward_add) << name;
                EXPECT_EQ(forward(Event::Multiply), e.forward_multiply) << name;
                EXPECT_EQ(forward(Event::Divide), e.forward_divide) << name;
                EXPECT_EQ(forward(Event::SquareRoot), e.forward_sqrt) << name;
                EXPECT_EQ(backward(Event::Add), e.backward_add) << name;
                EXPECT_EQ(backward(Event::Multiply), e.backward_multiply) << name;
                EXPECT_EQ(backward(Event::Divide), e.backward_divide) << name;
                EXPECT_EQ(events(r, name, Phase::WeightUpdate, Event::Multiply),
                          e.parameters * work.update_multiply);
                if (side > 1) continue;  // cycles belong to the core that finishes last
                EXPECT_EQ(layer(r, name).phases[0].cycles > 0, e.forward().all() > 0) << name;
                EXPECT_EQ(layer(r, name).phases[1].cycles > 0, e.backward().all() > 0) << name;
            }
            EXPECT_EQ(events(r, "norm1", Phase::Forward, Event::SquareRoot), over_time ? 4U : 4U * 4);
        }
    }
}

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

/// A dense layer of 16 x 8 without any spike and a norm: forward cycles are barriers, lanes and neurons.
TEST(ManyCoreNetworks, TimeOfANorm) {
    for (const std::size_t window : {1U, 2U, 4U}) {
        arch::TrainingWork work = one_layer(16, 8, 4);
        work.batch = 3;
        for (arch::BitSignal* s : {&work.linear[0].input, &work.linear[0].error, &work.neurons[0].spikes,
                                   &work.neurons[0].error, &work.neurons[0].derivative})
            *s = arch::BitSignal(4, 3, s->count());
        arch::ElementWork norm;
        norm.name = "norm";
        norm.outputs = 8;
        norm.statistics_steps = window;
        const std::uint64_t n = 8 * 12, s = 8 * 4 / window;
        norm.forward_sums = {3 * n, n, 0, 0}, norm.forward_statistics = {5 * s, 4 * s, 3 * s, s};
        norm.forward_add = 5 * n + 5 * s, norm.forward_multiply = 2 * n + 4 * s;
        norm.forward_divide = 3 * s, norm.forward_sqrt = s;
        norm.backward_sums = {3 * n, 2 * n, 0, 0}, norm.backward_statistics = {0, s, 2 * s, 0};
        norm.backward_add = 6 * n, norm.backward_multiply = 5 * n + s, norm.backward_divide = 2 * s;
        work.elements.push_back(norm);
        work.items = {{arch::WorkKind::Linear, 0, {UINT32_MAX}},
                      {arch::WorkKind::Element, 0, {0}},
                      {arch::WorkKind::Neuron, 0, {1}}};
        arch::ChipSpec chip = mesh(1, 64);
        chip.core.dendrite.lanes = 8;
        chip.core.soma.lanes = 4;
        const EngineRecord r = run(work, chip);
        const auto cycles = [&](Phase p) {
            std::uint64_t sum = 0;
            for (const LayerRecord& l : r.layers) sum += l.phases[static_cast<std::size_t>(p)].cycles;
            return sum;
        };
        const std::uint64_t pairs = 12, lag = window * 3, windows = 4 / window;
        const std::uint64_t neurons = 8 / 4 * chip.core.soma.cycles_active, barrier = chip.timestep.latency;
        // 8 channels on 8 lanes: a cycle an operation
        EXPECT_EQ(cycles(Phase::Forward),
                  (pairs + 1 + lag) * barrier + pairs * (4 + 3 + neurons) + windows * 13);
        EXPECT_EQ(cycles(Phase::Backward), (pairs + lag) * barrier + pairs * (5 + 6 + neurons) + windows * 3);
        EXPECT_EQ(layer(r, "norm").phases[0].busy, pairs * 8 * 7 + windows * 8 * 13);
    }
}

TEST(ManyCoreNetworks, PartialSumsOfStatisticsTravel) {
    const arch::TrainingWork work = network_work({});
    arch::TrainingWork still = work;  // no spikes, no errors: only statistics move
    for (arch::LinearWork& l : still.linear) {
        l.input = l.wanted = arch::BitSignal(4, 3, l.shape.inputs());
        l.error = arch::BitSignal(4, 3, l.shape.outputs());
    }
    for (arch::NeuronWork& n : still.neurons)
        n.spikes = n.error = n.derivative = arch::BitSignal(4, 3, n.count);
    arch::TrainingWork plain = still;
    for (arch::ElementWork& e : plain.elements)
        if (e.statistics_steps != 0) {
            arch::ElementWork none;
            none.name = e.name, none.outputs = e.outputs;
            e = none;
        }
    const auto flits = [&](const arch::TrainingWork& w, std::uint64_t side, std::uint64_t kib, Phase phase) {
        ManyCoreEngine engine(mesh(side, kib), {S, S, S});
        engine.execute(w);
        return engine.network_counters(phase).flit_hops();
    };
    for (const Phase phase : {Phase::Forward, Phase::Backward}) {
        EXPECT_EQ(flits(still, 1, 1024, phase), 0U);
        EXPECT_EQ(flits(plain, 5, 6, phase), 0U);
        EXPECT_GT(flits(still, 5, 6, phase), 0U);
    }
}

TEST(ManyCoreNetworks, SpikesThroughAMaximumCountOnce) {
    const arch::TrainingWork work = network_work({.max_pool = true});
    const arch::LinearWork& w3 = work.linear[3];
    ASSERT_EQ(w3.name, "w3");
    ASSERT_TRUE(w3.binary_input);
    ASSERT_GT(work.neurons[1].spikes.ones(), w3.input.ones());
    for (const std::uint64_t side : {1U, 4U}) {
        const arch::ChipSpec chip = mesh(side, side == 1 ? 1024U : 12U);
        EXPECT_EQ(events(run(work, chip), "w3", Phase::Forward, Event::Ac), w3.input.ones() * 12);
        const EngineRecord dense = run(work, chip, {D, S, S}), gate = run(work, chip, {G, S, S});
        EXPECT_EQ(events(dense, "w3", Phase::Forward, Event::Ac), std::uint64_t{64} * 12 * 12);
        EXPECT_EQ(events(gate, "w3", Phase::Forward, Event::Ac), w3.input.ones() * 12);
        EXPECT_EQ(events(gate, "w3", Phase::Forward, Event::Gated),
                  std::uint64_t{64} * 12 * 12 - w3.input.ones() * 12);
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
        EXPECT_EQ(events(e, "lif3.recurrent", Phase::Forward, Event::Ac), r.input.ones() * 12);
        EXPECT_EQ(events(e, "lif3.recurrent", Phase::Backward, Event::Mac), wanted);
        EXPECT_EQ(events(run(work, mesh(side, side == 1 ? 1024U : 12U), {S, S, D}), "lif3.recurrent",
                         Phase::Backward, Event::Mac),
                  dense);
    }
}

TEST(ManyCoreNetworks, AnnMultipliesEverySynapseOnce) {
    const arch::TrainingWork snn = network_work({}), ann = ann_of(snn, Rectifiers::Populations);
    for (const std::uint64_t side : {1U, 5U}) {
        const EngineRecord r = run(ann, mesh(side, side == 1 ? 1024U : 6U));
        for (const arch::LinearWork& l : snn.linear) {
            const std::uint64_t all = l.shape.synapses() * snn.batch;
            EXPECT_EQ(events(r, l.name, Phase::Forward, Event::Mac), all) << l.name;
            EXPECT_EQ(events(r, l.name, Phase::Forward, Event::Ac), 0U) << l.name;
            EXPECT_EQ(events(r, l.name, Phase::Backward, Event::Mac), l.sends_error ? all : 0U) << l.name;
            EXPECT_EQ(events(r, l.name, Phase::WeightGradient, Event::Mac), all) << l.name;
        }
        for (const arch::NeuronWork& n : snn.neurons) {
            EXPECT_EQ(events(r, n.name, Phase::Forward, Event::Add), n.count * snn.batch) << n.name;
            EXPECT_EQ(events(r, n.name, Phase::Backward, Event::Add), n.count * snn.batch) << n.name;
            EXPECT_EQ(events(r, n.name, Phase::Forward, Event::Compare), 0U) << n.name;
        }
        EXPECT_EQ(events(r, "norm1", Phase::Forward, Event::SquareRoot), 4U);
        EXPECT_EQ(events(r, "norm1", Phase::Forward, Event::Add), element(snn, "norm1").forward_add / 4);
    }
}

TEST(ManyCoreNetworks, AnnOnArrays) {
    const arch::TrainingWork snn = cells_work(true, {"rect", {}, 0.5}, false);
    const auto engine = make_cim_training_engine(cim_mesh(3), {S, S, S});
    engine->execute(ann_of(snn, Rectifiers::Populations));
    for (const arch::LinearWork& l : snn.linear)
        EXPECT_EQ(events(engine->record(), l.name, Phase::Forward, Event::ArrayMac),
                  l.shape.synapses() * snn.batch);
    EXPECT_GT(engine->record().cycles, 0U);
}

TEST(ManyCoreNetworks, StatisticsKeepTheWholeMinibatch) {
    arch::TrainingWork work = network_work({});
    const auto peak = [&] { return run(work, mesh(1, 1024)).memory[0].peak_bits; };
    const std::uint64_t all = peak();
    for (arch::ElementWork& e : work.elements) e.statistics_steps = 0;
    const std::uint64_t one = peak();
    const std::uint64_t neurons = 2 * 256 + 12, pairs = 12, around = 2 * 256 * (16 + 16) * pairs;
    std::uint64_t inputs = 0;
    for (const arch::LinearWork& l : work.linear) inputs += l.shape.inputs() * (l.binary_input ? 1 : 16);
    EXPECT_EQ(all - one, (neurons * (1 + 16 + 16) + inputs) * (pairs - 4) + around + 2 * 4 * 6 * 32);
}

TEST(ManyCoreNetworks, RefusesNormsThatItCannotPlaceAndMatricesWithoutNeurons) {
    const arch::TrainingWork work = network_work({});
    const auto refused = [](const arch::TrainingWork& w) {
        try {
            run(w, mesh(1, 1024));
        } catch (const UnsupportedError& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    arch::TrainingWork twice = work;
    element(twice, "sum");
    for (arch::ElementWork& e : twice.elements)
        if (e.name == "sum") e.statistics_steps = 1;
    EXPECT_THAT(refused(twice), ::testing::HasSubstr("norm norm2"));
    arch::TrainingWork open = work;
    open.items.pop_back();
    open.neurons.pop_back();
    EXPECT_THAT(refused(open), ::testing::HasSubstr("matrix w3"));
}

TEST(ManyCoreNetworks, OnlineUpdatesHappenAtEveryTimestep) {
    arch::TrainingWork work = network_work({});
    work.temporal = false;
    const auto update = [&](std::uint64_t side) {
        ManyCoreEngine engine(mesh(side, side == 1 ? 1024U : 2U), {S, S, S});
        engine.execute(work);
        std::uint64_t writes = 0;
        for (const LayerRecord& l : engine.record().layers)
            writes += l.phases[3].counts[static_cast<std::size_t>(Event::WeightWrite)];
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
                        for (const Event e : {Event::Add, Event::Multiply, Event::Mac, Event::Mux,
                                              Event::Compare, Event::Shift, Event::LutRead, Event::Divide}) {
                            // copies of a trained leak are added up; arrays add recurrent sums to those below
                            if (e == Event::Add && p == Phase::WeightUpdate) continue;
                            std::uint64_t want = events(arrays->record(), name, p, e);
                            if (e == Event::Add && p == Phase::Forward && std::string(name) == "lif3")
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
