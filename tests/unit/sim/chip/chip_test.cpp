// SPDX-License-Identifier: Apache-2.0
// The chip as a whole on tiny programs built by hand: barrier cost, host injection, drain, watchdog.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "tests/unit/sim/chip/one_neuron.hpp"

namespace loom {
namespace {

TEST(Barrier, CostsItsLatencyPerTimestepAndTile) {
    for (const Cycles barrier : {1u, 8u, 1000u}) {
        const arch::ChipSpec spec = spec_of(barrier, 11);
        const arch::Program program = one_neuron(1, 5);
        chip::ChipModel model(spec, program, {}, 6);
        PlainLoop loop(model.scheduler());
        const auto t = model.run_sample(loop, Input(0), {});
        // 7 chip timesteps; the neuron is idle in the first, then sweeps in latency + cycles_inactive
        EXPECT_EQ(model.barrier(), barrier + 11);
        EXPECT_EQ(t.barrier_cycles, 7 * (barrier + 11));
        EXPECT_EQ(t.cycles, 9 + 7 * (barrier + 11) + 6 * (4 + 3));
        ASSERT_EQ(t.steps.size(), 7u);
        EXPECT_EQ(t.steps[0].cycles, barrier + 11);
        EXPECT_EQ(t.steps[1].cycles, barrier + 11 + 7);
    }
}

TEST(Host, InjectsOnePacketPerInterval) {
    arch::ChipSpec spec = spec_of(1, 0);
    spec.io.interval = 50;
    const arch::Program program = one_neuron(4, 0);
    chip::ChipModel model(spec, program, {}, 1);
    PlainLoop loop(model.scheduler());
    const auto t = model.run_sample(loop, Input(4), {});
    // first packet leaves 1 after the start, the last 150 later; then way, look-up, read latency, one group
    const Cycles way = model.network().zero_load_latency(EndpointId{16}, EndpointId{0}, 1);
    EXPECT_EQ(t.steps[0].cycles, 1 + 150 + way + 1 + 1 + 1 + model.barrier());
    EXPECT_EQ(model.host_packets(), 4u);
    EXPECT_EQ(model.input_events(), 4u);
}

TEST(Chip, InputCountsInTheNextTimestepAndStateIsClearedBetweenSamples) {
    const arch::ChipSpec spec = spec_of(3, 0);
    const arch::Program program = one_neuron(4, 15);
    chip::ChipModel model(spec, program, {}, 3);
    PlainLoop loop(model.scheduler());
    std::vector<chip::SampleTiming> runs;
    for (int i = 0; i < 2; ++i) {
        std::vector<double> v, layer;
        runs.push_back(model.run_sample(loop, Input(3), [&](Step step) {
            model.read_layer(LayerId{1}, chip::ChipModel::Quantity::Membrane, layer);
            if (model.algorithmic_step(LayerId{1}, step) >= 0) v.push_back(layer[0]);
        }));
        EXPECT_THAT(v, ::testing::ElementsAre(3, 6, 9));
    }
    EXPECT_EQ(runs[0].cycles, runs[1].cycles);
    EXPECT_EQ(model.scheduler().next(), kNever);
}

TEST(Chip, APacketForNobodyIsAFault) {
    const arch::ChipSpec spec = spec_of(3, 0);
    arch::Program program = one_neuron(1, 0);
    program.input_fanout.entries[0].core = EndpointId{3};
    chip::ChipModel model(spec, program, {}, 2);
    PlainLoop loop(model.scheduler());
    EXPECT_THROW(model.run_sample(loop, Input(1), {}), ModelError);
}

TEST(Chip, WatchdogNamesWhatIsStuck) {
    const arch::ChipSpec spec = spec_of(3, 0);
    const arch::Program program = one_neuron(1, 0);
    chip::ChipModel model(spec, program, {}, 2);
    model.watch(1'000'000, 10);  // nothing outstanding: no complaint
    EXPECT_EQ(model.routers_in_use(), 1u);
}

}  // namespace
}  // namespace loom
