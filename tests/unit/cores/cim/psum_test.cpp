// SPDX-License-Identifier: Apache-2.0
// Partial sums between cores: how they lie in packets, when they leave and when the neurons that wait for
// them are updated.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "arch/psum_packets.hpp"
#include "base/error.hpp"
#include "cim_fixture.hpp"
#include "tests/support/core_kinds.hpp"
#include "tests/unit/cores/core_fixture.hpp"

namespace loom {
namespace {

using testing::CoreFixture;

arch::ChipSpec psum_chip(std::uint64_t bits, std::uint64_t header, std::uint64_t flit) {
    arch::ChipSpec c{support::core_kinds()};
    c.core.kind = "cim";
    support::cim_of(c.core);
    static_cast<arch::CimSpec&>(support::cim_of(c.core)) = cores::golden_spec();
    support::cim_of(c.core).psum.psum_bits = bits;
    c.core.axon_out.packet_bits = header;
    c.noc.flit_bits = flit;
    return c;
}

TEST(PsumPackets, FewestFlitsPerSumThenFewestPackets) {
    const auto of = [](std::uint64_t bits, std::uint64_t header, std::uint64_t flit) {
        const arch::PsumPackets p(psum_chip(bits, header, flit), 0);
        return std::pair{p.per_packet(), p.flits(p.per_packet())};
    };
    EXPECT_EQ(of(24, 24, 32),
              (std::pair<std::uint64_t, std::uint64_t>{2, 3}));  // 1: 48 bits, 2 flits; 2: 72, 3
    EXPECT_EQ(of(24, 24, 64), (std::pair<std::uint64_t, std::uint64_t>{2, 2}));  // 1 flit each either way
    EXPECT_EQ(of(24, 24, 128), (std::pair<std::uint64_t, std::uint64_t>{2, 1}));
    EXPECT_EQ(of(20, 4, 44), (std::pair<std::uint64_t, std::uint64_t>{2, 1}));  // a third needs another flit
    EXPECT_EQ(of(40, 24, 32), (std::pair<std::uint64_t, std::uint64_t>{1, 2}));
    EXPECT_EQ(of(8, 24, 32), (std::pair<std::uint64_t, std::uint64_t>{8, 3}));  // 5 take 2 flits
    EXPECT_EQ(of(2, 24, 32), (std::pair<std::uint64_t, std::uint64_t>{32, 3}));
    arch::ChipSpec fixed = psum_chip(24, 24, 32);
    fixed.core.axon_out.flits = 3;  // a header of three flits
    EXPECT_EQ(arch::PsumPackets(fixed, 0).flits(2), 3u + 2);
}

TEST(PsumPackets, GiveBackWhatWasPutIn) {
    std::mt19937_64 rng(3);
    for (std::uint64_t bits = 2; bits <= 48; ++bits) {
        const arch::PsumPackets p(psum_chip(bits, 24, 32), 0);
        std::vector<std::int64_t> in;
        std::int64_t payload = 0;
        for (std::uint64_t i = 0; i < p.per_packet(); ++i) {
            in.push_back(static_cast<std::int64_t>(rng()) >> (64 - bits));
            if (i == 0) in.back() = -(std::int64_t{1} << (bits - 1));
            payload = p.put(payload, i, in.back());
        }
        for (std::uint64_t i = 0; i < in.size(); ++i) EXPECT_EQ(p.get(payload, i), in[i]) << bits;
    }
}

/// Arrays with the golden file's timing: a vector of 8 outputs takes 3 + 3 + 1 = 7 cycles.
void make_cim(CoreFixture& f) {
    const arch::ChipSpec chip = psum_chip(24, 24, 32);
    f.spec.core.kind = chip.core.kind;
    f.spec.core.sections = chip.core.sections;
    f.spec.core.axon_out.packet_bits = 24;
    f.spec.noc.flit_bits = 32;
    f.spec.core.soma.lanes = 4;
    f.spec.core.soma.latency = 4;
}

/// The same matrix, its sums for neurons at endpoint 7, packets 100 and on.
void make_sender(CoreFixture& f) {
    make_cim(f);
    arch::PsumGroup g;
    g.layer = LayerId{1};
    g.count = f.image->n_neurons;
    f.image->psums_out = {g};
    f.image->neurons.clear();
    f.image->n_neurons = 0;
    f.image->fanout = {};
    const auto packets = static_cast<std::uint32_t>(arch::PsumPackets(f.spec, 0).packets(g.count));
    for (std::uint32_t k = 0; k < packets; ++k) {
        f.image->fanout.entries.push_back({EndpointId{7}, 100 + k});
        f.image->fanout.row.push_back(k + 1);
    }
}

/// All neurons get sums of `senders` cores.
void make_owner(CoreFixture& f, std::uint32_t senders) {
    make_cim(f);
    std::uint32_t axon = f.image->n_axons;
    for (std::uint32_t i = 0; i < senders; ++i) {
        f.image->psums_in.push_back({EndpointId{20 + i}, axon, 0, f.image->n_neurons});
        axon += static_cast<std::uint32_t>(arch::PsumPackets(f.spec, 0).packets(f.image->n_neurons));
    }
}

TEST(PsumSender, OnePacketPerEntryIntervalFromTheCycleInWhichTheSumsAreComplete) {
    for (const std::uint64_t interval : {1u, 5u}) {
        CoreFixture f(4, 7);
        make_sender(f);
        f.spec.core.axon_out.entry_interval = interval;
        f.spec.core.axon_out.fifo = 1;
        f.build();
        f.peer->send(1, 0);
        f.peer->send(2, 3);
        f.peer->send(3, 3);
        f.drain();
        f.core->begin_step(100, 1);
        f.drain();
        // 7 x 6 = 42 columns: S = 3; bits 0 and 1 of the inputs are two vectors, 3 cycles apart
        const Cycle ready = 100 + 3 + 7;
        ASSERT_EQ(f.peer->received.size(), 4u);
        const arch::PsumPackets format(f.spec, 0);
        for (std::uint32_t k = 0; k < 4; ++k) {
            const auto& [at, p] = f.peer->received[k];
            EXPECT_EQ(at, ready + (k + 1) * interval + 1) << k;  // 1: the link
            EXPECT_EQ(p.axon, 100 + k);
            EXPECT_EQ(p.flits, k < 3 ? 3 : 2);  // 24 + 48 or 24 + 24 bits in flits of 32
            EXPECT_EQ(format.get(p.payload, 0), 3);
            EXPECT_EQ(format.get(p.payload, 1), k < 3 ? 3 : 0);
        }
        const cores::CoreCounters& c = f.counters();
        EXPECT_EQ(f.cim().arrays.psum_packets, 4u);
        EXPECT_EQ(f.cim().arrays.psum_flits, 11u);
        EXPECT_EQ(c.packets_out, 4u);
        EXPECT_EQ(f.cim().arrays.psum_overflows, 0u);
        EXPECT_EQ(c.soma_stalls + c.soma_busy, 0u);
        EXPECT_EQ(f.core->spikes().size(), 0u);
    }
}

TEST(PsumSender, SendsWithoutInputTooAndWaitsForTheNetwork) {
    CoreFixture f(4, 8);
    make_sender(f);
    f.build();
    f.peer->accept = false;
    f.core->begin_step(100, 1);
    f.drain();
    EXPECT_GT(f.activity.outstanding(), 0) << "the timestep stays open";
    EXPECT_FALSE(f.core->quiescent());
    f.peer->accept = true;
    f.peer->poke(500);
    f.drain();
    EXPECT_EQ(f.activity.outstanding(), 0);
    ASSERT_EQ(f.peer->received.size(), 4u);
    for (const auto& [at, p] : f.peer->received) EXPECT_EQ(p.payload, 0);
    EXPECT_GT(f.counters().axon_out_stalls, 300u);
}

TEST(PsumSender, SumsBeyondTheirWidthAreCounted) {
    for (const bool wrap : {false, true}) {
        CoreFixture f(16, 2);
        support::cim_of(f.spec.core);
        f.dense(16, std::vector<double>(32, 7.0));
        make_sender(f);
        support::cim_of(f.spec.core).psum.psum_bits = 6;  // -32 ... 31
        support::cim_of(f.spec.core).psum.overflow =
            wrap ? arch::CimOverflow::Wrap : arch::CimOverflow::Saturate;
        support::cim_of(f.spec.core).input_bits = 8;
        f.build();
        for (std::uint32_t a = 0; a < 4; ++a) f.peer->send(1 + a, a);
        for (std::uint32_t a = 0; a < 4; ++a) f.peer->send(9 + a, 0);  // 5 on row 0
        f.drain();
        f.core->begin_step(100, 1);
        f.drain();
        // bit 0: 4 rows, 28; bit 2: 1 row, 7 x 4; 56 in all
        const arch::PsumPackets format(f.spec, 0);
        EXPECT_EQ(format.get(f.peer->received.at(0).second.payload, 1), wrap ? 56 - 64 : 31);
        EXPECT_EQ(f.cim().arrays.psum_overflows, 2u);
    }
}

TEST(PsumOwner, TheSomaStartsWhenTheLastPacketIsIn) {
    for (const Cycle last : {102u, 140u}) {
        CoreFixture f(4, 8);
        make_owner(f, 2);
        f.build();
        const arch::PsumPackets format(f.spec, 0);
        f.peer->send(1, 0);
        f.peer->send(2, 3);
        f.drain();
        f.core->begin_step(100, 1);
        for (std::uint32_t k = 0; k < 8; ++k) {
            std::int64_t payload = format.put(0, 0, 10 * (k + 1));
            payload = format.put(payload, 1, -1);
            f.peer->send(last - 7 + k < 101 ? 101 : last - 7 + k, 4 + k, payload);
        }
        const Cycle end = f.drain();
        // own sums in 107; a packet per cycle, visible 1 later, added 1 later; 2 groups and 4 of the soma
        const Cycle in = (last == 102 ? 101 + 7 : last) + 2;
        EXPECT_EQ(end, std::max<Cycle>(107, in) + 2 + 4);
        for (std::uint32_t n = 0; n < 8; ++n)
            EXPECT_EQ(f.core->membrane(n), n % 2 == 1 ? 2 - 2 : 2 + 10 * (n / 2 + 1) + 10 * (n / 2 + 5)) << n;
        EXPECT_EQ(f.cim().arrays.psum_adds, 16u);
        EXPECT_EQ(f.cim().arrays.tree_adds, 16u);
        EXPECT_EQ(f.counters().packets_in, 2u + 8);
        EXPECT_EQ(f.cim().ac, 16u) << "partial sums are no synaptic operations";
    }
}

TEST(PsumOwner, OwnSumsMayBeTheLast) {
    CoreFixture f(4, 8);
    make_owner(f, 1);
    f.build();
    for (const std::uint32_t a : {0u, 0u, 0u, 0u, 0u, 0u, 0u}) f.peer->send(1, a);
    f.drain();
    f.core->begin_step(100, 1);
    for (std::uint32_t k = 0; k < 4; ++k) f.peer->send(101 + k, 4 + k, 5);
    // the packets are in in 106; three bits of 3 cycles each, the last takes 7; 2 groups and 4 of the soma
    EXPECT_EQ(f.drain(), 100u + 2 * 3 + 7 + 2 + 4);
    EXPECT_EQ(f.core->membrane(0), 7 + 5);
}

TEST(PsumOwner, PartialSumsDoNotWaitForTheSpikeRegister) {
    CoreFixture f(4, 8);
    make_owner(f, 1);
    support::cim_of(f.spec.core).reload = true;
    f.spec.core.axon_in.fifo = 1;
    f.build();
    f.core->begin_step(10, 0);  // a write of more than 1000 cycles
    for (std::uint32_t k = 0; k < 4; ++k) f.peer->send(20 + k, 4 + k, 5);
    while (f.scheduler.next() < 40) f.scheduler.run_next();
    EXPECT_EQ(f.counters().packets_in, 4u);
    f.peer->send(40, 0);
    f.peer->send(40, 1);
    while (f.scheduler.next() < 200) f.scheduler.run_next();
    EXPECT_EQ(f.counters().packets_in, 4u) << "spikes do";
    f.drain();
    EXPECT_EQ(f.counters().packets_in, 6u);
    EXPECT_EQ(f.core->membrane(0), 5);
}

TEST(PsumOwner, TheTimestepStaysOpenUntilAllAreIn) {
    CoreFixture f(4, 8);
    make_owner(f, 1);
    f.neurons().start_step = 1;
    f.schedule.active_steps = 1;
    f.build();
    f.core->begin_step(50, 0);  // not its time: nothing to wait for
    f.drain();
    EXPECT_EQ(f.activity.outstanding(), 0);
    f.core->begin_step(100, 1);
    for (std::uint32_t k = 0; k < 3; ++k) f.peer->send(101 + k, 4 + k, 1);
    f.drain();
    EXPECT_EQ(f.activity.outstanding(), 1);
    EXPECT_EQ(f.core->membrane(0), 0);
    f.peer->send(300, 7, 1);
    f.drain();
    EXPECT_EQ(f.activity.outstanding(), 0);
    EXPECT_EQ(f.core->membrane(0), 1);
    f.peer->send(400, 5, 1);
    EXPECT_THROW(f.drain(), ModelError) << "one too many";
    CoreFixture g(4, 8);
    make_owner(g, 1);
    g.build();
    g.core->begin_step(100, 1);
    g.peer->send(101, 8, 1);
    EXPECT_THROW(g.drain(), ModelError) << "a packet of nobody";
}

TEST(PsumOwner, TheOrderOfArrivalDoesNotMatter) {
    std::mt19937 rng(7);
    std::vector<double> want;
    for (std::size_t round = 0; round < 20; ++round) {
        CoreFixture f(4, 9);
        make_owner(f, 3);
        f.spec.core.axon_in.fifo = 1 + rng() % 3;
        support::cim_of(f.spec.core).rows.double_buffer = round % 2 == 0;
        f.neurons().parameters["threshold"].i = {40};
        f.fanout(1);
        f.build();
        const arch::PsumPackets format(f.spec, 0);
        std::vector<double> got;
        for (Step t = 1; t < 4; ++t) {
            const Cycle at = t * 1000;
            f.core->begin_step(at, t);
            std::vector<std::pair<std::uint32_t, std::int64_t>> packets;
            for (std::uint32_t k = 0; k < 15; ++k) {
                std::int64_t payload = format.put(0, 0, static_cast<std::int64_t>(k * t) - 8);
                if (k % 5 != 4) payload = format.put(payload, 1, 3);
                packets.emplace_back(4 + k, payload);
            }
            for (std::uint32_t a = 0; a < 4; ++a) packets.emplace_back(a, 1);  // of the next timestep
            std::shuffle(packets.begin(), packets.end(), rng);
            for (std::size_t i = 0; i < packets.size(); ++i)
                f.peer->send(at + 1 + i * (round % 4), packets[i].first, packets[i].second);
            f.drain();
            EXPECT_EQ(f.activity.outstanding(), 0);
            for (std::uint32_t n = 0; n < 9; ++n) got.push_back(f.core->membrane(n));
            for (const std::uint32_t n : f.core->spikes()) got.push_back(100 + n);
        }
        if (round == 0) want = got;
        EXPECT_EQ(got, want) << round;
        // nothing of this is left after a reset
        f.core->reset_state();
        f.core->begin_step(10'000, 1);
        for (std::uint32_t k = 0; k < 15; ++k) f.peer->send(10'001 + k, 4 + k, 0);
        f.drain();
        for (std::uint32_t n = 0; n < 9; ++n) EXPECT_EQ(f.core->membrane(n), 0);
    }
}

}  // namespace
}  // namespace loom
