// SPDX-License-Identifier: Apache-2.0
// Norms, pooling and sums on a many-core chip: operations are those of the layers, whatever the placement;
// times follow from operations and lanes.
#include <gmock/gmock.h>

#include "tests/unit/training/cim_chips.hpp"
#include "tests/unit/training/many_core_networks.hpp"

namespace loom::training {
namespace {

TEST(ManyCoreElements, SharesOfNumbersBeyond32Bits) {
    constexpr std::uint64_t g = 1'000'000'000;
    EXPECT_EQ(part_of(15 * g, 0, 10 * g, 20 * g), 7 * g + g / 2);
    EXPECT_EQ(part_of(15 * g + 1, 10 * g, 10 * g, 20 * g), 7 * g + g / 2 + 1);
    EXPECT_EQ(part_of(7, 0, 1, 3) + part_of(7, 1, 1, 3) + part_of(7, 2, 1, 3), 7U);
}

TEST(ManyCoreElements, ElementWiseLayersDoTheirOperationsWhereverTheyLie) {
    for (const bool over_time : {false, true}) {
        arch::TrainingWork work = network_work({.over_time = over_time});
        for (arch::ElementWork& e : work.elements)  // numbers that no division leaves whole
            if (e.statistics_steps != 0) {
                e.forward.add += 5, e.forward_sums.add += 2, e.forward_statistics.add += 1;
                e.backward.multiply += 11, e.backward_sums.multiply += 3, e.backward_statistics.multiply += 5;
            } else if (e.forward.add != 0) {
                e.forward.add += 7, e.backward.divide += 13;
            }
        for (const std::uint64_t side : {1U, 2U, 5U}) {
            const EngineRecord r = run(work, mesh(side, side == 1 ? 1024U : side == 2 ? 32U : 6U));
            for (const char* name : {"norm1", "norm2", "sum", "pool", "flatten"}) {
                const arch::ElementWork& e = element(work, name);
                const auto forward = [&](TrainingEvent event) {
                    return events(r, name, Phase::Forward, event);
                };
                const auto backward = [&](TrainingEvent event) {
                    return events(r, name, Phase::Backward, event);
                };
                EXPECT_EQ(forward(&TrainingCounters::add), e.forward.add) << name;
                EXPECT_EQ(forward(&TrainingCounters::multiply), e.forward.multiply) << name;
                EXPECT_EQ(forward(&TrainingCounters::divide), e.forward.divide) << name;
                EXPECT_EQ(forward(&TrainingCounters::square_root), e.forward.sqrt) << name;
                EXPECT_EQ(backward(&TrainingCounters::add), e.backward.add) << name;
                EXPECT_EQ(backward(&TrainingCounters::multiply), e.backward.multiply) << name;
                EXPECT_EQ(backward(&TrainingCounters::divide), e.backward.divide) << name;
                EXPECT_EQ(events(r, name, Phase::WeightUpdate, &TrainingCounters::multiply),
                          e.parameters * work.update_multiply);
                if (side > 1) continue;  // cycles belong to the core that finishes last
                EXPECT_EQ(layer(r, name).phases[0].cycles > 0, e.forward.all() > 0) << name;
                EXPECT_EQ(layer(r, name).phases[1].cycles > 0, e.backward.all() > 0) << name;
            }
            EXPECT_EQ(events(r, "norm1", Phase::Forward, &TrainingCounters::square_root),
                      over_time ? 4U : 4U * 4);
        }
    }
}

/// Blocks whose share of the operations is none have moved their share of the values all the same.
TEST(ManyCoreElements, PoolsMoveTheirValuesWhereverTheyLie) {
    arch::TrainingWork work = network_work({});
    const std::uint64_t pairs = work.steps * work.batch;
    for (arch::ElementWork& e : work.elements)
        if (e.name == "pool") e.forward.add = 5;
    ASSERT_FALSE(work.linear[3].binary_input);
    for (const std::uint64_t side : {1U, 2U, 5U}) {
        const EngineRecord r = run(work, mesh(side, side == 1 ? 1024U : side == 2 ? 32U : 6U));
        EXPECT_EQ(events(r, "pool", Phase::Forward, &TrainingCounters::add), 5U);
        EXPECT_EQ(events(r, "pool", Phase::Forward, &TrainingCounters::spike_read), pairs * 256) << side;
        EXPECT_EQ(events(r, "pool", Phase::Forward, &TrainingCounters::spike_write), pairs * 64 * 16) << side;
    }
}

/// A dense layer of 16 x 8 without any spike and a norm: forward cycles are barriers, lanes and neurons.
TEST(ManyCoreElements, TimeOfANorm) {
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
        norm.forward.add = 5 * n + 5 * s, norm.forward.multiply = 2 * n + 4 * s;
        norm.forward.divide = 3 * s, norm.forward.sqrt = s;
        norm.backward_sums = {3 * n, 2 * n, 0, 0}, norm.backward_statistics = {0, s, 2 * s, 0};
        norm.backward.add = 6 * n, norm.backward.multiply = 5 * n + s, norm.backward.divide = 2 * s;
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

TEST(ManyCoreElements, PartialSumsOfStatisticsTravel) {
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

TEST(ManyCoreElements, SpikesThroughAMaximumCountOnce) {
    const arch::TrainingWork work = network_work({.max_pool = true});
    const arch::LinearWork& w3 = work.linear[3];
    ASSERT_EQ(w3.name, "w3");
    ASSERT_TRUE(w3.binary_input);
    ASSERT_GT(work.neurons[1].spikes.ones(), w3.input.ones());
    for (const std::uint64_t side : {1U, 4U}) {
        const arch::ChipSpec chip = mesh(side, side == 1 ? 1024U : 12U);
        EXPECT_EQ(events(run(work, chip), "w3", Phase::Forward, &TrainingCounters::ac), w3.input.ones() * 12);
        const EngineRecord dense = run(work, chip, {D, S, S}), gate = run(work, chip, {G, S, S});
        EXPECT_EQ(events(dense, "w3", Phase::Forward, &TrainingCounters::ac), std::uint64_t{64} * 12 * 12);
        EXPECT_EQ(events(gate, "w3", Phase::Forward, &TrainingCounters::ac), w3.input.ones() * 12);
        EXPECT_EQ(events(gate, "w3", Phase::Forward, &TrainingCounters::gated),
                  std::uint64_t{64} * 12 * 12 - w3.input.ones() * 12);
    }
}

/// Membranes behind a mean are one value each, which is multiplied once.
TEST(ManyCoreElements, PooledMembranesAreMultipliedOnce) {
    using namespace learn;
    auto network = std::make_unique<Network>(Shape{4, 4, 2});
    const auto add = [&](std::unique_ptr<Layer> layer, const char* name, std::uint32_t from) {
        layer->name = name;
        float k = 0;
        for (Parameter& p : layer->parameters())
            for (float& v : p.value) v = 0.25F + (k += 0.125F);
        return network->add(std::move(layer), {from});
    };
    const std::shared_ptr<const Surrogate> h = make_surrogate({"rect", {}, 0.5});
    LifSpec li;
    li.fires = false;
    const Shape map{4, 4, 2}, pooled{2, 2, 2};
    std::uint32_t at = add(std::make_unique<Conv>(learn::conv_shape(map, 2, arch::square_window(1)), false),
                           "w1", Network::kInput);
    at = add(std::make_unique<Lif>(map, li, h), "li", at);
    at = add(std::make_unique<AveragePool>(map, arch::square_window(2, 2), true), "pool", at);
    at = add(std::make_unique<Conv>(learn::conv_shape(pooled, 3, arch::square_window(1)), false), "w2", at);
    add(std::make_unique<Lif>(Shape{2, 2, 3}, li, h), "out", at);
    Trainer trainer(std::move(network), make_loss("mse_rate"), make_optimiser({"sgd", 0.01}), Schedule{});
    Signal x(2, 2, 32);
    x.at(0, 0)[0] = x.at(0, 1)[9] = x.at(1, 1)[20] = 1;
    trainer.gradients(x, std::vector<std::int64_t>{0, 1});
    const arch::TrainingWork work = collect_work(trainer);
    const arch::LinearWork& w2 = work.linear[1];
    ASSERT_FALSE(w2.binary_input);
    for (const std::uint64_t side : {1U, 3U}) {
        const arch::ChipSpec chip = mesh(side, side == 1 ? 1024U : 1U);
        const auto macs = [&](const arch::SparsityRules& rules) {
            return events(run(work, chip, rules), "w2", Phase::Forward, &TrainingCounters::mac);
        };
        EXPECT_EQ(macs({S, S, S}), w2.input.ones() * 3);
        EXPECT_EQ(macs({G, S, S}), w2.input.ones() * 3);
        EXPECT_EQ(macs({D, S, S}), 4U * 8 * 3);
    }
}

/// More neurons in a window than 16 bits count; zeros are sent, so all of them are waited for.
TEST(ManyCoreElements, AMaximumOfAWholeMap) {
    constexpr std::size_t kSide = 192, kNeurons = kSide * kSide;
    arch::TrainingWork work = one_layer(1, 2, 1);
    arch::TrainingWork map = one_layer(1, 1, 1);
    arch::LinearWork& first = map.linear[0];
    first.name = "map";
    first.shape.in_h = first.shape.in_w = first.shape.out_h = first.shape.out_w = kSide;
    map.neurons[0].count = kNeurons;
    for (arch::BitSignal* bits : {&first.input, &first.error, &map.neurons[0].spikes, &map.neurons[0].error,
                                  &map.neurons[0].derivative})
        *bits = arch::BitSignal(1, 1, kNeurons);
    arch::ElementWork pool;
    pool.name = "pool";
    pool.move = arch::ElementMove::Pool;
    pool.in_h = pool.in_w = kSide;
    pool.window = arch::square_window(kSide, kSide);
    pool.outputs = 1, pool.forward.add = kNeurons - 1;
    work.linear.insert(work.linear.begin(), first);
    work.neurons.insert(work.neurons.begin(), map.neurons[0]);
    work.elements.push_back(pool);
    work.items = {{arch::WorkKind::Linear, 0, {UINT32_MAX}},
                  {arch::WorkKind::Neuron, 0, {0}},
                  {arch::WorkKind::Element, 0, {1}},
                  {arch::WorkKind::Linear, 1, {2}},
                  {arch::WorkKind::Neuron, 1, {3}}};
    arch::ChipSpec chip = mesh(1, 4096);
    chip.core.soma.max_neurons = kNeurons + 2;
    EXPECT_EQ(events(run(work, chip, {D, S, S}), "w", Phase::Forward, &TrainingCounters::ac), 2U);
    const EngineRecord gate = run(work, chip, {G, S, S});
    EXPECT_EQ(events(gate, "w", Phase::Forward, &TrainingCounters::gated), 2U);
}

TEST(ManyCoreElements, StatisticsKeepTheWholeMinibatch) {
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

TEST(ManyCoreElements, RefusesNormsThatItCannotPlaceAndMatricesWithoutNeurons) {
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

}  // namespace
}  // namespace loom::training
