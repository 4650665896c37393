// SPDX-License-Identifier: Apache-2.0
// Every kind of router, allocator and arbiter: fair, in order, the same whatever the order of evaluation and
// after a reset, and nothing is lost silently by dead links, dead routers or damaged flits.
#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <random>

#include "contract_bench.hpp"
#include "noc/routing/way.hpp"

namespace loom {
namespace {

using testing::Bench;
using testing::Router;
using testing::Sample;

const Sample& sample(const std::string& name) {
    for (const Sample& s : testing::samples()) {
        if (s.name == name) return s;
    }
    throw InternalError("no sample " + name);
}

/// Packets of random pairs and lengths, `spread` cycles long.
void offer_random(Bench& b, Cycle start, unsigned n, Cycle spread, unsigned most_flits, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::vector<std::tuple<Cycle, std::uint32_t, std::uint32_t, unsigned>> list;
    for (unsigned i = 0; i < n; ++i)
        list.emplace_back(random() % spread, random() % b.endpoints(), random() % b.endpoints(),
                          1 + random() % most_flits);
    std::sort(list.begin(), list.end());
    // flows of a schedule have one length
    const bool same = b.spec.noc.router.kind == "scheduled";
    std::uint32_t number = 0;
    for (const auto& [at, from, to, flits] : list)
        b.offer(start + at, from, to, same ? most_flits : flits, number++);
}

/// Arrivals by cycle since `start`; the order within a cycle is that of the bench.
std::vector<Bench::Arrival> since(const std::vector<Bench::Arrival>& arrivals, Cycle start) {
    std::vector<Bench::Arrival> out = arrivals;
    for (auto& a : out) a.at -= start;
    return out;
}

std::vector<Router> all_routers() {
    return testing::routers();
}

TEST(Order, OfEvaluationDoesNotMatter) {
    for (const Sample& s : testing::samples()) {
        for (const Router& router : all_routers()) {
            arch::ChipSpec spec = testing::spec_of(s, router, "auto");
            spec.noc.faults.loss = 0.02;
            std::vector<std::vector<Bench::Arrival>> runs;
            for (const std::uint64_t shuffle : {0u, 1u, 77u}) {
                const auto b = testing::bench_or_refusal(spec, shuffle);
                if (b == nullptr) break;
                // a core that takes nothing for a while gives the links' credits a part
                for (std::uint32_t e = 0; e < b->endpoints() && router.kind != "scheduled"; ++e)
                    b->shut(e, 60 + 7 * e);
                offer_random(*b, 5, 250, 120, 4);
                ASSERT_TRUE(b->drain());
                runs.push_back(b->arrivals);
            }
            if (runs.empty()) continue;
            SCOPED_TRACE(s.name + ": " + testing::combination(spec));
            EXPECT_EQ(runs[1], runs[0]);
            EXPECT_EQ(runs[2], runs[0]);
        }
    }
}

/// Cycles of a sample do not depend on the samples before it: arbiters, coins, losses, schedules start anew.
TEST(Reset, GivesTheSameTimesAgain) {
    for (const Sample& s : testing::samples()) {
        for (const Router& router : all_routers()) {
            arch::ChipSpec spec = testing::spec_of(s, router, "auto");
            spec.noc.faults.loss = 0.03;
            const auto b = testing::bench_or_refusal(spec);
            if (b == nullptr) continue;
            SCOPED_TRACE(s.name + ": " + testing::combination(spec));
            std::vector<std::vector<Bench::Arrival>> runs;
            for (const Cycle wait : {3u, 4u, 101u}) {
                const Cycle start = b->scheduler.now() + wait;
                b->arrivals.clear();
                offer_random(*b, start, 200, 60, 3);
                ASSERT_TRUE(b->drain());
                b->network->reset();
                runs.push_back(since(b->arrivals, start));
            }
            EXPECT_EQ(runs[1], runs[0]);
            EXPECT_EQ(runs[2], runs[0]);
        }
    }
}

TEST(Allocators, EveryPairWithEveryArbiterDrainsInOrder) {
    for (const char* name : {"mesh4x3", "torus5x4", "tree2x3", "crossbar6"}) {
        for (const std::string& va : noc::allocator_names()) {
            for (const std::string& sa : noc::allocator_names()) {
                for (const std::string& arbiter : noc::arbiter_names()) {
                    for (const unsigned vcs : {1u, 4u}) {
                        arch::ChipSpec spec =
                            testing::spec_of(sample(name), {"vc", vcs == 1 ? "P3" : "P2"}, "auto");
                        spec.noc.router.vc_allocator = va;
                        spec.noc.router.switch_allocator = sa;
                        spec.noc.router.arbiter = arbiter;
                        spec.noc.router.iterations = 2;
                        spec.noc.router.vcs = vcs;
                        spec.noc.router.buffer = 2;
                        const auto b = testing::bench_or_refusal(spec);
                        if (b == nullptr) continue;  // a torus with one VC
                        SCOPED_TRACE(std::string(name) + " " + va + " " + sa + " " + arbiter);
                        offer_random(*b, 5, 300, 50, 5);
                        for (std::uint32_t e = 0; e < b->endpoints(); ++e) {
                            for (unsigned i = 0; i < 5; ++i) b->offer(60, e, 0, 3, 1000 + i);
                        }
                        ASSERT_TRUE(b->drain()) << b->network->describe_stuck(3);
                        b->expect_empty("load");
                        EXPECT_EQ(b->n_arrivals, 300u + 5 * b->endpoints());
                        if (vcs != 1) continue;
                        std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> last;
                        for (const auto& a : b->arrivals) {
                            auto [at, fresh] = last.try_emplace({a.source, a.endpoint}, a.number);
                            if (!fresh) {
                                EXPECT_LT(at->second, a.number);
                            }
                            at->second = a.number;
                        }
                    }
                }
            }
        }
    }
}

/// Deterministic routing and one VC: packets of a flow stay in order, on every fabric that does not deflect.
TEST(Order, OfAFlowIsKept) {
    for (const Sample& s : testing::samples()) {
        for (const std::string& routing : noc::builtin().routings.names()) {
            for (const Router& router : all_routers()) {
                if (router.kind == "deflection") continue;
                arch::ChipSpec spec = testing::spec_of(s, router, routing);
                spec.noc.router.vcs = 1;
                const auto b = testing::bench_or_refusal(spec);
                if (b == nullptr) continue;
                const auto& t = b->network->topology();
                if (noc::make_routing(spec.noc, t, 1)->several || t.wraps) continue;
                SCOPED_TRACE(s.name + ": " + testing::combination(spec));
                offer_random(*b, 5, 400, 100, 3);
                ASSERT_TRUE(b->drain());
                std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> last;
                for (const auto& a : b->arrivals) {
                    auto [at, fresh] = last.try_emplace({a.source, a.endpoint}, a.number);
                    if (!fresh) {
                        EXPECT_LT(at->second, a.number);
                    }
                    at->second = a.number;
                }
            }
        }
    }
}

// --- fairness ---

/// Deliveries per source while all send to core 0 for `cycles`.
std::vector<std::uint64_t> all_to_one(Bench& b, Cycle cycles) {
    const std::uint32_t cores = b.network->topology().n_cores();
    std::vector<std::uint64_t> came(b.endpoints(), 0);
    for (std::uint32_t e = 0; e < cores; ++e) {
        for (unsigned i = 0; i < cycles; ++i) b.offer(3, e, 0, 1, i);
    }
    b.on_arrival = [&](const Bench::Arrival& a) { ++came[a.source]; };
    b.run_until(cycles);
    came.resize(cores);
    return came;
}

/// Where n inputs compete for an output, an arbiter that serves whoever has waited longest (round robin:
/// whoever is next) gives each of them every n-th grant at least. So a source gets at least the product of
/// 1/n along its way.
std::vector<double> shares(const arch::ChipSpec& spec, bool every_port) {
    const noc::Topology t = noc::make_topology(spec.noc, spec.clock.period, spec.io.router);
    const auto routing = noc::make_routing(spec.noc, t, static_cast<unsigned>(spec.noc.router.vcs));
    std::map<std::pair<std::uint32_t, unsigned>, std::set<unsigned>> inputs;
    for (std::uint32_t e = 0; e < t.n_cores(); ++e) {
        for (const auto& s : noc::way_of(*routing, e, 0)) inputs[{s.router, s.port}].insert(s.in_port);
    }
    std::vector<double> out;
    for (std::uint32_t e = 0; e < t.n_cores(); ++e) {
        double share = 1;
        for (const auto& s : noc::way_of(*routing, e, 0))
            share /=
                every_port ? t.n_ports(s.router) : static_cast<double>(inputs[{s.router, s.port}].size());
        out.push_back(share);
    }
    return out;
}

/// What the bound is for a kind of arbiter.
enum class Bound { EveryInput, EveryPort, Equal, Half };

void nobody_starves(arch::ChipSpec spec, Bound bound) {
    spec.noc.router.wait1 = 100000;  // timeout: nothing is dropped
    const auto b = testing::bench_or_refusal(spec);
    if (b == nullptr) return;
    const auto came = all_to_one(*b, 1500);
    const auto share = shares(spec, bound == Bound::EveryPort);
    double sum = 0;
    for (const auto c : came) sum += static_cast<double>(c);
    for (std::size_t e = 0; e < came.size(); ++e) {
        // half of it: the ways fill and the window cuts a round
        const double least = bound == Bound::Equal ? sum / static_cast<double>(came.size()) / 3
                                                   : share[e] * sum * (bound == Bound::Half ? 0.25 : 0.5);
        EXPECT_GE(static_cast<double>(came[e]), std::max(1.0, least))
            << "source " << e << " of " << came.size() << ": " << ::testing::PrintToString(came);
    }
}

TEST(Fair, NobodyStarvesWhenAllSendToOne) {
    // no torus of even sides: the coins would give the ways further inputs
    for (const char* name :
         {"mesh4x3", "mesh3x2_tiles", "torus5", "tree2x3", "star5", "crossbar6", "graph7"}) {
        for (const std::string& allocator : noc::allocator_names()) {
            for (const std::string& arbiter : noc::arbiter_names()) {
                arch::ChipSpec spec = testing::spec_of(sample(name), {"vc", "P2"}, "auto");
                spec.noc.router.vc_allocator = spec.noc.router.switch_allocator = allocator;
                spec.noc.router.arbiter = arbiter;
                SCOPED_TRACE(std::string(name) + " " + allocator + " " + arbiter);
                // tori: what comes round has half of the VCs that a core has; wavefront: the diagonal that
                // goes first turns over all ports, also those that nobody comes by; age: nobody is passed by
                // younger ones, so that a third of the mean is a wide bound
                nobody_starves(spec, allocator == "wavefront"       ? Bound::EveryPort
                                     : arbiter == "age"             ? Bound::Equal
                                     : spec.noc.topology == "torus" ? Bound::Half
                                                                    : Bound::EveryInput);
            }
        }
        for (const char* kind : {"async", "handshake", "timeout"}) {
            SCOPED_TRACE(std::string(name) + " " + kind);
            // handshake: the order of reservations turns with time, not with grants
            nobody_starves(testing::spec_of(sample(name), {kind, "P2"}, "auto"),
                           std::string(kind) == "handshake" || std::string(name) == "torus5"
                               ? Bound::Half
                               : Bound::EveryInput);
        }
    }
}

/// The age arbiter lets the oldest packet go first, wherever it comes from. Age counts from the entry into
/// the network, so who comes from afar is favoured, but within a factor; a round robin halves shares at every
/// merge.
TEST(Fair, TheOldestFirstIsFairerThanARoundRobin) {
    const auto spread = [](const char* arbiter) {
        arch::ChipSpec spec = testing::spec_of(sample("mesh5"), {"vc", "P2"}, "auto");
        spec.noc.router.arbiter = arbiter;
        spec.noc.router.vcs = 1;
        Bench b(spec);
        const auto came = all_to_one(b, 3000);
        const auto [least, most] = std::minmax_element(came.begin(), came.end());
        return static_cast<double>(*most) / static_cast<double>(*least);
    };
    EXPECT_LT(spread("age"), 3.0);
    EXPECT_GT(spread("round_robin"), 4.0);
}

/// A schedule gives every flow its slot: exactly equal.
TEST(Fair, ASchedule) {
    Bench b(testing::spec_of(sample("mesh4x3"), {"scheduled", "P2"}, "auto"));
    const auto came = all_to_one(b, 3000);
    for (const auto c : came) EXPECT_NEAR(static_cast<double>(c), static_cast<double>(came[0]), 1.0);
    EXPECT_GT(came[0], 40u);
}

// --- faults ---

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

// --- single kinds ---

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
