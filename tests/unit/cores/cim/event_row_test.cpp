// SPDX-License-Identifier: Apache-2.0
// Event-row arrays in a core: spikes are added one by one as they come, the sweep follows the last of them;
// rows that hold membranes hold no weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "arch/cim_layout.hpp"
#include "base/error.hpp"
#include "cim_fixture.hpp"
#include "tests/support/core_kinds.hpp"
#include "tests/unit/cores/core_fixture.hpp"

namespace loom {
namespace {

using testing::CoreFixture;

/// 4-bit weights; the soma updates 4 neurons a cycle, 4 cycles deep.
void make_event_row(CoreFixture& f, std::uint64_t c_spk, std::uint64_t c_step) {
    f.spec.core.kind = "cim";
    f.spec.core.soma.lanes = 4;
    f.spec.core.soma.latency = 4;
    f.spec.core.axon_in.fifo = 64;
    support::cim_of(f.spec.core);
    arch::CimCoreSpec& s = support::cim_of(f.spec.core);
    static_cast<arch::CimSpec&>(s) = cores::golden_spec();
    s.array.type = arch::CimType::SramDigital;
    s.array.digital = arch::CimDigital::EventRow;
    s.weights.encoding = arch::CimEncoding::TwosComplement;
    s.rows.rows_parallel = 1;
    s.timing.c_spk = c_spk;
    s.timing.c_step = c_step;
}

/// A spike sent in cycle t is seen in t + 1 and looked up in one cycle.
constexpr Cycle kWay = 2;

TEST(EventRow, ASpikeIsAddedWhenItArrives) {
    for (const std::uint64_t c_spk : {1u, 2u, 9u}) {
        CoreFixture f(4, 8);
        make_event_row(f, c_spk, 5);
        f.build();
        f.peer->send(10, 2);
        EXPECT_EQ(f.drain(), 10 + kWay + c_spk) << "the timestep lasts until it is added";
        f.core->begin_step(100, 1);
        EXPECT_EQ(f.drain(), 100u + 5 + 2 + 4) << "what remains is the sweep";
        EXPECT_EQ(f.core->membrane(0), 1);
        EXPECT_EQ(f.cim().arrays.row_adds, 8u * 4);
        EXPECT_EQ(f.cim().arrays.sweeps, 8u);
        EXPECT_EQ(f.cim().arrays.vectors, 0u);
        EXPECT_EQ(f.cim().arrays.array_busy, c_spk + 5);
    }
}

TEST(EventRow, BurstsQueue) {
    std::mt19937 rng(11);
    for (int round = 0; round < 100; ++round) {
        const std::uint64_t c_spk = 1 + rng() % 6;
        CoreFixture f(16, 8);
        make_event_row(f, c_spk, 3);
        f.build();
        Cycle at = 10, done = 0, waited = 0;
        const auto n = static_cast<std::uint32_t>(1 + rng() % 20);
        for (std::uint32_t i = 0; i < n; ++i) {
            at += 1 + (rng() % 3 == 0 ? rng() % 20 : 0);
            f.peer->send(at, static_cast<std::uint32_t>(rng() % 16));
            const Cycle arrival = at + kWay;  // with the array free, done in arrival + c_spk
            waited += done > arrival ? done - arrival : 0;
            done = std::max(arrival, done) + c_spk;
        }
        EXPECT_EQ(f.drain(), done);
        f.core->begin_step(done + 7, 1);
        EXPECT_EQ(f.drain(), done + 7 + 3 + 2 + 4);
        EXPECT_EQ(f.core->membrane(3), n);
        EXPECT_EQ(f.cim().arrays.array_busy, n * c_spk + 3);
        // in the array or before it, in the FIFO
        EXPECT_LE(f.cim().arrays.stalls, waited);
    }
}

TEST(EventRow, ABurstWaitsInTheFifoAndInTheNetwork) {
    CoreFixture f(4, 8);
    make_event_row(f, 100, 3);
    f.spec.core.axon_in.fifo = 2;
    f.build();
    for (std::uint32_t i = 0; i < 8; ++i) f.peer->send(10, i % 4);
    while (f.scheduler.next() < 100) f.scheduler.run_next();
    EXPECT_EQ(f.counters().packets_in, 2u) << "one is added, one is looked up";
    EXPECT_EQ(f.in->size(), 2u);
    EXPECT_FALSE(f.core->quiescent());
    EXPECT_EQ(f.drain(), 10 + kWay + 8 * 100);
    EXPECT_TRUE(f.core->quiescent());
    EXPECT_EQ(f.activity.outstanding(), 0);
}

TEST(EventRow, ASpikeOfTheNextTimestepFollowsTheSweep) {
    CoreFixture f(4, 8);
    make_event_row(f, 2, 30);
    f.build();
    f.peer->send(10, 0);
    f.drain();
    f.core->begin_step(100, 1);
    f.peer->send(104, 1);
    EXPECT_EQ(f.drain(), 100u + 30 + 2 + 4);  // added until 132
    EXPECT_EQ(f.core->membrane(0), 1) << "not in this timestep";
    EXPECT_EQ(f.cim().arrays.stalls, 130u - 106);
    f.core->begin_step(200, 2);
    f.drain();
    EXPECT_EQ(f.core->membrane(0), 2);
    f.core->begin_step(300, 3);
    f.drain();
    EXPECT_EQ(f.core->membrane(0), 2);
    EXPECT_EQ(f.cim().arrays.sweeps, 3u * 8);
}

TEST(EventRow, LaterSpikesAreAddedInTheTimestepBeforeTheirs) {
    CoreFixture f(4, 8);
    make_event_row(f, 50, 3);
    f.axons().delay = 3;
    f.build();
    f.core->begin_step(5, 0);
    f.drain();
    f.peer->send(30, 1);
    f.peer->send(31, 2);
    f.drain();
    EXPECT_EQ(f.cim().arrays.row_adds, 0u);
    for (const Step t : {1u, 2u}) {
        f.core->begin_step(t * 1000, t);
        EXPECT_EQ(f.drain(), t * 1000 + 3 + (t == 2 ? 2 * 50 : 2 + 4));
        EXPECT_EQ(f.core->membrane(0), 0);
    }
    f.core->begin_step(3000, 3);
    EXPECT_EQ(f.drain(), 3000u + 3 + 2 + 4);
    EXPECT_EQ(f.core->membrane(0), 2);
    // a reset forgets what waits
    f.peer->send(3100, 1);
    f.drain();
    f.core->reset_state();
    for (Step t = 0; t < 5; ++t) {
        f.core->begin_step(5000 + 1000 * t, t);
        f.drain();
        EXPECT_EQ(f.core->membrane(0), 0);
    }
}

TEST(EventRow, GradedValuesAreAddedBitByBit) {
    CoreFixture f(4, 8);
    make_event_row(f, 10, 3);
    f.axons().analogue = true;
    f.axons().shift = 2;
    support::cim_of(f.spec.core).input_bits = 4;
    f.build();
    f.peer->send(10, 0, -13);
    EXPECT_EQ(f.drain(), 10 + kWay + 3 * 10);
    f.core->begin_step(100, 1);
    f.drain();
    EXPECT_EQ(f.core->membrane(5), -13 * 4);
    f.peer->send(200, 0, 16);
    EXPECT_THROW(f.drain(), ModelError) << "five bits";
}

/// A 1 x 3 kernel over 9 inputs with `copies`: an inner spike is in three windows of 2 outputs.
void make_windows(CoreFixture& f, std::uint32_t copies) {
    arch::ConvRows c;
    c.shape.in_w = c.shape.out_w = 9;
    c.shape.window.columns = {3, 1, 1, 1, 1};
    c.shape.out_c = 2;
    c.co_first = {0};
    c.co_count = {2};
    c.weight_at = {0};
    f.axons().rows = c;
    f.axons().copies = copies;
    auto block = std::make_shared<arch::WeightBlock>();
    block->values = std::vector<std::int8_t>{1, 2, 3, -4, 5, 6};
    f.axons().weights = block;
}

TEST(EventRow, ASpikeIsAddedInEveryWindow) {
    for (const std::uint32_t copies : {1u, 2u, 3u}) {
        CoreFixture f(9, 18);
        make_event_row(f, 4, 5);
        make_windows(f, copies);
        f.build();
        f.peer->send(10, 4);
        // windows 3, 4, 5 in copies 0, 1, 2 of 3 or 1, 0, 1 of 2
        EXPECT_EQ(f.drain(), 10 + kWay + (copies == 1 ? 3 : copies == 2 ? 2 : 1) * 4);
        f.core->begin_step(100, 1);
        // 9 positions are swept; then 5 groups of neurons
        const Cycle sweeps = (9 + copies - 1) / copies;
        EXPECT_EQ(f.drain(), 100u + sweeps * 5 + 9 + 4);
        for (std::uint32_t n = 0; n < 18; ++n) {
            const std::vector<double> want{5, 6, 3, -4, 1, 2};
            EXPECT_EQ(f.core->membrane(n), n < 6 || n >= 12 ? 0 : want[n - 6]) << n;
        }
        EXPECT_EQ(f.cim().arrays.row_adds, 3u * 2 * 4);
        EXPECT_EQ(f.cim().arrays.sweeps, 18u);
        EXPECT_EQ(f.cim().ac, 6u);
    }
}

TEST(EventRow, SumsBeyondTheirWidthAreCountedWhateverTheOrder) {
    for (const bool first : {true, false}) {
        CoreFixture f(4, 1);
        make_event_row(f, 1, 1);
        f.dense(4, {7, 7, 7, -7});
        support::cim_of(f.spec.core).psum.psum_bits = 5;  // -16 ... 15
        f.build();
        // 21 on the way or not, but 14 in the end
        if (first) f.peer->send(10, 3);
        for (const std::uint32_t a : {0u, 1u, 2u}) f.peer->send(20, a);
        if (!first) f.peer->send(30, 3);
        f.drain();
        f.core->begin_step(100, 1);
        f.drain();
        EXPECT_EQ(f.core->membrane(0), 14);
        EXPECT_EQ(f.cim().arrays.psum_overflows, 0u);
        for (const std::uint32_t a : {0u, 1u, 2u}) f.peer->send(200, a);
        f.drain();
        f.core->begin_step(300, 2);
        f.drain();
        EXPECT_EQ(f.core->membrane(0), 14 + 15);
        EXPECT_EQ(f.cim().arrays.psum_overflows, 1u);
    }
}

TEST(EventRow, SpikesAndSweepWaitForAWrite) {
    CoreFixture f(4, 8);
    make_event_row(f, 2, 3);
    support::cim_of(f.spec.core).reload = true;
    support::cim_of(f.spec.core).write.t_pulse = "40";  // a row of an SRAM array takes one such
    f.build();
    f.core->begin_step(10, 0);
    f.peer->send(11, 0);
    f.drain();
    const cores::CoreCounters& c = f.counters();
    ASSERT_GT(f.cim().arrays.write_busy, 3u);
    EXPECT_EQ(c.axon_in_stalled, 1u);
    EXPECT_EQ(f.cim().arrays.refused_reads, 1u);
    EXPECT_EQ(f.core->membrane(0), 0);
    f.core->begin_step(5000, 1);
    f.drain();
    EXPECT_EQ(f.core->membrane(0), 1);
}

TEST(MembraneRows, ComeOffTheRowsForWeights) {
    arch::CimSpec s;
    s.array.type = arch::CimType::SramDigital;
    s.array.digital = arch::CimDigital::EventRow;
    EXPECT_EQ(arch::cim_layout(s, 250, 4, 9).row_blocks, 2u);
    s.array.membrane_rows = 5;
    EXPECT_EQ(arch::cim_layout(s, 123, 4).row_blocks, 1u);
    EXPECT_EQ(arch::cim_layout(s, 124, 4).row_blocks, 2u);
    EXPECT_EQ(arch::cim_layout(s, 250, 4, 9).row_blocks, 4u) << "128 - 9 x 5 = 83";
    EXPECT_GT(arch::cim_layout(s, 1, 4, 26).arrays(), 1'000'000u) << "no row is left";
    s.rows.rows_parallel = 1;
    cores::CimContext c;
    c.positions = 9;
    const cores::CimArray array(s, cores::random_weights(250, 4, 4, 1), c);
    EXPECT_EQ(array.shape().row_blocks, 4u);
    c.positions = 26;
    EXPECT_THROW(cores::CimArray(s, cores::random_weights(1, 4, 4, 1), c), ConfigError);
    s.array.membrane_rows = 128;
    EXPECT_THROW(cores::check_cim(s), ConfigError);
    s.array.membrane_rows = 1;
    s.array.digital = arch::CimDigital::AdderTree;
    EXPECT_THROW(cores::check_cim(s), ConfigError);
}

}  // namespace
}  // namespace loom
