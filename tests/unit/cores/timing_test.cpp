// SPDX-License-Identifier: Apache-2.0
// The laws of docs/concepts/timing-model.md, with the numbers worked out by hand.
#include <gtest/gtest.h>

#include "core_fixture.hpp"

namespace loom {
namespace {

using testing::CoreFixture;

/// 16 neurons, 8-bit weights, 64-bit words: a row is 2 words; 8 lanes: 2 groups.
CoreFixture row_fixture() {
    CoreFixture f(4, 16);
    f.spec.core.axon_in.lookup = 1;
    f.spec.core.synapse.word = 64;
    f.spec.core.synapse.ports = 1;
    f.spec.core.synapse.read_latency = 1;
    f.spec.core.dendrite.lanes = 8;
    f.spec.core.dendrite.interval = 1;
    f.spec.core.dendrite.ports = 2;
    return f;
}

TEST(RowTiming, OneRow) {
    CoreFixture f = row_fixture();
    f.build();
    f.peer->send(10, 0);
    // sent 10, visible 11; look-up 1 + read latency 1 -> accumulators from 13; max(2 words, 2 groups) = 2
    EXPECT_EQ(f.drain(), 15u);
    EXPECT_EQ(f.counters().words_read, 2u);
    EXPECT_EQ(f.counters().accumulator_accesses, 2u);
    EXPECT_EQ(f.counters().ac, 16u);
    EXPECT_EQ(f.counters().synapse_busy, 3u);
    EXPECT_EQ(f.counters().dendrite_busy, 2u);
    EXPECT_EQ(f.counters().axon_lookups, 1u);
}

TEST(RowTiming, SlowLanesDominate) {
    CoreFixture f = row_fixture();
    f.spec.core.dendrite.lanes = 1;
    f.spec.core.dendrite.interval = 35;
    f.build();
    f.peer->send(10, 0);
    EXPECT_EQ(f.drain(), 13u + 16 * 35);
}

TEST(RowTiming, WideMemoryPortsAndLookup) {
    CoreFixture f = row_fixture();
    f.spec.core.axon_in.lookup = 5;
    f.spec.core.synapse.word = 8;   // 16 words
    f.spec.core.synapse.ports = 3;  // ceil(16 / 3) = 6 cycles
    f.spec.core.synapse.read_latency = 4;
    f.build();
    f.peer->send(10, 0);
    EXPECT_EQ(f.drain(), 11u + 5 + 4 + 6);
    EXPECT_EQ(f.counters().words_read, 16u);
    EXPECT_EQ(f.counters().synapse_busy, 11u);
}

TEST(RowTiming, RowsOverlap) {
    CoreFixture f = row_fixture();
    f.build();
    for (std::uint32_t a = 0; a < 3; ++a) f.peer->send(10, a);
    // rows enter at 11, 14, 17 (look-up + 2 words = 3 each), the last is done 4 after its entry
    EXPECT_EQ(f.drain(), 21u);
    EXPECT_EQ(f.counters().dendrite_stalls, 0u);
}

TEST(RowTiming, AccumulatorsHoldUpTheNextRow) {
    CoreFixture f = row_fixture();
    f.spec.core.dendrite.lanes = 1;  // 16 cycles per row against 3 of fetch
    f.build();
    for (std::uint32_t a = 0; a < 3; ++a) f.peer->send(10, a);
    EXPECT_EQ(f.drain(), 13u + 3 * 16);
    EXPECT_GT(f.counters().dendrite_stalls, 0u);
}

TEST(RowTiming, OnePortTakesTwoCyclesAndWaitsForTheSweep) {
    CoreFixture f = row_fixture();
    f.spec.core.dendrite.ports = 1;
    f.spec.core.soma.lanes = 1;
    f.spec.core.soma.cycles_active = f.spec.core.soma.cycles_inactive = 3;
    f.spec.core.soma.latency = 1;
    f.build();
    f.scheduler.wake(f.core_id, 10);
    f.scheduler.run_next();
    f.core->begin_step(10, 0);
    f.peer->send(11, 0);
    // sweep: 16 * 3 = 48 cycles, until 58; then 2 groups * 2 cycles
    EXPECT_EQ(f.drain(), 62u);
    EXPECT_EQ(f.counters().dendrite_busy, 4u);
    EXPECT_EQ(f.counters().dendrite_stalls, 58u - 14u);
}

TEST(RowTiming, SparseRowsCarryIndices) {
    CoreFixture f = row_fixture();
    arch::SparseRows rows;
    rows.row = {0, 5};
    rows.target = {1, 3, 5, 7, 9};
    f.axons().rows = rows;
    f.axons().count = 1;
    f.build();
    f.peer->send(10, 0);
    f.drain();
    EXPECT_EQ(f.counters().words_read, 2u);  // 5 * (8 + 10) = 90 bits
    EXPECT_EQ(f.counters().accumulator_accesses, 1u);
    EXPECT_EQ(f.counters().ac, 5u);
}

TEST(SomaTiming, SweepCountsActiveAndInactiveGroups) {
    CoreFixture f(1, 10);
    f.spec.core.soma.lanes = 4;  // groups of 4, 4, 2
    f.spec.core.soma.cycles_active = 8;
    f.spec.core.soma.cycles_inactive = 5;
    f.spec.core.soma.latency = 2;
    std::vector<double> weights(10, 0.0);
    weights[9] = 1;  // only the last group gets input
    f.dense(1, weights);
    f.build();
    f.peer->send(5, 0);
    f.drain();
    const Cycle now = f.scheduler.now();
    f.core->begin_step(now, 1);
    EXPECT_EQ(f.drain(), now + 2 + 5 + 5 + 8);
    EXPECT_EQ(f.counters().updates_active, 1u);
    EXPECT_EQ(f.counters().updates_inactive, 9u);
    EXPECT_EQ(f.counters().soma_busy, 18u);
}

/// All neurons fire in step 0 (bias above the threshold).
CoreFixture firing_fixture(std::uint32_t neurons, std::uint32_t entries) {
    CoreFixture f(1, neurons);
    f.neurons().parameters["bias"].i = {2};
    f.neurons().parameters["threshold"].i = {1};
    f.spec.core.soma.lanes = 1;
    f.spec.core.soma.cycles_active = 10;
    f.spec.core.soma.latency = 3;
    f.spec.core.axon_out.entry_interval = 2;
    f.fanout(entries);
    return f;
}

TEST(AxonOutTiming, OnePacketPerEntry) {
    CoreFixture f = firing_fixture(2, 3);
    f.build();
    f.core->begin_step(0, 0);
    f.drain();
    ASSERT_EQ(f.peer->received.size(), 6u);
    // spike n is ready at 3 + 10 (n + 1); entries leave 2, 4, 6 later and are seen 1 later
    const Cycle want[] = {16, 18, 20, 26, 28, 30};
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(f.peer->received[i].first, want[i]);
        EXPECT_EQ(f.peer->received[i].second.axon, 100 + i % 3);
        EXPECT_EQ(index(f.peer->received[i].second.source), 0u);
        EXPECT_EQ(f.peer->received[i].second.destination.value, 7u);
        EXPECT_EQ(f.peer->received[i].second.tag, 1u);
    }
    EXPECT_EQ(f.counters().fanout_reads, 6u);
    EXPECT_EQ(f.counters().packets_out, 6u);
    EXPECT_EQ(f.counters().soma_stalls, 0u);
}

TEST(AxonOutTiming, FullFifoStallsTheSoma) {
    CoreFixture f = firing_fixture(4, 10);  // 20 cycles of sending per spike, a spike every 10
    f.spec.core.axon_out.fifo = 1;
    f.build();
    f.core->begin_step(0, 0);
    f.drain();
    ASSERT_EQ(f.peer->received.size(), 40u);
    // starts at 13, 33, 53, 73; the place in the FIFO is free when the spike before starts to be sent:
    // spike 1 (ready 23) enters at once; spike 2 (33) enters at 33; spike 3 (43) waits until 53
    EXPECT_EQ(f.peer->received.back().first, 73u + 20 + 1);
    EXPECT_EQ(f.counters().soma_stalls, 10u);
}

TEST(AxonOutTiming, AStallDelaysAllLaterSpikes) {
    CoreFixture f = firing_fixture(5, 10);
    f.spec.core.axon_out.fifo = 1;
    f.build();
    f.core->begin_step(0, 0);
    f.drain();
    // spike 3 waits from 43 to 53; spike 4 is therefore ready at 63, not 53, and waits until 73
    EXPECT_EQ(f.counters().soma_stalls, 20u);
}

TEST(AxonOutTiming, BlockedNetworkStallsWithoutLoss) {
    CoreFixture f = firing_fixture(3, 2);
    f.build();
    f.peer->accept = false;
    f.core->begin_step(0, 0);
    f.drain();
    EXPECT_EQ(f.peer->received.size(), 0u);
    EXPECT_EQ(f.counters().packets_out, 2u);  // two places in the link
    EXPECT_FALSE(f.core->quiescent());
    f.peer->accept = true;
    f.peer->poke(500);
    f.drain();
    EXPECT_EQ(f.peer->received.size(), 6u);
    EXPECT_TRUE(f.core->quiescent());
    EXPECT_EQ(f.activity.outstanding(), 0);
    EXPECT_GT(f.counters().axon_out_stalls, 400u);
}

TEST(CoreTiming, AnIdleCoreIsNeverEvaluated) {
    CoreFixture f;
    f.neurons().start_step = 5;
    f.build();
    f.core->begin_step(0, 0);
    f.drain();
    EXPECT_EQ(f.scheduler.evaluations(), 0u);
}

TEST(CoreTiming, ResetTakesAnIntervalPerGroup) {
    CoreFixture f(1, 10);
    f.spec.core.soma.lanes = 4;
    f.spec.core.soma.reset_interval = 7;
    f.build();
    EXPECT_EQ(f.core->reset_state(), 21u);
    EXPECT_EQ(f.counters().state_resets, 10u);
}

}  // namespace
}  // namespace loom
