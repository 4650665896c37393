// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "network_fixture.hpp"
#include "base/error.hpp"

namespace loom {
namespace {

using testing::NetworkFixture;

arch::ChipSpec spec_of(unsigned x, unsigned y, unsigned per, unsigned vcs, unsigned buffer,
                       const char* pipeline) {
    arch::ChipSpec spec;
    spec.noc.size = {x, y};
    spec.noc.cores_per_router = per;
    spec.noc.router.vcs = vcs;
    spec.noc.router.buffer = buffer;
    spec.noc.router.pipeline = pipeline;
    return spec;
}

struct Load {
    std::uint64_t packets = 0, flits = 0, flit_hops = 0, flit_routers = 0, packet_routers = 0;
};

/// Random multi-flit packets; number = from * 4096 + sequence within the flow's source.
Load offer_random(NetworkFixture& f, const arch::ChipSpec& spec, unsigned seed, int packets, Cycle spread) {
    std::mt19937 rng(seed);
    Load load;
    std::vector<std::tuple<Cycle, std::uint32_t, std::uint32_t, std::uint16_t>> list;
    for (int i = 0; i < packets; ++i) {
        list.emplace_back(1 + rng() % spread, rng() % f.endpoints(), rng() % f.endpoints(), 1 + rng() % 5);
    }
    std::sort(list.begin(), list.end());
    std::map<std::uint32_t, std::uint32_t> sequence;
    const auto router = [&](std::uint32_t e) {
        return e + 1 == f.endpoints() ? 0 : e / spec.noc.cores_per_router;
    };
    for (const auto& [at, from, to, flits] : list) {
        f.offer(at, from, to, flits, from * 4096 + sequence[from]++, static_cast<std::uint16_t>(from % 3));
        const auto a = router(from), b = router(to), w = spec.noc.size[0];
        const std::uint64_t hops =
            static_cast<std::uint64_t>(std::abs(static_cast<long>(a % w) - static_cast<long>(b % w)) +
                                       std::abs(static_cast<long>(a / w) - static_cast<long>(b / w)));
        ++load.packets;
        load.flits += flits;
        load.flit_hops += hops * flits;
        load.flit_routers += (hops + 1) * flits;
        load.packet_routers += hops + 1;
    }
    return load;
}

class AnyNetwork : public ::testing::TestWithParam<std::tuple<const char*, unsigned, unsigned>> {};

TEST_P(AnyNetwork, DeliversEveryPacketOnceAndCountsEveryFlit) {
    const auto& [pipeline, vcs, buffer] = GetParam();
    for (unsigned seed = 1; seed <= 3; ++seed) {
        const arch::ChipSpec spec = spec_of(4, 3, 2, vcs, buffer, pipeline);
        NetworkFixture f(spec);
        const Load load = offer_random(f, spec, seed, 1500, 700);
        f.drain();
        ASSERT_EQ(f.arrivals.size(), load.packets) << f.network->describe_stuck(5);
        EXPECT_EQ(f.network->flits_in_flight(), 0u);
        std::map<std::uint32_t, int> seen;
        std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> last;
        for (const auto& a : f.arrivals) {
            EXPECT_EQ(++seen[a.packet.axon], 1);
            EXPECT_EQ(a.endpoint, a.packet.destination.value);
            const auto flow = std::pair{index(a.packet.source), a.endpoint};
            if (vcs == 1 && last.count(flow) != 0) {
                EXPECT_LT(last[flow], a.packet.axon) << "order of a flow";
            }
            last[flow] = a.packet.axon;
        }
        noc::NocCounters c;
        for (const auto& t : f.network->counters()) {
            c.packets += t.packets;
            c.packets_delivered += t.packets_delivered;
            c.ni_in += t.ni_in;
            c.ni_out += t.ni_out;
            c.buffer_writes += t.buffer_writes;
            c.buffer_reads += t.buffer_reads;
            c.vc_grants += t.vc_grants;
            c.switch_grants += t.switch_grants;
            c.crossbar += t.crossbar;
            for (std::size_t k = 0; k < c.links.size(); ++k) c.links[k] += t.links[k];
            c.local += t.local;
        }
        EXPECT_EQ(c.packets, load.packets);
        EXPECT_EQ(c.packets_delivered, load.packets);
        EXPECT_EQ(c.ni_in, load.flits);
        EXPECT_EQ(c.ni_out, load.flits);
        EXPECT_EQ(c.local, load.flits);
        EXPECT_EQ(c.flit_hops(), load.flit_hops);
        EXPECT_EQ(c.buffer_writes, load.flit_routers);
        EXPECT_EQ(c.buffer_reads, load.flit_routers);
        EXPECT_EQ(c.switch_grants, load.flit_routers);
        EXPECT_EQ(c.crossbar, load.flit_routers);
        EXPECT_EQ(c.vc_grants, load.packet_routers);
        std::uint64_t sent = 0;
        for (std::size_t r = 0; r < f.network->n_routers(); ++r) {
            for (const auto& p : f.network->port_use(static_cast<std::uint32_t>(r))) sent += p.flits;
        }
        EXPECT_EQ(sent, load.flit_hops + load.flits);
        EXPECT_EQ(f.network->counters().size(), 3u);
    }
}

TEST_P(AnyNetwork, OrderOfEvaluationDoesNotMatter) {
    const auto& [pipeline, vcs, buffer] = GetParam();
    const arch::ChipSpec spec = spec_of(3, 3, 2, vcs, buffer, pipeline);
    std::vector<std::vector<NetworkFixture::Arrival>> runs;
    for (const std::uint64_t shuffle : {0u, 1u, 99u}) {
        NetworkFixture f(spec, shuffle);
        offer_random(f, spec, 7, 800, 300);
        f.drain();
        runs.push_back(f.arrivals);
    }
    EXPECT_EQ(runs[1], runs[0]);
    EXPECT_EQ(runs[2], runs[0]);
}

TEST_P(AnyNetwork, ResetGivesTheSameTimesAgain) {
    const auto& [pipeline, vcs, buffer] = GetParam();
    const arch::ChipSpec spec = spec_of(3, 2, 1, vcs, buffer, pipeline);
    NetworkFixture f(spec);
    std::vector<std::vector<Cycle>> runs;
    for (int run = 0; run < 2; ++run) {
        const Cycle start = f.scheduler.now() + 5;
        f.arrivals.clear();
        std::mt19937 rng(3);
        for (std::uint32_t i = 0; i < 60; ++i)
            f.offer(start, static_cast<std::uint32_t>(rng() % f.endpoints()),
                    static_cast<std::uint32_t>(rng() % f.endpoints()), 3, i);
        f.drain();
        f.network->reset();
        runs.emplace_back();
        for (const auto& a : f.arrivals) runs.back().push_back(a.at - start);
    }
    EXPECT_EQ(runs[0], runs[1]);
}

INSTANTIATE_TEST_SUITE_P(Meshes, AnyNetwork,
                         ::testing::Combine(::testing::Values("P2", "P3", "P4"),
                                            ::testing::Values(1u, 2u, 4u), ::testing::Values(1u, 3u, 8u)));

TEST(Throughput, OneFlitPerCycleWhenTheBufferCoversTheCreditLoop) {
    // a flow over one link; measured over the middle of many packets
    const auto cycles_per_flit = [](unsigned buffer, unsigned latency) {
        arch::ChipSpec spec = spec_of(2, 1, 1, 1, buffer, "P2");
        spec.noc.link_latency = latency;
        NetworkFixture f(spec);
        for (std::uint32_t i = 0; i < 400; ++i) f.offer(1, 0, 1, 1, i);
        f.drain();
        return static_cast<double>(f.arrivals[350].at - f.arrivals[100].at) / 250.0;
    };
    // Loop of a credit: switch 2, link, then 2 + link for the credit: 4 + 2 * latency
    for (const unsigned latency : {1u, 4u, 10u}) {
        const unsigned loop = 4 + 2 * latency;
        EXPECT_DOUBLE_EQ(cycles_per_flit(loop, latency), 1.0) << latency;
        EXPECT_NEAR(cycles_per_flit(loop / 2, latency), 2.0, 0.02) << latency;
        EXPECT_NEAR(cycles_per_flit(1, latency), loop, 0.1) << latency;
    }
}

TEST(Throughput, TheLocalCreditLoops) {
    // within one router and with one place per buffer, the ejecting port's loop is the longer one:
    // switch 2, link to the core 1, then 1 + 2 for the credit
    NetworkFixture f(spec_of(1, 1, 2, 1, 1, "P2"));
    for (std::uint32_t i = 0; i < 300; ++i) f.offer(1, 0, 1, 1, i);
    f.drain();
    EXPECT_DOUBLE_EQ(static_cast<double>(f.arrivals[250].at - f.arrivals[50].at) / 200.0, 6.0);
}

TEST(Backpressure, AReceiverThatStopsLosesNothing) {
    const arch::ChipSpec spec = spec_of(3, 1, 1, 2, 2, "P3");
    NetworkFixture f(spec);
    f.shut[2] = true;
    for (std::uint32_t i = 0; i < 100; ++i) f.offer(1, 0, 2, 2, i);
    f.drain();
    EXPECT_TRUE(f.arrivals.empty());
    EXPECT_GT(f.network->flits_in_flight(), 8u);
    const std::string why = f.network->describe_stuck(10);
    EXPECT_THAT(why, ::testing::HasSubstr("endpoint 2 vc"));
    EXPECT_THAT(why, ::testing::HasSubstr("waits for"));
    f.shut[2] = false;
    f.poke(5000);
    f.drain();
    EXPECT_EQ(f.arrivals.size(), 100u);
    EXPECT_EQ(f.network->flits_in_flight(), 0u);
    EXPECT_EQ(f.network->describe_stuck(10), "the network is empty");
}

TEST(Idle, CostsNothing) {
    arch::ChipSpec spec = spec_of(64, 64, 4, 4, 8, "P2");
    Scheduler s;
    const auto network = noc::make_network(spec);
    s.add(*network);
    for (int i = 0; i < 100000; ++i) s.step();
    EXPECT_EQ(s.evaluations(), 0u);
}

TEST(Refused, ImpossibleNetworks) {
    const auto message = [](auto change) {
        arch::ChipSpec spec;
        change(spec);
        try {
            noc::make_network(spec);
        } catch (const ConfigError& e) {
            return std::string(e.what());
        }
        return std::string("accepted");
    };
    using Spec = arch::ChipSpec&;
    using ::testing::HasSubstr;
    EXPECT_EQ(message([](Spec s) {
                  s.io.router = {4, 0};
              }),
              "io.router: [4, 0] is no router of this 4 x 4 mesh");
    EXPECT_EQ(message([](Spec s) { s.noc.size = {}; }), "noc.size: a mesh needs 1 to 3 numbers; found 0");
    EXPECT_EQ(message([](Spec s) { s.noc.size = {0, 3}; }), "noc.size: 0 is not in 1..4096");
    EXPECT_EQ(message([](Spec s) { s.noc.router.vcs = 0; }), "noc.router.vcs: 0 is not in 1..64");
    EXPECT_EQ(message([](Spec s) { s.noc.router.buffer = 0; }), "noc.router.buffer: 0 is not in 1..4096");
    EXPECT_EQ(message([](Spec s) { s.noc.router.pipeline = "P7"; }),
              "noc.router.pipeline: unknown `P7`; known: P2, P3, P4");
    EXPECT_THAT(message([](Spec s) { s.noc.routing = "xx"; }), HasSubstr("noc.routing: unknown `xx`"));
    EXPECT_THAT(message([](Spec s) { s.noc.topology = "tours"; }), HasSubstr("did you mean 'torus'"));
    EXPECT_THAT(message([](Spec s) { s.noc.router.kind = "vx"; }),
                HasSubstr("noc.router.kind: unknown `vx`"));
    EXPECT_EQ(message([](Spec s) { s.noc.topology = "ring"; }), "noc.size: a ring needs 1 number; found 2");
    EXPECT_THAT(message([](Spec s) { s.noc.router.vc_allocator = "fair"; }),
                HasSubstr("noc.router.vc_allocator: unknown `fair`; known: separable_input_first"));
    EXPECT_THAT(message([](Spec s) { s.noc.router.arbiter = "fair"; }),
                HasSubstr("noc.router.arbiter: unknown `fair`"));
    EXPECT_EQ(message([](Spec s) { s.noc.router.classes = 3; }),
              "noc.router.classes: 3 classes do not share 4 VCs evenly");
    EXPECT_THAT(message([](Spec s) {
                    s.noc.topology = "torus";
                    s.noc.router.vcs = 1;
                }),
                HasSubstr("noc.routing: auto can deadlock on this 4 x 4 torus with 1 VC per message class (up_down cannot): "
                          "router (0, 0) +x"));
    EXPECT_THAT(message([](Spec s) {
                    s.noc.topology = "graph";
                    s.noc.size = {4};
                    s.noc.links = {{{0, 1}}, {{2, 3}}};
                }),
                HasSubstr("noc.links: router 2 cannot be reached from router 0"));
    EXPECT_THAT(message([](Spec s) {
                    s.noc.topology = "graph";
                    s.noc.size = {5};
                    s.noc.routing = "table";
                    s.noc.links = {{{0, 1}}, {{1, 2}}, {{2, 3}}, {{3, 4}}, {{4, 0}}};
                }),
                HasSubstr("can deadlock"));
    EXPECT_EQ(message([](Spec s) { s.noc.cores_per_router = 17; }),
              "noc.cores_per_router: 17 is not in 1..16");
    EXPECT_EQ(message([](Spec) {}), "accepted");
}

TEST(Refused, PacketsToNowhere) {
    const arch::ChipSpec spec = spec_of(2, 1, 1, 1, 1, "P2");
    NetworkFixture f(spec);
    f.network->attach(EndpointId{1}, {});
    f.offer(1, 0, 1, 1, 0);
    EXPECT_THROW(f.drain(), ModelError);
}

}  // namespace
}  // namespace loom
