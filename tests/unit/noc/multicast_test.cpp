// SPDX-License-Identifier: Apache-2.0
// Every style of multicast on every topology: each member gets each packet exactly once; trees, tables,
// losses, faults, and what the tree saves. LOOM_LONG=1 in the environment: 10^6 random sets on each topology.
#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "contract_bench.hpp"
#include "noc/multicast/key_mask.hpp"

namespace loom {
namespace {

using testing::Bench;
using testing::Router;
using testing::Sample;

arch::ChipSpec set_spec(const Sample& s, const Router& router, const std::string& style,
                        const std::string& routing = "auto") {
    arch::ChipSpec spec = testing::spec_of(s, router, routing);
    spec.noc.multicast.style = style;
    spec.noc.multicast.table_entries = 100000;
    // timeout: blocked packets are injected again, so nothing is lost
    spec.noc.router.wait1 = 30;
    spec.noc.router.reinject = 50;
    return spec;
}

/// Whether a network takes sets of this style: otherwise a ConfigError that names the key.
bool takes_sets(Bench& b) {
    try {
        b.network->add_set(EndpointId{0}, std::vector<std::uint32_t>{0});
        b.network->clear_sets();
        return true;
    } catch (const ConfigError& e) {
        EXPECT_EQ(std::string(e.what()).rfind("noc.multicast.style: ", 0), 0u) << e.what();
        return false;
    }
}

/// Random sets, a packet to each: who got which how often. Several sets are on their way at once; they are
/// forgotten from time to time, so that memory does not grow.
class RandomSets {
  public:
    explicit RandomSets(Bench& b) : b_(b), got_(kBatch * b.endpoints(), 0) {
        b.on_arrival = [this](const Bench::Arrival& a) { ++got_[a.number * b_.endpoints() + a.endpoint]; };
    }
    void run(std::uint64_t sets, unsigned flits) {
        for (std::uint64_t done = 0; done < sets; done += kBatch) {
            batch(static_cast<unsigned>(std::min<std::uint64_t>(kBatch, sets - done)), flits);
            if (::testing::Test::HasFailure()) return;
        }
    }
    std::uint64_t tree = 0, unicast = 0;

  private:
    static constexpr unsigned kBatch = 500;
    void batch(unsigned n, unsigned flits) {
        std::fill(got_.begin(), got_.end(), std::uint8_t{0});
        want_.assign(got_.size(), 0);
        b_.network->clear_sets();
        const Cycle start = b_.start();
        for (unsigned i = 0; i < n; ++i) {
            const auto source = static_cast<std::uint32_t>(random_() % b_.endpoints());
            members_.clear();
            const unsigned size = 1 + static_cast<unsigned>(random_() % b_.endpoints());
            for (unsigned k = 0; k < size; ++k) {
                members_.push_back(static_cast<std::uint32_t>(random_() % b_.endpoints()));
                want_[i * b_.endpoints() + members_.back()] = 1;
            }
            const std::uint32_t set = b_.network->add_set(EndpointId{source}, members_);
            tree += b_.network->set_links(set).tree;
            unicast += b_.network->set_links(set).unicast;
            // a timeout router works on one packet at a time; not all at once
            b_.offer(start + (b_.one_flit() ? i * b_.endpoints() : 0), source, Destination::set(set), flits,
                     i);
        }
        ASSERT_TRUE(b_.drain()) << b_.network->describe_stuck(5);
        b_.expect_empty("sets");
        EXPECT_EQ(b_.total().packets_dropped, 0u);
        EXPECT_EQ(got_, want_);
    }

    Bench& b_;
    std::mt19937 random_{11};
    std::vector<std::uint8_t> got_, want_;
    std::vector<std::uint32_t> members_;
};

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

// --- trees ---

/// Graphs at random: ways part and meet again, the tree enters every router once and all members get one
/// copy.
TEST(Trees, OnRandomGraphs) {
    std::mt19937 random(8);
    std::size_t accepted = 0;
    for (unsigned round = 0; round < 120; ++round) {
        Sample graph{"random", [&](arch::NocSpec& s) {
                         s.topology = "graph";
                         const std::uint64_t n = 5 + random() % 12;
                         s.size = {n};
                         for (std::uint64_t i = 1; i < n; ++i) s.links.push_back({{i, random() % i}, 0, 0});
                         for (unsigned k = 0; k < n; ++k) {
                             const std::uint64_t a = random() % n, b = random() % n;
                             if (a != b) s.links.push_back({{a, b}, 0, 0});
                         }
                     }};
        arch::NocSpec fixed;
        graph.set(fixed);
        const Sample same{"random", [&](arch::NocSpec& s) {
                              s.topology = fixed.topology, s.size = fixed.size, s.links = fixed.links;
                          }};
        for (const char* routing : {"up_down", "table"}) {
            for (const char* kind : {"vc", "timeout"}) {
                const auto b = testing::bench_or_refusal(set_spec(same, {kind, "P2"}, "tree", routing));
                if (b == nullptr) continue;
                SCOPED_TRACE("round " + std::to_string(round) + ", " + routing + ", " + kind);
                RandomSets sets(*b);
                try {
                    sets.run(40, 3);
                    ++accepted;
                } catch (const ConfigError& e) {
                    // a table's trees may close a cycle that its packets do not
                    EXPECT_STREQ(routing, "table");
                    EXPECT_THAT(e.what(), ::testing::HasSubstr("noc.multicast.style: "));
                }
            }
        }
    }
    EXPECT_GT(accepted, 250u);
}

/// A square with two members behind its far corner. The way to one leads round one side, to the other round
/// the other: 0 - 1 - 3 and 0 - 2 - 3, then 4 or 5.
noc::Topology square() {
    arch::NocSpec s;
    s.topology = "graph";
    s.size = {6};
    s.links = {{{0, 1}, 0, 0}, {{0, 2}, 0, 0}, {{1, 3}, 0, 0},
               {{2, 3}, 0, 0}, {{3, 4}, 0, 0}, {{3, 5}, 0, 0}};
    return noc::make_topology(s, 1000, {0});
}
unsigned port_to(const noc::Topology& t, std::uint32_t from, std::uint32_t to) {
    for (unsigned p = 0; p < t.link_ports(); ++p) {
        if (t.channel(from, p).peer == to) return p;
    }
    return noc::kNoPort;
}
/// strict: who comes to 3 by 1 does not get to 5.
template <bool kStrict>
noc::Route round_the_square(const noc::Routing& self, const noc::RouteQuery& q) {
    const noc::Topology& t = self.topology();
    const std::uint32_t to = q.packet.router;
    if (q.router == to) return self.arrived(q);
    if (q.router == 0) return {std::uint64_t{1} << port_to(t, 0, to == 4 ? 1 : 2)};
    if (q.router != 3) return {std::uint64_t{1} << port_to(t, q.router, 3)};
    if (kStrict && to == 5 && q.in_port == port_to(t, 3, 1)) return {};
    return {std::uint64_t{1} << port_to(t, 3, to)};
}

TEST(Trees, WaysThatMeetAgainBecomeOne) {
    const noc::Topology t = square();
    const auto tree_of = [&](noc::Routing::Function f) {
        const noc::Routing routing(t, 1, f);
        noc::TreeBuilder builder(routing);
        builder.add(noc::way_of(routing, 0, 4));
        builder.add(noc::way_of(routing, 0, 5));
        const std::size_t turns = builder.extra_turns().size();
        return std::pair{builder.take(), turns};
    };
    const std::uint64_t to_both = std::uint64_t{1} << port_to(t, 3, 4) | std::uint64_t{1} << port_to(t, 3, 5);
    const auto at = [](const std::vector<noc::Branch>& tree, std::uint32_t r) {
        for (const noc::Branch& b : tree) {
            if (b.router == r) return b;
        }
        return noc::Branch{noc::kNone, 0, 0, 0};
    };
    // the second way follows the tree from where they meet: 2 is not in it
    const auto [loose, loose_turns] = tree_of(round_the_square<false>);
    EXPECT_EQ(loose.size(), 5u);
    EXPECT_EQ(at(loose, 2).router, noc::kNone);
    EXPECT_EQ(at(loose, 3).in_port, port_to(t, 3, 1));
    EXPECT_EQ(at(loose, 3).ports, to_both);
    EXPECT_EQ(loose_turns, 1u);
    // or the tree is led along the second way: 1 is not in it any more
    const auto [strict, strict_turns] = tree_of(round_the_square<true>);
    EXPECT_EQ(strict.size(), 5u);
    EXPECT_EQ(at(strict, 1).router, noc::kNone);
    EXPECT_EQ(at(strict, 0).ports, std::uint64_t{1} << port_to(t, 0, 2));
    EXPECT_EQ(at(strict, 3).in_port, port_to(t, 3, 2));
    EXPECT_EQ(at(strict, 3).ports, to_both);
    EXPECT_EQ(strict_turns, 1u);
}

/// A turn that no packet makes may close a cycle: the check sees it.
TEST(Trees, TurnsBeyondThoseOfPacketsAreChecked) {
    arch::NocSpec s;
    s.topology = "ring";
    s.size = {3};
    const noc::Topology t = noc::make_topology(s, 1000, {0});
    const auto routing = noc::make_routing(s, t, 1);
    EXPECT_EQ(noc::deadlock_cycle(t, *routing, {}), "");
    std::vector<noc::Turn> turns;  // on and on, upwards: in by -x, out by +x
    for (std::uint32_t r = 0; r < 3; ++r) turns.push_back({r, 1, 0});
    EXPECT_EQ(noc::deadlock_cycle(t, *routing, turns),
              "router 0 +x -> router 1 +x -> router 2 +x -> router 0 +x");
    turns.pop_back();
    EXPECT_EQ(noc::deadlock_cycle(t, *routing, turns), "");
}

TEST(Trees, PacketsLongerThanABufferAreRefused) {
    arch::ChipSpec spec = set_spec(testing::samples()[0], {"vc", "P2"}, "tree");
    Bench b(spec);
    const std::uint32_t set = b.network->add_set(EndpointId{0}, std::vector<std::uint32_t>{1, 4, 11});
    b.offer(5, 0, Destination::set(set), 4, 0);
    ASSERT_TRUE(b.drain());
    EXPECT_EQ(b.n_arrivals, 3u);
    b.offer(b.start(), 0, Destination::set(set), 5, 0);
    EXPECT_THROW(b.drain(), ModelError);
}

TEST(Sets, UnknownOnesAndUnknownMembersAreErrors) {
    for (const char* kind : {"vc", "timeout", "deflection"}) {
        Bench b(set_spec(testing::samples()[0], {kind, "P2"}, "unicast"));
        EXPECT_THROW(b.network->add_set(EndpointId{0}, std::vector<std::uint32_t>{99}), ModelError);
        b.offer(5, 0, Destination::set(3), 1, 0);
        EXPECT_THROW(b.drain(), ModelError) << kind;
    }
}

TEST(Sets, EmptyOnesCostNothing) {
    for (const std::string& style : noc::multicast_style_names()) {
        for (const char* kind : {"vc", "timeout"}) {
            Bench b(set_spec(testing::samples()[0], {kind, "P2"}, style));
            if (!takes_sets(b)) continue;
            const std::uint32_t set = b.network->add_set(EndpointId{0}, {});
            b.offer(5, 0, Destination::set(set), 1, 0);
            ASSERT_TRUE(b.drain());
            b.expect_empty(style);
            EXPECT_EQ(b.n_arrivals, 0u) << style;
        }
    }
}

// --- tables ---

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
