// SPDX-License-Identifier: Apache-2.0
// Every legal combination of topology, routing function and router: all pairs, latencies, loads that would
// show a deadlock, and the check that refuses what has one.
#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <random>

#include "base/error.hpp"
#include "contract_bench.hpp"
#include "noc/catalogue.hpp"
#include "noc/routing/way.hpp"
#include "noc/traffic/pattern.hpp"
#include "noc/vc/pipeline.hpp"

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

/// Cycles per hop with a link of one cycle.
unsigned hop_cycles(const std::string& pipeline) {
    const noc::Pipeline& p = noc::find_pipeline(pipeline);
    return p.route_cycles + (p.speculative ? 1 : 2) + 2;
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
    for (const testing::Router& router : testing::all_routers()) {
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

}  // namespace
}  // namespace loom
