// SPDX-License-Identifier: Apache-2.0
// Trees on any graph, and sets that nobody may use.
#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "base/error.hpp"
#include "multicast_bench.hpp"
#include "noc/multicast/key_mask.hpp"
#include "noc/routing/routing.hpp"

namespace loom {
namespace {

using testing::Bench;
using testing::RandomSets;
using testing::Sample;
using testing::set_spec;
using testing::takes_sets;

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

}  // namespace
}  // namespace loom
