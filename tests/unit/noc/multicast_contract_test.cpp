// SPDX-License-Identifier: Apache-2.0
// Destination sets in every style, on every topology, routing function and router that takes them: each
// member gets each packet exactly once. LOOM_LONG=1 in the environment: 10^6 random sets on each topology.
#include <chrono>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "multicast_bench.hpp"
#include "noc/catalogue.hpp"
#include "noc/multicast/sets.hpp"
#include "noc/traffic/pattern.hpp"

namespace loom {
namespace {

using testing::Bench;
using testing::RandomSets;
using testing::Router;
using testing::Sample;
using testing::set_spec;
using testing::takes_sets;

/// Every style, sample and routing on the routers that take it.
template <class F>
std::size_t each_multicast(const Sample& s, F f) {
    std::size_t n = 0;
    for (const std::string& style : noc::multicast_style_names()) {
        for (const char* kind : {"vc", "async", "handshake", "deflection", "timeout", "scheduled"}) {
            for (const std::string& routing : noc::builtin().routings.names()) {
                const auto b = testing::bench_or_refusal(set_spec(s, {kind, "P2"}, style, routing));
                if (b == nullptr || !takes_sets(*b)) continue;
                SCOPED_TRACE(s.name + ": " + style + ", " + testing::combination(b->spec));
                f(*b);
                ++n;
            }
        }
    }
    return n;
}

class Multicast : public testing::EachSample {};

TEST_P(Multicast, EachMemberOnceInEveryStyle) {
    const std::size_t n = each_multicast(GetParam(), [](Bench& b) {
        RandomSets sets(b);
        // copies are made from buffers that hold whole packets
        sets.run(60, b.spec.noc.router.kind == "scheduled" ? 1 : 4);
        const noc::NocCounters c = b.total();
        const std::string& style = b.spec.noc.multicast.style;
        EXPECT_EQ(c.filtered != 0, style == "region");  // strays in the box of the members
        if (style != "relay") {
            EXPECT_EQ(c.relays, 0u);
        }
        EXPECT_EQ(c.table_lookups != 0, style == "table");
    });
    EXPECT_GE(n, 8u);
}

/// Criterion: 10^6 sets on every topology (LOOM_LONG), some thousands otherwise.
TEST_P(Multicast, RandomSetsDeliverExactlyOnceToEachMember) {
    const bool all = std::getenv("LOOM_LONG") != nullptr;
    for (const std::string& style : noc::multicast_style_names()) {
        for (const char* kind : {"vc", "timeout"}) {
            const auto b = testing::bench_or_refusal(set_spec(GetParam(), {kind, "P2"}, style));
            if (b == nullptr || !takes_sets(*b)) continue;
            SCOPED_TRACE(style + ", " + testing::combination(b->spec));
            const auto start = std::chrono::steady_clock::now();
            RandomSets sets(*b);
            const bool in_network = style == "tree" || style == "table";
            const std::uint64_t n = !all ? 2500 : in_network ? 1000000 : 20000;
            sets.run(n, 1);
            if (!all) continue;
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
            std::printf("%s, %s, %s: %llu sets, %llu deliveries in %.1f s\n", GetParam().name.c_str(), kind,
                        style.c_str(), static_cast<unsigned long long>(n),
                        static_cast<unsigned long long>(b->n_arrivals), took.count());
        }
    }
}

/// Links that packets crossed are those that set_links promises.
TEST_P(Multicast, CostsAreWhatTheSetsSay) {
    for (const std::string& style : noc::multicast_style_names()) {
        for (const char* kind : {"vc", "timeout"}) {
            const auto b = testing::bench_or_refusal(set_spec(GetParam(), {kind, "P2"}, style));
            if (b == nullptr || !takes_sets(*b)) continue;
            SCOPED_TRACE(style + ", " + testing::combination(b->spec));
            RandomSets sets(*b);
            sets.run(300, 1);
            // relay: the chain; region: with strays; tree and table: the tree
            EXPECT_EQ(b->total().flit_hops(), style == "unicast" ? sets.unicast : sets.tree);
            if (style == "tree" || style == "table" || style == "unicast") {
                EXPECT_LE(sets.tree, sets.unicast);
            }
        }
    }
}

/// What a layer sends to the next one: the tree crosses fewer links than repeated packets do.
TEST_P(Multicast, TreesBeatRepeatedPacketsOnLayerMaps) {
    std::map<std::string, std::uint64_t> hops;
    for (const char* style : {"unicast", "tree"}) {
        const auto b = testing::bench_or_refusal(set_spec(GetParam(), {"vc", "P2"}, style));
        ASSERT_NE(b, nullptr);
        noc::TrafficSpec traffic;
        traffic.pattern = "layers";
        const std::uint64_t cores = b->network->topology().n_cores();
        traffic.layers = {cores / 2, cores - cores / 2};
        const auto pattern = noc::make_pattern(traffic, b->network->topology());
        for (std::uint32_t e = 0; e < cores; ++e) {
            const auto& members = (*pattern->sets())[e];
            if (members.empty()) continue;
            const std::uint32_t set = b->network->add_set(EndpointId{e}, members);
            for (unsigned i = 0; i < 5; ++i) b->offer(5, e, Destination::set(set), 2, i);
        }
        ASSERT_TRUE(b->drain());
        b->expect_empty(style);
        EXPECT_EQ(b->n_arrivals, 5 * (cores / 2) * (cores - cores / 2));
        hops[style] = b->total().flit_hops();
    }
    if (GetParam().name == "crossbar6") {
        EXPECT_EQ(hops["tree"], 0u);
    } else {
        EXPECT_LT(hops["tree"], hops["unicast"]);
    }
}

/// Dead links and routers, and damaged flits: chains, trees and tables account for every member.
TEST_P(Multicast, NothingIsLostSilently) {
    for (const bool faults : {false, true}) {
        Sample broken = GetParam();
        broken.set = [&](arch::NocSpec& n) {
            GetParam().set(n);
            n.faults.loss = 0.05;
            const noc::Topology t = noc::make_topology(n, 1000, {0});
            if (faults && t.link_ports() != 0) {
                n.faults.routers = {1};
                n.faults.links = {{0, t.channel(0, t.channel(0, 0).peer == 1 ? t.link_ports() - 1 : 0).peer}};
                if (n.faults.links[0][1] == noc::kNone || n.faults.links[0][1] == 1) n.faults.links.clear();
            }
        };
        std::uint64_t dropped = 0;
        each_multicast(broken, [&](Bench& b) {
            std::mt19937 random(3);
            std::uint64_t asked = 0;
            for (unsigned i = 0; i < 60; ++i) {
                const auto source = static_cast<std::uint32_t>(random() % b.endpoints());
                std::set<std::uint32_t> members;
                for (unsigned k = 0; k < 6; ++k)
                    members.insert(static_cast<std::uint32_t>(random() % b.endpoints()));
                const std::uint32_t set = b.network->add_set(
                    EndpointId{source}, std::vector<std::uint32_t>(members.begin(), members.end()));
                asked += members.size();
                b.offer(5 + 10 * i, source, Destination::set(set),
                        b.spec.noc.router.kind == "scheduled" ? 1 : 3, i);
            }
            ASSERT_TRUE(b.drain()) << b.network->describe_stuck(3);
            b.expect_empty("losses");
            EXPECT_EQ(b.total().packets_expected, asked);
            dropped += b.total().packets_dropped;
        });
        EXPECT_EQ(dropped != 0, GetParam().name != "crossbar6") << faults;
    }
}

INSTANTIATE_TEST_SUITE_P(Topologies, Multicast, testing::all_samples(), testing::sample_name);

}  // namespace
}  // namespace loom
