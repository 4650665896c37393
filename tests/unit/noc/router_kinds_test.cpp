// SPDX-License-Identifier: Apache-2.0
// What single kinds of router do and refuse.
#include <gmock/gmock.h>

#include <map>

#include "base/error.hpp"
#include "contract_bench.hpp"
#include "noc/catalogue.hpp"

namespace loom {
namespace {

using testing::all_routers;
using testing::all_to_one;
using testing::Bench;
using testing::offer_random;
using testing::Router;
using testing::sample;

TEST(Classes, OnlyWhereTheyHaveChannelsOfTheirOwn) {
    for (const Router& router : all_routers()) {
        arch::ChipSpec spec = testing::spec_of(sample("mesh4x3"), router, "auto");
        spec.noc.router.classes = 2;
        const auto b = testing::bench_or_refusal(spec);
        const bool has = router.kind == "vc" || router.kind == "async" || router.kind == "scheduled";
        EXPECT_EQ(b != nullptr, has) << router.kind;
        if (b == nullptr) continue;
        for (unsigned c = 0; c < 2; ++c) b->offer(5, 0, Destination::endpoint(EndpointId{11}), 2, c, c);
        ASSERT_TRUE(b->drain());
        EXPECT_EQ(b->n_arrivals, 2u);
        b->offer(b->start(), 0, Destination::endpoint(EndpointId{11}), 2, 0, 2);
        EXPECT_THROW(b->drain(), ModelError) << router.kind;
    }
}

TEST(Deflection, RefusesSlowLinksAndRoutingFunctions) {
    arch::ChipSpec spec = testing::spec_of(sample("mesh3x3_narrow"), {"deflection", "P2"}, "auto");
    EXPECT_THROW(noc::make_network(spec), ConfigError);
    spec = testing::spec_of(sample("mesh4x3"), {"deflection", "P2"}, "west_first");
    EXPECT_THROW(noc::make_network(spec), ConfigError);
}

TEST(Deflection, DeflectsWhenTwoWantOneLink) {
    Bench b(testing::spec_of(sample("mesh4x3"), {"deflection", "P2"}, "auto"));
    for (unsigned i = 0; i < 200; ++i) {
        for (std::uint32_t e = 1; e < 12; ++e) b.offer(5, e, 0, 1, i);
    }
    ASSERT_TRUE(b.drain());
    b.expect_empty("all to one");
    std::uint64_t shortest = 0, hops = 0;
    const noc::Topology& t = b.network->topology();
    for (const auto& a : b.arrivals) {
        hops += a.hops;
        shortest += t.distance(a.source, 0);
    }
    EXPECT_GT(hops, shortest + shortest / 4);
    EXPECT_EQ(b.total().flit_hops(), hops);
}

/// Sources next to a hotspot that is fed past them: bufferless routers let nobody in while all of their links
/// are taken, so there is no bound while others go on sending; once these stop, all get through.
TEST(Deflection, WhoCannotGetInNowGetsInLater) {
    Bench b(testing::spec_of(sample("mesh4x3"), {"deflection", "P2"}, "auto"));
    const auto came = all_to_one(b, 500);
    b.on_arrival = nullptr;
    ASSERT_TRUE(b.drain());
    b.expect_empty("all to one");
    EXPECT_EQ(b.n_arrivals, 500u * 12);
    EXPECT_EQ(came.size(), 12u);
}

TEST(Timeout, BlockedPacketsAreDroppedAndCounted) {
    arch::ChipSpec spec = testing::spec_of(sample("triangular4x4"), {"timeout", "P2"}, "auto");
    spec.noc.router.wait1 = 20;
    Bench b(spec);
    b.shut(5, 3000);
    for (unsigned i = 0; i < 60; ++i) b.offer(5, 0, 5, 1, i);
    ASSERT_TRUE(b.drain());
    b.expect_empty("blocked");
    EXPECT_GT(b.total().packets_dropped, 30u);
    EXPECT_GT(b.n_arrivals, 2u);
    EXPECT_EQ(b.total().emergency, 0u);
}

/// Round the two other sides of the triangle: one hop more, and everything arrives that would have been
/// dropped.
TEST(Timeout, EmergencyRoutesGoRoundABusyLink) {
    const auto run = [](unsigned wait2, unsigned reinject) {
        arch::ChipSpec spec = testing::spec_of(sample("triangular4x4"), {"timeout", "P2"}, "auto");
        spec.noc.router.wait1 = 4;
        spec.noc.router.wait2 = wait2;
        spec.noc.router.reinject = reinject;
        spec.noc.link_width = 1;  // 32 cycles per flit
        auto b = std::make_unique<Bench>(spec);
        for (unsigned i = 0; i < 200; ++i) b->offer(5 + 16 * i, 0, 1, 1, i);
        EXPECT_TRUE(b->drain());
        b->expect_empty("emergency");
        return b;
    };
    const auto none = run(0, 0), some = run(200, 0), again = run(0, 50);
    EXPECT_EQ(none->total().emergency, 0u);
    EXPECT_GT(none->total().packets_dropped, 50u);
    EXPECT_GT(some->total().emergency, 50u);
    EXPECT_EQ(some->total().packets_dropped, 0u);
    EXPECT_EQ(some->n_arrivals, 200u);
    std::uint64_t detours = 0;
    for (const auto& a : some->arrivals) detours += a.hops == 2 ? 1 : 0;
    EXPECT_EQ(detours, some->total().emergency);
    EXPECT_EQ(some->total().flit_hops(), 200 + detours);
    EXPECT_GT(again->total().reinjected, 50u);
    EXPECT_EQ(again->n_arrivals, 200u);
}

/// Inputs hold `buffer` packets each: who is blocked stops those behind.
TEST(Timeout, BuffersAreBounded) {
    arch::ChipSpec spec = testing::spec_of({"",
                                            [](arch::NocSpec& s) {
                                                s.size = {2, 1};
                                            }},
                                           {"timeout", "P2"}, "auto");
    spec.noc.router.buffer = 3;
    spec.noc.router.wait1 = 100000;
    Bench b(spec);
    b.shut(1, 1000);
    for (unsigned i = 0; i < 100; ++i) b.offer(5, 0, 1, 1, i);
    b.run_until(900);
    // an input and a router at either end
    EXPECT_EQ(b.network->flits_in_flight(), 2u * 3 + 2);
    ASSERT_TRUE(b.drain());
    EXPECT_EQ(b.n_arrivals, 100u);
}

TEST(Timeout, RefusesWhatItCannotCarry) {
    arch::ChipSpec spec = testing::spec_of(sample("mesh4x3"), {"timeout", "P2"}, "auto");
    spec.noc.router.wait2 = 5;
    EXPECT_THROW(noc::make_network(spec), ConfigError);
    Bench b(testing::spec_of(sample("mesh4x3"), {"timeout", "P2"}, "auto"));
    b.spec.noc.router.kind = "vc";  // the bench would shorten it
    b.offer(5, 0, 1, 2, 0);
    EXPECT_THROW(b.drain(), ModelError);
}

TEST(Scheduled, FlowsThatDoNotFitNameTheirConflict) {
    arch::ChipSpec spec = testing::spec_of(sample("mesh4x3"), {"scheduled", "P2"}, "auto");
    spec.noc.router.slots = 2;
    Bench b(spec);
    b.offer(5, 0, 1, 1, 0);  // meets nobody
    for (std::uint32_t e = 4; e < 7; ++e) b.offer(5, e, 7, 1, e);
    try {
        b.drain();
        FAIL() << "three flows fit two slots";
    } catch (const MappingError& e) {
        EXPECT_EQ(e.resource(), "schedule slots");
        EXPECT_EQ(e.need(), 3.0);
        EXPECT_EQ(e.have(), 2.0);
        using ::testing::HasSubstr;
        EXPECT_THAT(e.what(), HasSubstr("flow 6 -> 7 of message class 0: flow "));
        EXPECT_THAT(e.what(), ::testing::AnyOf(HasSubstr("flow 4 -> 7 has router (2, 1) +x"),
                                               HasSubstr("flow 5 -> 7 has router (2, 1) +x")));
    }
}

TEST(Scheduled, TypedNetworksDoNotMeet) {
    // four classes, four flows each over the same link: four tables of four slots
    arch::ChipSpec spec = testing::spec_of(sample("mesh4x3"), {"scheduled", "P2"}, "auto");
    spec.noc.router.slots = 4;
    spec.noc.router.classes = 4;
    Bench b(spec);
    for (unsigned c = 0; c < 4; ++c) {
        for (std::uint32_t e = 0; e < 4; ++e) b.offer(5, e, Destination::endpoint(EndpointId{11}), 1, e, c);
    }
    ASSERT_TRUE(b.drain());
    EXPECT_EQ(b.n_arrivals, 16u);
    b.expect_empty("classes");
}

TEST(Scheduled, ALaneIsASlotOfItsOwn) {
    arch::ChipSpec spec = testing::spec_of(sample("mesh4x3"), {"scheduled", "P2"}, "auto");
    spec.noc.router.slots = 1;
    Bench b(spec);
    for (unsigned i = 0; i < 50; ++i) {
        b.offer(5, 0, 3, 3, i);
        b.offer(5, 4, 7, 1, i);
    }
    ASSERT_TRUE(b.drain());
    EXPECT_EQ(b.n_arrivals, 100u);
    // back to back: 3 flits per packet, one per cycle
    EXPECT_LE(b.scheduler.now(), 5u + 50 * 3 + 20);
    b.offer(b.start(), 1, 2, 1, 0);  // over a link that flow 0 -> 3 owns
    EXPECT_THROW(b.drain(), MappingError);
}

/// slots: 0. Any number of flows fits; while the table grows nobody is in two places at once.
TEST(Scheduled, TheTableGrows) {
    Bench b(testing::spec_of(sample("mesh4x3"), {"scheduled", "P2"}, "auto"));
    offer_random(b, 5, 1500, 3000, 3);
    ASSERT_TRUE(b.drain());
    b.expect_empty("random");
    EXPECT_EQ(b.n_arrivals, 1500u);
    EXPECT_THAT(b.network->describe_tables(), ::testing::HasSubstr("slots: "));
    // a core's link carries a flit per cycle: the last flits of packets of three are three cycles apart
    std::map<std::uint32_t, Cycle> last;
    for (const auto& a : b.arrivals) {
        const auto [at, fresh] = last.try_emplace(a.endpoint, a.at);
        if (!fresh) {
            EXPECT_GE(a.at, at->second + 3) << "core " << a.endpoint;
        }
        at->second = a.at;
    }
}

/// Packets that have slots of the shorter table are still under way when it grows: nobody gets into theirs.
TEST(Scheduled, GrowingDoesNotDisturbWhatIsUnderWay) {
    Bench b(testing::spec_of(sample("mesh4x3"), {"scheduled", "P2"}, "auto"));
    for (std::uint32_t e = 1; e < 10; ++e) {
        for (unsigned i = 0; i < 30; ++i) b.offer(5, e, 0, 7, i);  // 63 of 64 slots
    }
    for (const std::uint32_t e : {10u, 11u}) {
        for (unsigned i = 0; i < 30; ++i) b.offer(400, e, 0, 7, i);
    }
    ASSERT_TRUE(b.drain());
    EXPECT_EQ(b.n_arrivals, 11u * 30);
    EXPECT_THAT(b.network->describe_tables(), ::testing::HasSubstr("schedule of 128 slots: 11 flows"));
    for (std::size_t i = 1; i < b.arrivals.size(); ++i) EXPECT_GE(b.arrivals[i].at, b.arrivals[i - 1].at + 7);
}

TEST(Scheduled, AReceiverThatStopsIsAnError) {
    Bench b(testing::spec_of(sample("mesh4x3"), {"scheduled", "P2"}, "auto"));
    b.shut(3, 100000);
    for (unsigned i = 0; i < 50; ++i) b.offer(5, 0, 3, 1, i);
    EXPECT_THROW(b.drain(), ModelError);
}

/// Nothing to do: no cycle is evaluated, whatever the size.
TEST(Idle, CostsNothingOnEveryFabric) {
    for (const Router& router : all_routers()) {
        arch::ChipSpec spec = testing::spec_of({"",
                                                [](arch::NocSpec& s) {
                                                    s.size = {32, 32};
                                                }},
                                               router, "auto");
        Bench b(spec);
        b.offer(5, 0, 1023, 1, 0);
        ASSERT_TRUE(b.drain());
        const std::uint64_t before = b.scheduler.evaluations();
        b.offer(300000, 1, 2, 1, 0);
        ASSERT_TRUE(b.drain());
        EXPECT_LT(b.scheduler.evaluations() - before, 40u) << testing::combination(spec);
        EXPECT_EQ(b.n_arrivals, 2u);
    }
}

}  // namespace
}  // namespace loom
