// SPDX-License-Identifier: Apache-2.0
// Nothing is lost silently by dead links, dead routers or damaged flits.
#include <cmath>
#include <random>

#include "contract_bench.hpp"
#include "noc/routing/way.hpp"

namespace loom {
namespace {

using testing::all_routers;
using testing::Bench;
using testing::offer_random;
using testing::Router;
using testing::Sample;
using testing::sample;

void with_faults(const Sample& s, arch::NocSpec& noc) {
    s.set(noc);
    const noc::Topology t = noc::make_topology(noc, 1000, {0});
    const std::uint32_t cores = t.n_cores() / t.cores_per_router();
    if (t.link_ports() == 0) {
        noc.faults.routers = {0};
        return;
    }
    noc.faults.routers = {cores - 1};
    for (std::uint32_t r = 0; r < t.n_routers() && noc.faults.links.empty(); ++r) {
        for (unsigned p = 0; p < t.link_ports(); ++p) {
            const std::uint32_t peer = t.channel(r, p).peer;
            if (peer == noc::kNone || r == cores - 1 || peer == cores - 1) continue;
            noc.faults.links = {{r, peer}};
            break;
        }
    }
}

TEST(Faults, WhatCanBeReachedIsDeliveredAndTheRestIsCounted) {
    std::size_t combinations = 0, lost = 0;
    for (const Sample& s : testing::samples()) {
        const Sample broken{s.name, [&](arch::NocSpec& n) { with_faults(s, n); }};
        combinations += testing::each_combination(broken, [&](Bench& b) {
            const noc::Topology& t = b.network->topology();
            const auto routing = noc::make_routing(b.spec.noc, t, 4);
            const std::string& name = b.spec.noc.routing;
            const bool detours = name == "table" || name == "adaptive" || routing->safe ||
                                 b.spec.noc.router.kind == "deflection";
            std::uint64_t expected = 0;
            bool exact = !t.wraps;  // coins decide which way a packet meets a dead link
            std::uint32_t number = 0;
            for (std::uint32_t from = 0; from < b.endpoints(); ++from) {
                for (std::uint32_t to = 0; to < b.endpoints(); ++to) {
                    const std::uint32_t a = t.router_of(from), z = t.router_of(to);
                    const bool reached = !t.dead(a) && !t.dead(z) && t.distance(a, z) != noc::kNone;
                    exact &= detours || !routing->several;
                    expected += detours ? reached : !noc::way_of(*routing, from, to).empty();
                    if (!reached) {
                        EXPECT_TRUE(noc::way_of(*routing, from, to).empty());
                    }
                    b.offer(5 + 150 * from, from, to, 2, number++);  // a timeout router drops what is late
                }
            }
            ASSERT_TRUE(b.drain()) << b.network->describe_stuck(3);
            b.expect_empty("faults");
            const std::uint64_t all = std::uint64_t{b.endpoints()} * b.endpoints();
            EXPECT_EQ(b.total().packets_expected, all);
            if (exact) {
                EXPECT_EQ(b.n_arrivals, expected);
            }
            EXPECT_LT(b.n_arrivals, all);
            lost += all - b.n_arrivals;
        });
    }
    EXPECT_GT(combinations, 300u);
    EXPECT_GT(lost, 1000u);
}

TEST(Faults, ADamagedFlitCostsItsPacketOnEveryFabric) {
    for (const char* name : {"mesh4x3", "torus5x4", "tree2x3", "triangular4x4", "graph7"}) {
        for (const Router& router : all_routers()) {
            arch::ChipSpec spec = testing::spec_of(sample(name), router, "auto");
            spec.noc.faults.loss = 0.03;
            const auto b = testing::bench_or_refusal(spec);
            if (b == nullptr) continue;
            SCOPED_TRACE(std::string(name) + ": " + testing::combination(spec));
            // one at a time: the way is the shortest, and a packet of L flits survives h links with (1 -
            // p)^(L h)
            std::mt19937 random(4);
            double mean = 0, variance = 0;
            const unsigned flits = b->one_flit() ? 1 : 2;
            for (std::uint32_t i = 0; i < 1500; ++i) {
                const auto from = static_cast<std::uint32_t>(random() % b->endpoints());
                const auto to = static_cast<std::uint32_t>(random() % b->endpoints());
                const unsigned hops = b->network->zero_load_hops(EndpointId{from}, EndpointId{to});
                const double p = std::pow(1 - spec.noc.faults.loss, flits * hops);
                mean += p;
                variance += p * (1 - p);
                b->offer(5 + 40 * i, from, to, flits, i);
            }
            ASSERT_TRUE(b->drain());
            b->expect_empty("losses");
            EXPECT_GT(b->total().packets_dropped, 20u);
            EXPECT_NEAR(static_cast<double>(b->n_arrivals), mean, 5 * std::sqrt(variance) + 1);
        }
    }
}

TEST(Faults, ALossOfOneLeavesOnlyWhatCrossesNoLink) {
    for (const Router& router : all_routers()) {
        arch::ChipSpec spec = testing::spec_of(sample("mesh3x2_tiles"), router, "auto");
        spec.noc.faults.loss = 1;
        const auto b = testing::bench_or_refusal(spec);
        ASSERT_NE(b, nullptr);
        SCOPED_TRACE(testing::combination(spec));
        for (std::uint32_t from = 0; from < 12; ++from) {
            for (std::uint32_t to = 0; to < 12; ++to) b->offer(5 + 100 * from, from, to, 2, to);
        }
        ASSERT_TRUE(b->drain());
        b->expect_empty("losses");
        EXPECT_EQ(b->n_arrivals, 24u);
    }
}

}  // namespace
}  // namespace loom
