// SPDX-License-Identifier: Apache-2.0
// Every topology of the catalogue as a graph: connected, both ways, with the right closed forms.
#include "contract_bench.hpp"

namespace loom {
namespace {

using testing::EachSample;
using testing::Sample;

noc::Topology build(const Sample& sample) {
    arch::NocSpec s;
    sample.set(s);
    return noc::make_topology(s, 1000, {0});
}

TEST(Catalogue, EveryTopologyHasASample) {
    for (const std::string& name : noc::topology_names()) {
        bool found = false;
        for (const Sample& sample : testing::samples()) {
            arch::NocSpec s;
            sample.set(s);
            found |= s.topology == name;
        }
        EXPECT_TRUE(found) << name << ": add a line to samples() in contract_bench.hpp";
    }
}

TEST_P(EachSample, LinksLeadBothWaysAndEveryRouterIsReached) {
    const noc::Topology t = build(GetParam());
    for (std::uint32_t r = 0; r < t.n_routers(); ++r) {
        for (unsigned p = 0; p < t.link_ports(); ++p) {
            const noc::Channel& c = t.channel(r, p);
            if (c.peer == noc::kNone) continue;
            const noc::Channel& back = t.channel(c.peer, c.peer_port);
            EXPECT_EQ(back.peer, r);
            EXPECT_EQ(back.peer_port, p);
            EXPECT_EQ(back.latency, c.latency);
            EXPECT_EQ(back.flit_ps, c.flit_ps);
            // what takes longer than a cycle arrives later
            EXPECT_GE(c.latency * 1000, c.flit_ps);
        }
        for (const std::uint32_t d : t.distances_to(r)) EXPECT_NE(d, noc::kNone);
    }
}

TEST_P(EachSample, DistancesAreThoseOfASearch) {
    const noc::Topology t = build(GetParam());
    for (std::uint32_t b = 0; b < t.n_routers(); ++b) {
        const auto searched = t.distances_to(b);
        for (std::uint32_t a = 0; a < t.n_routers(); ++a) {
            EXPECT_EQ(t.distance(a, b), searched[a]) << a << " -> " << b;
            EXPECT_EQ(t.distance(a, b), t.distance(b, a));
        }
    }
}

TEST_P(EachSample, EndpointsHavePortsOfTheirOwn) {
    const noc::Topology t = build(GetParam());
    std::set<std::pair<std::uint32_t, unsigned>> taken;
    for (std::uint32_t e = 0; e < t.n_endpoints(); ++e) {
        EXPECT_LT(t.router_of(e), t.n_routers());
        EXPECT_GE(t.port_of(e), t.link_ports());
        EXPECT_LT(t.port_of(e), t.n_ports(t.router_of(e)));
        EXPECT_TRUE(taken.emplace(t.router_of(e), t.port_of(e)).second);
    }
}

INSTANTIATE_TEST_SUITE_P(Topologies, EachSample, testing::all_samples(), testing::sample_name);

TEST(Topology, LinksOfKnownGrids) {
    const auto links = [](const char* name, std::vector<std::uint64_t> size) {
        arch::NocSpec s;
        s.topology = name;
        s.size = std::move(size);
        const noc::Topology t = noc::make_topology(s, 1000, {0});
        std::size_t n = 0;
        for (std::uint32_t r = 0; r < t.n_routers(); ++r) {
            for (unsigned p = 0; p < t.link_ports(); ++p) n += t.channel(r, p).peer != noc::kNone;
        }
        return n / 2;
    };
    EXPECT_EQ(links("mesh", {4, 3}), 3u * 3 + 4 * 2);
    EXPECT_EQ(links("mesh", {3, 3, 3}), 3u * 2 * 9);
    EXPECT_EQ(links("torus", {4, 3}), 2u * 12);
    EXPECT_EQ(links("torus", {1, 3}), 3u);
    EXPECT_EQ(links("torus", {3, 3, 3}), 3u * 27);
    EXPECT_EQ(links("ring", {7}), 7u);
    EXPECT_EQ(links("triangular", {5, 4}), 3u * 20);
    EXPECT_EQ(links("star", {9}), 9u);
    EXPECT_EQ(links("crossbar", {9}), 0u);
    EXPECT_EQ(links("tree", {3, 3}), 3u + 9 + 27);
    EXPECT_EQ(links("hierarchy", {4, 3, 2}), 24u + 6 + 2);
}

/// A narrow link of a graph: its own width counts, also when its latency is given.
TEST(Topology, ANarrowLinkOfAGraphDeliversLate) {
    arch::NocSpec s;
    s.topology = "graph";
    s.size = {4};
    s.links = {{{0, 1}, 0, 0}, {{1, 2}, 0, 8}, {{2, 3}, 5, 16}};
    const noc::Topology t = noc::make_topology(s, 1000, {0});
    EXPECT_EQ(t.channel(0, 0).latency, 1u);
    EXPECT_EQ(t.channel(1, 1).latency, 1u + 3);  // 32 bits in 4 transfers
    EXPECT_EQ(t.channel(2, 1).latency, 5u + 1);
    EXPECT_EQ(t.channel(2, 1).flit_ps, 2000u);
}

}  // namespace
}  // namespace loom
