// SPDX-License-Identifier: Apache-2.0
// Key/mask tables of destination sets.
#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "base/error.hpp"
#include "multicast_bench.hpp"
#include "noc/multicast/key_mask.hpp"

namespace loom {
namespace {

using testing::Bench;
using testing::RandomSets;
using testing::set_spec;

TEST(Tables, WhatGoesStraightOnNeedsNoEntry) {
    arch::ChipSpec spec = set_spec({"",
                                    [](arch::NocSpec& s) {
                                        s.size = {8, 1};
                                    }},
                                   {"timeout", "P2"}, "table");
    Bench b(spec);
    const std::uint32_t set = b.network->add_set(EndpointId{0}, std::vector<std::uint32_t>{7});
    b.offer(5, 0, Destination::set(set), 1, 0);
    ASSERT_TRUE(b.drain());
    EXPECT_EQ(b.n_arrivals, 1u);
    EXPECT_EQ(b.total().table_lookups, 8u);
    // at the source and at the end only
    EXPECT_EQ(b.network->describe_tables(),
              "key/mask tables: 2 entries in 2 routers, largest 1 (before minimisation 2 and 1)");
}

TEST(Tables, TooManyEntriesSayHowMany) {
    arch::ChipSpec spec = set_spec({"", [](arch::NocSpec& s) { s.size = {4, 4}; }}, {"vc", "P2"}, "table");
    const auto run = [&](std::uint64_t entries, bool minimise) {
        spec.noc.multicast.table_entries = entries;
        spec.noc.multicast.minimise = minimise;
        Bench b(spec);
        RandomSets(b).run(200, 1);
    };
    EXPECT_NO_THROW(run(200, false));
    EXPECT_NO_THROW(run(140, true));  // the same sets, by minimised tables
    try {
        run(20, true);
        FAIL() << "200 random sets fit 20 entries";
    } catch (const MappingError& e) {
        EXPECT_EQ(e.resource(), "key/mask table entries");
        EXPECT_EQ(e.have(), 20.0);
        EXPECT_GT(e.need(), 20.0);
        EXPECT_THAT(e.what(), ::testing::HasSubstr("router ("));
    }
}

TEST(Tables, EmergencyRoutesKeepTheDirectionOfPacketsThatGoStraightOn) {
    arch::ChipSpec spec = set_spec({"",
                                    [](arch::NocSpec& s) {
                                        s.topology = "triangular", s.size = {6, 6};
                                    }},
                                   {"timeout", "P2"}, "table");
    spec.noc.router.wait1 = 3;
    spec.noc.router.wait2 = 400;
    spec.noc.link_width = 1;
    Bench b(spec);
    const std::uint32_t set =
        b.network->add_set(EndpointId{0}, std::vector<std::uint32_t>{3});  // three links in x
    for (unsigned i = 0; i < 60; ++i) b.offer(5 + 16 * i, 0, Destination::set(set), 1, i);
    ASSERT_TRUE(b.drain());
    b.expect_empty("emergency");
    EXPECT_GT(b.total().emergency, 20u);
    EXPECT_EQ(b.n_arrivals, 60u);
}

/// Lost copies of a tree count for all members behind them, strays of a region for none.
TEST(Tables, DroppedCopiesCountTheirMembers) {
    for (const char* style : {"tree", "table", "region"}) {
        arch::ChipSpec spec = set_spec({"",
                                        [](arch::NocSpec& s) {
                                            s.size = {4, 4};
                                        }},
                                       {"timeout", "P2"}, style);
        spec.noc.router.wait1 = 5;
        spec.noc.router.reinject = 0;
        spec.noc.router.buffer = 1;
        Bench b(spec);
        for (const std::uint32_t e : {5u, 10u, 15u}) b.shut(e, 5000);
        std::uint64_t asked = 0;
        for (std::uint32_t e = 0; e < 16; ++e) {
            const std::uint32_t set =
                b.network->add_set(EndpointId{e}, std::vector<std::uint32_t>{3, 5, 10, 12, 15});
            for (unsigned i = 0; i < 8; ++i) b.offer(5, e, Destination::set(set), 1, i);
            asked += 8 * 5;
        }
        ASSERT_TRUE(b.drain());
        b.expect_empty(style);
        EXPECT_EQ(b.total().packets_expected, asked);
        EXPECT_GT(b.total().packets_dropped, 100u) << style;
    }
}

TEST(Tables, RandomOnesOfTenThousandKeysAgreeAfterMinimisation) {
    std::mt19937 random(7);
    constexpr std::uint32_t kAll = ~std::uint32_t{0};
    std::vector<noc::KeyMaskEntry> entries;
    std::vector<std::uint32_t> pass;
    // as cores number their neurons: blocks of keys with one set of ports, now and then another
    std::uint64_t ports = 1;
    for (std::uint32_t k = 0; k < 10000; ++k) {
        if (k % 64 == 0) ports = 1 + random() % 12;
        const auto draw = random() % 40;
        if (draw == 0) {
            pass.push_back(k);
        } else {
            entries.push_back({k, kAll, draw == 1 ? 1 + random() % 12 : ports});
        }
    }
    const noc::KeyMaskTable before(entries), after = noc::minimise(before, pass);
    EXPECT_LT(after.size(), before.size() / 4);
    EXPECT_EQ(noc::first_difference(before, after), std::nullopt);
    for (const auto& e : entries) ASSERT_EQ(after.lookup(e.key), e.ports) << e.key;
    for (const std::uint32_t k : pass) ASSERT_EQ(after.lookup(k), std::nullopt) << k;
}

/// A table in too many pieces to be minimised stays as it is.
TEST(Tables, OverlappingOnesAreNotEmptied) {
    std::mt19937 random(5);
    for (unsigned round = 0; round < 20; ++round) {
        std::vector<noc::KeyMaskEntry> entries;
        for (unsigned i = 0; i < 40; ++i) {
            const auto mask = static_cast<std::uint32_t>(random() & random());
            entries.push_back({static_cast<std::uint32_t>(random()) & mask, mask, 1 + random() % 5});
        }
        const noc::KeyMaskTable before(entries), after = noc::minimise(before);
        EXPECT_EQ(noc::first_difference(before, after), std::nullopt) << round;
        for (unsigned i = 0; i < 500; ++i) {
            const auto key = static_cast<std::uint32_t>(random());
            EXPECT_EQ(before.lookup(key), after.lookup(key));
        }
    }
}

}  // namespace
}  // namespace loom
