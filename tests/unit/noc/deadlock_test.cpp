// SPDX-License-Identifier: Apache-2.0
// The check for deadlocks refuses what deadlocks, names the circle, and accepts the rest.
#include <gmock/gmock.h>

#include <cstdlib>
#include <numeric>
#include <random>

#include "base/error.hpp"
#include "contract_bench.hpp"
#include "noc/catalogue.hpp"
#include "noc/routing/way.hpp"

namespace loom {
namespace {

using testing::Bench;

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
