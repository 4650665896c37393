// SPDX-License-Identifier: Apache-2.0
// Every legal combination of topology, routing function and router: all pairs, latencies, loads that would
// show a deadlock, and the check that refuses what has one.
#include <gmock/gmock.h>

#include <cstdlib>
#include <numeric>
#include <random>

#include "contract_bench.hpp"
#include "noc/routing/way.hpp"
#include "noc/vc_network.hpp"

namespace loom {
namespace {

using testing::Bench;
using testing::EachSample;

/// A routing function of the same specification, to look into.
struct Ways {
    noc::Topology topology;
    std::unique_ptr<noc::Routing> routing;
    explicit Ways(const arch::ChipSpec& s)
        : topology(noc::make_topology(s.noc, s.clock.period, s.io.router)),
          routing(noc::make_routing(s.noc, topology, static_cast<unsigned>(s.noc.router.vcs))) {}
};

unsigned hop_cycles(const std::string& pipeline) {
    return noc::find_pipeline(pipeline).hop_cycles();
}

/// One packet at a time between all pairs.
void all_pairs(Bench& b) {
    const arch::ChipSpec& s = b.spec;
    const bool deflection = s.noc.router.kind == "deflection", scheduled = s.noc.router.kind == "scheduled";
    const Ways ways(s);
    const noc::Topology& t = b.network->topology();
    const bool plain = s.noc.link_latency == 1 && s.noc.link_latency_y == 0 && s.noc.link_width == 0 &&
                       s.noc.link_period == 0 && s.noc.cores_per_router == 1 && s.noc.chips.grid[0] == 1 &&
                       (s.noc.topology == "mesh" || s.noc.topology == "torus") && s.noc.router.kind == "vc";
    for (std::uint32_t from = 0; from < b.endpoints(); ++from) {
        for (std::uint32_t to = 0; to < b.endpoints(); ++to) {
            const unsigned flits = b.one_flit() ? 1 : 1 + (from + 2 * to) % 4;
            if (scheduled) b.network->reset();
            const Cycle at = b.scheduler.now() + 300;
            b.arrivals.clear();
            b.offer(at, from, to, flits, 7);
            ASSERT_TRUE(b.drain());
            ASSERT_EQ(b.arrivals.size(), 1u) << from << " -> " << to;
            const auto& a = b.arrivals[0];
            EXPECT_EQ(a.endpoint, to);
            const Cycles latency = a.at - at;
            EXPECT_EQ(latency, b.network->zero_load_latency(EndpointId{from}, EndpointId{to}, flits))
                << from << " -> " << to << ", " << flits << " flits";
            EXPECT_EQ(a.hops, b.network->zero_load_hops(EndpointId{from}, EndpointId{to}))
                << from << " -> " << to;
            const std::uint32_t distance = t.distance(t.router_of(from), t.router_of(to));
            if (ways.routing->minimal || deflection) {
                EXPECT_EQ(a.hops, distance) << from << " -> " << to;
            }
            EXPECT_GE(a.hops, distance);
            if (plain && ways.routing->minimal) {
                // reference 1.6: T0 = c R + 2 + (L - 1)
                EXPECT_EQ(latency, hop_cycles(s.noc.router.pipeline) * (distance + 1) + 2 + flits - 1);
            }
        }
    }
    b.expect_empty("all pairs");
    b.arrivals.clear();
}

/// Flits in = out + on their way, while it runs (no packet is dropped half).
void expect_flits(const Bench& b, unsigned flits) {
    const noc::NocCounters c = b.total();
    const std::string& kind = b.spec.noc.router.kind;
    const std::uint64_t out = kind == "timeout" || kind == "scheduled"
                                  ? (c.packets_delivered + c.packets_dropped) * flits
                                  : c.ni_out;
    ASSERT_EQ(c.packets_expected * flits, out + b.network->flits_in_flight());
}

/// No link carries more than it can.
void expect_links(const Bench& b) {
    const noc::Topology& t = b.network->topology();
    const double cycles = static_cast<double>(b.scheduler.now() + 1);
    for (std::uint32_t r = 0; r < t.n_routers(); ++r) {
        unsigned port = 0;
        for (const noc::PortUse& use : b.network->port_use(r)) {
            while (port < t.link_ports() && t.channel(r, port).peer == noc::kNone) ++port;
            const double ps = port < t.link_ports() ? static_cast<double>(t.channel(r, port).flit_ps) : 0;
            const double most = cycles * std::min(1.0, ps > 0 ? b.spec.clock.period / ps : 1.0) + 1;
            EXPECT_LE(static_cast<double>(use.flits), most) << "router " << r << " " << use.name;
            ++port;
        }
    }
}

/// Every core sends `n` packets at once by a pattern, and everything comes out again.
void drain_pattern(Bench& b, const noc::Pattern& pattern, unsigned n, unsigned flits, const std::string& name,
                   Cycle shut) {
    const noc::TrafficRng rng(5);
    const Cycle at = b.start();
    const std::uint32_t cores = b.network->topology().n_cores();
    std::vector<unsigned> to(b.endpoints(), 0), came(b.endpoints(), 0);
    for (std::uint32_t from = 0; from < cores; ++from) {
        for (unsigned i = 0; i < n && pattern.share(from) > 0; ++i) {
            const std::uint32_t d = pattern.destination(from, i, rng);
            if (d == noc::kNone) continue;
            b.offer(at, from, d, flits, i);
            ++to[d];
        }
    }
    for (std::uint32_t e = 0; shut != 0 && e < b.endpoints(); e += 2) b.shut(e, at + shut);
    const std::uint64_t dropped = b.total().packets_dropped;
    ASSERT_TRUE(b.drain()) << name << ": " << b.network->describe_stuck(5);
    b.expect_empty(name);
    for (const auto& a : b.arrivals) ++came[a.endpoint];
    b.arrivals.clear();
    if (b.spec.noc.router.kind != "timeout") {
        EXPECT_EQ(b.total().packets_dropped, dropped) << name;
    }
    if (b.total().packets_dropped == dropped) {
        EXPECT_EQ(came, to) << name;
    }
}

void loads(Bench& b, unsigned n) {
    const bool scheduled = b.spec.noc.router.kind == "scheduled";
    for (const std::string& name : noc::pattern_names()) {
        noc::TrafficSpec traffic;
        traffic.pattern = name;
        traffic.hotspots = {{0, 3}, {1, 1}};
        traffic.background = 0.3;
        traffic.pairs = {{0, 1}, {1, 0}, {0, 0}};
        traffic.layers = {1, 1};
        traffic.fan_out = 1;
        std::unique_ptr<noc::Pattern> pattern;
        try {
            pattern = noc::make_pattern(traffic, b.network->topology());
        } catch (const ConfigError&) {
            continue;  // bit patterns want powers of two, grids their shape
        }
        if (pattern->sets() != nullptr) continue;
        for (const unsigned flits : {1u, 2 * static_cast<unsigned>(b.spec.noc.router.buffer) + 1}) {
            if (scheduled) b.network->reset();
            // a schedule has no flow control: its receivers may not stop
            drain_pattern(b, *pattern, n, flits, name, 0);
            if (!scheduled && name == "hotspot") drain_pattern(b, *pattern, n, flits, name + ", shut", 200);
        }
    }
    expect_links(b);
}

class EachRouting : public EachSample {};

TEST_P(EachRouting, ZeroLoadLatencyAndHopsOfAllPairs) {
    const std::size_t n = testing::each_combination(GetParam(), all_pairs);
    EXPECT_GE(n, 7u);  // at least `auto` on nearly every router
}

TEST_P(EachRouting, AdversarialLoadsDrain) {
    testing::each_combination(GetParam(), [](Bench& b) { loads(b, 6); });
}

/// The same with one VC of one flit, where it is allowed: the hardest case for a deadlock.
TEST_P(EachRouting, AdversarialLoadsDrainThroughTheSmallestBuffers) {
    for (const std::string& routing : noc::builtin().routings.names()) {
        for (const unsigned vcs : {1u, 2u}) {
            arch::ChipSpec s = testing::spec_of(GetParam(), {"vc", "P2"}, routing);
            s.noc.router.vcs = vcs;
            s.noc.router.buffer = 1;
            const auto b = testing::bench_or_refusal(s);
            if (b == nullptr) continue;
            SCOPED_TRACE(GetParam().name + ": " + testing::combination(s));
            loads(*b, 8);
        }
    }
}

TEST_P(EachRouting, FlitsAreNeitherLostNorMadeWhileItRuns) {
    for (const testing::Router& router : testing::routers()) {
        const auto b = testing::bench_or_refusal(testing::spec_of(GetParam(), router, "auto"));
        if (b == nullptr) continue;
        SCOPED_TRACE(GetParam().name + ": " + testing::combination(b->spec));
        const unsigned flits = b->one_flit() ? 1 : 3;
        std::mt19937 random(3);
        const Cycle start = b->start();
        for (unsigned i = 0; i < 300; ++i) {
            const auto from = static_cast<std::uint32_t>(random() % b->endpoints());
            b->offer(start + i, from, static_cast<std::uint32_t>(random() % b->endpoints()), flits, i);
        }
        for (Cycle at = start; at < start + 2000; at += 17) {
            b->run_until(at);
            expect_flits(*b, flits);
        }
        ASSERT_TRUE(b->drain());
        expect_flits(*b, flits);
        b->expect_empty("random");
        EXPECT_EQ(b->total().packets_dropped, 0u);
    }
}

/// Up*/down* needs nothing but a connected graph: one VC, no exception.
TEST_P(EachRouting, UpDownIsLegalEverywhere) {
    for (const char* kind : {"vc", "handshake"}) {
        arch::ChipSpec s = testing::spec_of(GetParam(), {kind, "P2"}, "up_down");
        s.noc.router.vcs = 1;
        EXPECT_NE(testing::bench_or_refusal(s), nullptr) << kind;
    }
}

INSTANTIATE_TEST_SUITE_P(Topologies, EachRouting, testing::all_samples(), testing::sample_name);

// --- the check ---

std::string refusal(const arch::NocSpec& noc) {
    arch::ChipSpec s;
    s.noc = noc;
    s.io.router = {0};
    try {
        noc::make_network(s);
    } catch (const ConfigError& e) {
        return e.what();
    }
    return "accepted";
}

arch::NocSpec grid(const char* topology, std::vector<std::uint64_t> size, unsigned vcs,
                   const char* routing = "auto") {
    arch::NocSpec s;
    s.topology = topology;
    s.size = std::move(size);
    s.router.vcs = vcs;
    s.routing = routing;
    return s;
}

TEST(DeadlockCheck, RefusesRingsWithoutDatelinesAndNamesTheCycle) {
    using ::testing::HasSubstr;
    EXPECT_THAT(refusal(grid("ring", {4}, 1)), HasSubstr("can deadlock on this ring with 1 VC"));
    EXPECT_THAT(refusal(grid("ring", {4}, 1)), HasSubstr("router 0 +x -> router 1 +x -> "));
    EXPECT_EQ(refusal(grid("ring", {4}, 2)), "accepted");
    // rings of three have no way of two links
    EXPECT_EQ(refusal(grid("ring", {3}, 1)), "accepted");
    EXPECT_EQ(refusal(grid("torus", {3, 3, 3}, 1)), "accepted");
    for (const std::uint64_t k : {4u, 5u, 6u, 7u, 8u, 13u, 64u, 65u}) {
        EXPECT_THAT(refusal(grid("torus", {k, k}, 1)), HasSubstr("can deadlock")) << k;
        EXPECT_EQ(refusal(grid("torus", {k, k}, 2)), "accepted") << k;
    }
    for (const std::uint64_t k : {4u, 5u, 6u, 7u, 12u}) {
        EXPECT_THAT(refusal(grid("torus", {k, k, k}, 1)), HasSubstr("can deadlock")) << k;
        EXPECT_EQ(refusal(grid("torus", {k, k, k}, 2)), "accepted") << k;
    }
    // every message class needs its own pair
    arch::NocSpec s = grid("torus", {5, 5}, 4);
    s.router.classes = 4;
    EXPECT_THAT(refusal(s), HasSubstr("can deadlock on this 5 x 5 torus with 1 VC per message class"));
}

TEST(DeadlockCheck, TablesOnLargeGraphs) {
    // a ring of more routers than the enumeration of old: refused with the cycle; a line is safe
    const auto line = [](std::uint64_t n, bool closed) {
        arch::NocSpec s = grid("graph", {n}, 2, "table");
        for (std::uint64_t i = 0; i + 1 < n; ++i) s.links.push_back({{i, i + 1}, 0, 0});
        if (closed) s.links.push_back({{n - 1, 0}, 0, 0});
        return s;
    };
    EXPECT_THAT(refusal(line(2100, true)),
                ::testing::AllOf(::testing::HasSubstr("can deadlock"),
                                 ::testing::HasSubstr("router 7 link 1 -> router 8 link 1")));
    EXPECT_EQ(refusal(line(2100, false)), "accepted");
    EXPECT_THAT(refusal(line(4100, false)), ::testing::HasSubstr("too large to be checked"));
    arch::NocSpec up_down = line(4100, true);
    up_down.routing = "up_down";
    EXPECT_EQ(refusal(up_down), "accepted");  // safe on any graph
}

TEST(DeadlockCheck, ChipsWithBridgesOfAnySize) {
    arch::NocSpec s = grid("mesh", {16, 16}, 1);
    s.chips.grid = {4, 4};
    EXPECT_EQ(refusal(s), "accepted");
    s.faults.links = {{3, 4}};
    EXPECT_EQ(refusal(s), "accepted");
}

TEST(DeadlockCheck, TriangularTori) {
    EXPECT_THAT(refusal(grid("triangular", {4, 4}, 1)), ::testing::HasSubstr("can deadlock"));
    EXPECT_EQ(refusal(grid("triangular", {8, 8}, 2)), "accepted");
    EXPECT_EQ(refusal(grid("triangular", {7, 7}, 2)), "accepted");
    // the diagonals' ring crosses the edge of x several times: two halves do not do
    EXPECT_THAT(refusal(grid("triangular", {4, 8}, 2)), ::testing::HasSubstr("can deadlock"));
    EXPECT_THAT(refusal(grid("triangular", {100, 100}, 2)), ::testing::HasSubstr("too large to be checked"));
}

/// Asynchronous routers of a large mesh: the check is about its shape, not about its picoseconds.
TEST(DeadlockCheck, LargeAsynchronousMeshes) {
    arch::ChipSpec s;
    s.clock.period = 100;
    s.noc.size = {64, 64};
    s.noc.router.kind = "async";
    s.noc.router.async.x = 4100;
    EXPECT_NO_THROW(noc::make_network(s));
}

/// Cores all round a ring send two thirds of the way up at once.
bool ring_drains(unsigned vcs, bool check) {
    arch::ChipSpec s;
    s.noc = grid("ring", {6}, vcs);
    s.noc.router.buffer = 2;
    s.io.router = {0};
    s.noc.check_deadlock = check;
    Bench b(s);
    for (std::uint32_t e = 0; e < 6; ++e) {
        for (unsigned i = 0; i < 20; ++i) b.offer(3, e, (e + 2) % 6, 8, i);
    }
    const bool drained = b.drain(20000) && b.n_arrivals == 120;
    EXPECT_EQ(drained, b.network->flits_in_flight() == 0);
    return drained;
}

TEST(DeadlockCheck, WhatItRefusesReallyDeadlocks) {
    EXPECT_THROW(ring_drains(1, true), ConfigError);
    EXPECT_FALSE(ring_drains(1, false));
    EXPECT_TRUE(ring_drains(2, true));
}

TEST(DeadlockCheck, ATableOnACycleReallyDeadlocks) {
    arch::ChipSpec s;
    s.noc = grid("graph", {6}, 1, "table");
    s.noc.router.buffer = 1;
    for (std::uint64_t i = 0; i < 6; ++i) s.noc.links.push_back({{i, (i + 1) % 6}, 0, 0});
    s.io.router = {0};
    EXPECT_THROW(noc::make_network(s), ConfigError);
    s.noc.check_deadlock = false;
    Bench b(s);
    for (std::uint32_t e = 0; e < 6; ++e) {
        for (unsigned i = 0; i < 20; ++i) b.offer(3, e, (e + 2) % 6, 8, i);
    }
    EXPECT_FALSE(b.drain(20000) && b.n_arrivals == 120);
    EXPECT_THAT(b.network->describe_stuck(3), ::testing::HasSubstr("waits for"));
}

/// Every coin of a torus is thrown both ways in the check.
TEST(DeadlockCheck, CoinsComeBothWays) {
    unsigned seen = 0;
    for (std::uint32_t entered = 0; entered < 200; ++entered) {
        noc::PacketRecord p;
        p.entered = entered;
        unsigned bits = 0;
        for (unsigned d = 0; d < 3; ++d) bits |= (noc::ring_coin(p, d) ? 1u : 0u) << d;
        seen |= 1u << bits;
    }
    EXPECT_EQ(seen, 255u);
}

}  // namespace
}  // namespace loom
