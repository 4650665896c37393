// SPDX-License-Identifier: Apache-2.0
// A core of kind cim: the time of its stages worked out by hand, waiting spikes, and the same sums as a
// near-memory core.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/error.hpp"
#include "cim_fixture.hpp"
#include "tests/support/core_kinds.hpp"
#include "tests/unit/cores/core_fixture.hpp"
#include "tests/unit/cores/random_conv.hpp"

namespace loom {
namespace {

using testing::CoreFixture;

/// Arrays with the golden file's timing: a vector takes t_wl + t_rd + S t_adc + t_sa = 3 + S + 1 cycles.
void make_cim(CoreFixture& f) {
    f.spec.core.kind = "cim";
    f.spec.core.soma.lanes = 4;
    f.spec.core.soma.latency = 4;
    support::cim_of(f.spec.core);
    static_cast<arch::CimSpec&>(support::cim_of(f.spec.core)) = cores::golden_spec();
}

/// Delivers one spike per axon in turn and runs timestep 1 from cycle 100; returns its last cycle.
Cycle one_step(CoreFixture& f, const std::vector<std::uint32_t>& axons) {
    for (std::size_t i = 0; i < axons.size(); ++i) f.peer->send(1 + i, axons[i]);
    f.drain();
    f.core->begin_step(100, 1);
    return f.drain();
}

TEST(CimCore, OneVector) {
    CoreFixture f(4, 8);
    make_cim(f);
    f.build();
    // 8 outputs x 3 slices x 2 = 48 columns on 16 converters: S = 3; 3 + 3 + 1 = 7; the soma takes 2 groups
    // and 4
    EXPECT_EQ(one_step(f, {0, 3}), 100u + 7 + 2 + 4);
    for (std::uint32_t n = 0; n < 8; ++n) EXPECT_EQ(f.core->membrane(n), 2);
    const cores::CoreCounters& c = f.counters();
    EXPECT_EQ(c.packets_in, 2u);
    EXPECT_EQ(f.cim().ac, 16u);
    EXPECT_EQ(c.ac, 0u);
    EXPECT_EQ(f.cim().arrays.vectors, 1u);
    EXPECT_EQ(f.cim().arrays.sets, 1u);
    EXPECT_EQ(f.cim().arrays.rows_driven, 2u);
    EXPECT_EQ(f.cim().arrays.conversions, 48u);
    EXPECT_EQ(f.cim().arrays.shift_adds, 48u);
}

TEST(CimCore, WithoutInputOnlyTheSomaWorks) {
    CoreFixture f(4, 8);
    make_cim(f);
    f.build();
    EXPECT_EQ(one_step(f, {}), 100u + 1 + 2 + 4 - 1);
    EXPECT_EQ(f.cim().arrays.vectors, 0u);
    EXPECT_EQ(f.counters().updates_inactive, 8u);
}

TEST(CimCore, SeveralSpikesOnARowAreReadBitByBit) {
    CoreFixture f(4, 8);
    make_cim(f);
    f.build();
    // inputs 3 and 1: bit 0 of both rows, bit 1 of one; the next vector starts 3 cycles later
    EXPECT_EQ(one_step(f, {0, 1, 0, 0}), 100u + 3 + 7 + 2 + 4);
    for (std::uint32_t n = 0; n < 8; ++n) EXPECT_EQ(f.core->membrane(n), 4);
    EXPECT_EQ(f.cim().arrays.vectors, 2u);
    EXPECT_EQ(f.cim().arrays.rows_driven, 3u);
    EXPECT_EQ(f.cim().arrays.shift_adds, 2u * 48 + 8);
    EXPECT_EQ(f.cim().ac, 4u * 8);
}

TEST(CimCore, MoreThanTheInputBitsIsAFault) {
    CoreFixture f(4, 8);
    make_cim(f);
    support::cim_of(f.spec.core).input_bits = 1;
    f.build();
    f.peer->send(1, 2);
    f.peer->send(2, 2);
    EXPECT_THROW(f.drain(), ModelError);
}

/// 1 x 1 kernel: `positions` vectors of one row and two outputs each.
void make_positions(CoreFixture& f, std::uint32_t positions, std::uint32_t copies) {
    arch::AxonGroup& a = f.axons();
    arch::ConvRows c;
    c.shape.in_w = c.shape.out_w = positions;
    c.shape.out_c = 2;
    c.co_first = {0};
    c.co_count = {2};
    c.weight_at = {0};
    a.rows = c;
    a.copies = copies;
    auto block = std::make_shared<arch::WeightBlock>();
    block->values = std::vector<std::int8_t>{3, -2};
    a.weights = block;
}

TEST(CimCore, PositionsFollowOneAnotherAndTheSomaFollowsThem) {
    // 2 outputs x 6 = 12 columns: S = 1; a vector takes 3 + 1 + 1 = 5 cycles, the next one starts 3 cycles
    // later of its copy; a window is made per cycle, which bounds four copies
    std::vector<std::uint32_t> all{0, 1, 2, 3, 4, 5, 6, 7};
    for (const std::uint32_t copies : {1u, 2u, 4u}) {
        CoreFixture f(8, 16);
        make_cim(f);
        make_positions(f, 8, copies);
        f.build();
        const Cycle last = copies == 1 ? 7 * 3 : copies == 2 ? 3 * 3 + 1 : 7;  // start of the last vector
        EXPECT_EQ(one_step(f, all), 100u + last + 5 + 1 + 4) << copies;
        for (std::uint32_t n = 0; n < 16; ++n) EXPECT_EQ(f.core->membrane(n), n % 2 == 0 ? 3 : -2);
        EXPECT_EQ(f.cim().arrays.vectors, 8u);
    }
    // empty windows take a cycle each
    CoreFixture f(8, 16);
    make_cim(f);
    make_positions(f, 8, 1);
    f.build();
    EXPECT_EQ(one_step(f, {7}), 100u + 7 + 5 + 1 + 4);
}

TEST(CimCore, SpikesWaitForASingleRegister) {
    for (const bool twice : {true, false}) {
        CoreFixture f(8, 16);
        make_cim(f);
        make_positions(f, 8, 1);
        support::cim_of(f.spec.core).rows.double_buffer = twice;
        f.build();
        for (std::uint32_t a = 0; a < 8; ++a) f.peer->send(1 + a, a);
        f.drain();
        f.peer->send(101, 0);  // of the next timestep
        f.core->begin_step(100, 1);
        f.drain();
        EXPECT_EQ(f.counters().axon_in_stalled, twice ? 0u : 1u);
        // visible in 102; the last window leaves the register in 100 + 7 x 3 and the arrays are free 1 later
        // at most
        EXPECT_EQ(f.counters().axon_in_stalls > 15, !twice) << f.counters().axon_in_stalls;
        f.core->begin_step(300, 2);
        f.drain();
        EXPECT_EQ(f.core->membrane(0), 6);
        EXPECT_EQ(f.core->membrane(2), 3);
    }
}

TEST(CimCore, SpikesAndReadsWaitForAWrite) {
    CoreFixture f(4, 8);
    make_cim(f);
    support::cim_of(f.spec.core).reload = true;
    f.spec.core.axon_in.fifo = 2;
    f.build();
    f.core->begin_step(10, 0);  // programs the arrays: pulses of 1 us
    for (std::uint32_t a = 0; a < 4; ++a) f.peer->send(20 + a, a);
    f.core->begin_step(12, 1);
    const Cycle end = f.drain();
    const cores::CoreCounters& c = f.counters();
    EXPECT_GT(f.cim().arrays.write_busy, 1000u);
    EXPECT_EQ(c.axon_in_stalled, 2u) << "what the FIFO holds; the others wait in the network";
    EXPECT_GE(f.cim().arrays.refused_reads, 1u);
    EXPECT_GT(end, 10 + f.cim().arrays.write_busy);
    f.core->begin_step(end + 10, 2);
    f.drain();
    for (std::uint32_t n = 0; n < 8; ++n) EXPECT_EQ(f.core->membrane(n), 4);
    // the same again after a reset: no cycle depends on what was before
    f.core->reset_state();
    const Cycle start = end + 1'000'000;
    f.core->begin_step(start, 0);
    f.core->begin_step(start + 2, 1);
    f.drain();
    EXPECT_EQ(f.core->membrane(0), 0);
}

/// Random dense, sparse and convolutional groups with random inputs: membranes as of a near-memory core.
TEST(CimCore, SumsOfANearMemoryCore) {
    std::mt19937 rng(5);
    const auto pick = [&](std::uint32_t lo, std::uint32_t hi) {
        return lo + static_cast<std::uint32_t>(rng() % (hi - lo + 1));
    };
    for (int round = 0; round < 120; ++round) {
        CoreFixture a(pick(1, 60), pick(1, 20));
        std::uint32_t axons = a.axons().count, neurons = a.image->n_neurons;
        arch::AxonGroup g = a.axons();
        std::size_t weights = std::size_t{axons} * neurons;
        const std::uint32_t form = pick(0, 2);
        if (form == 1) {
            arch::SparseRows s;
            s.row = {0};
            for (std::uint32_t r = 0; r < axons; ++r) {
                for (std::uint32_t n = 0; n < neurons; ++n) {
                    if (pick(0, 2) == 0) s.target.push_back(n);
                }
                s.row.push_back(static_cast<std::uint32_t>(s.target.size()));
            }
            weights = s.target.size();
            g.rows = s;
        } else if (form == 2) {
            arch::ConvRows c = random_conv(pick);
            weights = c.weight_at.back() + c.shape.window.taps() * c.co_count.back();
            axons = static_cast<std::uint32_t>(c.shape.inputs());
            neurons = static_cast<std::uint32_t>(c.shape.outputs());
            g.rows = std::move(c);
        }
        auto block = std::make_shared<arch::WeightBlock>();
        std::vector<std::int8_t> w;
        for (std::size_t i = 0; i < weights; ++i) w.push_back(static_cast<std::int8_t>(pick(0, 14)) - 7);
        block->values = w;
        g.weights = block;
        g.count = axons;
        g.shift = static_cast<std::uint8_t>(pick(0, 3));
        g.delay = static_cast<std::uint8_t>(pick(1, 3));
        g.copies = pick(1, 3);
        g.analogue = pick(0, 1) != 0;
        CoreFixture b;
        for (CoreFixture* f : {&a, &b}) {
            f->image->axons = {g};
            f->image->n_axons = axons;
            f->image->n_neurons = neurons;
            f->image->fanout.row.assign(neurons + 1, 0);
            f->neurons().count = neurons;
            f->neurons().layer_index.resize(neurons);
        }
        make_cim(b);
        arch::CimCoreSpec& s = support::cim_of(b.spec.core);
        s.input_bits = 6;
        s.array.rows = 16;
        s.array.cols = 32;
        s.rows.rows_parallel = pick(1, 16);
        s.adc.adc_bits = 8;
        s.rows.row_select = static_cast<arch::CimRowSelect>(pick(0, 2));
        s.weights.encoding = static_cast<arch::CimEncoding>(pick(0, 2));
        if (pick(0, 2) == 0) {
            s.array.type = arch::CimType::SramDigital;
            s.array.digital = static_cast<arch::CimDigital>(pick(0, 1));
        }
        a.build();
        b.build();
        for (Step t = 0; t < 6; ++t) {
            const Cycle at = 1 + t * 100'000;
            for (std::uint32_t i = 0; i < pick(0, 20); ++i) {
                const std::uint32_t axon = pick(0, axons - 1);
                const auto payload = g.analogue ? std::int64_t{pick(0, 4)} - 2 : 1;
                for (CoreFixture* f : {&a, &b}) f->peer->send(at + i, axon, payload);
            }
            for (CoreFixture* f : {&a, &b}) {
                f->drain();
                f->core->begin_step(at + 50'000, t + 1);
                f->drain();
            }
            for (std::uint32_t n = 0; n < neurons; ++n)
                ASSERT_EQ(a.core->membrane(n), b.core->membrane(n))
                    << round << " form " << form << " neuron " << n;
        }
        EXPECT_EQ(a.counters().ac, b.cim().ac);
        EXPECT_EQ(a.counters().mac, b.cim().mac);
        EXPECT_EQ(b.cim().arrays.clips, 0u);
    }
}

}  // namespace
}  // namespace loom
