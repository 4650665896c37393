// SPDX-License-Identifier: Apache-2.0
// Every topology of the catalogue as a graph: connected, both ways, with the right closed forms.
#include <algorithm>
#include <bit>
#include <set>

#include "base/error.hpp"
#include "contract_bench.hpp"
#include "noc/catalogue.hpp"
#include "noc/routing/way.hpp"

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
    for (const std::string& name : noc::builtin().topologies.names()) {
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

TEST_P(EachSample, SaysItsShapeBeforeItIsBuilt) {
    arch::NocSpec s;
    GetParam().set(s);
    s.shapes = &noc::builtin();
    const noc::Topology t = build(GetParam());
    const arch::NocShape shape = s.shape();
    EXPECT_EQ(shape.cores(), t.n_cores());
    EXPECT_EQ(shape.cores_per_router, t.cores_per_router());
    EXPECT_EQ(shape.core_routers % shape.width, 0u) << "rows are full";
    for (std::uint32_t a = 0; a < shape.core_routers; ++a) {
        EXPECT_EQ(shape.hops(a, a), 0u);
        for (std::uint32_t b = 0; b < shape.core_routers; ++b) {
            EXPECT_EQ(shape.hops(a, b), shape.hops(b, a));
            if (!shape.distance) continue;
            EXPECT_EQ(shape.hops(a, b), t.distance(a, b)) << a << " -> " << b;
        }
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
    EXPECT_EQ(links("hypercube", {4}), 32u);
    EXPECT_EQ(links("tree", {3, 3}), 3u + 9 + 27);
    EXPECT_EQ(links("hierarchy", {4, 3, 2}), 24u + 6 + 2);
}

TEST(Topology, AHypercubeIsRoutedByTheLowestBitThatDiffers) {
    arch::NocSpec s;
    s.topology = "hypercube";
    s.size = {4};
    s.shapes = &noc::builtin();
    const noc::Topology t = noc::make_topology(s, 1000, {0});
    const auto routing = noc::make_routing(s, t, 1);
    for (std::uint32_t from = 0; from < 16; ++from) {
        for (std::uint32_t to = 0; to < 16; ++to) {
            const auto bits = static_cast<std::uint32_t>(std::popcount(from ^ to));
            EXPECT_EQ(t.distance(from, to), bits);
            EXPECT_EQ(s.shape().hops(from, to), bits);
            const auto way = noc::way_of(*routing, from, to);
            ASSERT_EQ(way.size(), bits + 1u);
            for (std::size_t i = 0; i + 2 < way.size(); ++i) EXPECT_LT(way[i].port, way[i + 1].port);
        }
    }
    EXPECT_EQ(noc::deadlock_cycle(s, t, *routing), "");
    s.faults.links = {{0, 1}};
    const noc::Topology broken = noc::make_topology(s, 1000, {0});
    EXPECT_EQ(noc::way_of(*noc::make_routing(s, broken, 1), 0, 1).size(), 4u) << "goes round a dead link";
}

/// A user's topology: a router with all the others around it, and no cores at the hub.
noc::TopologyKind wheel() {
    return {.name = "wheel",
            .build =
                [](const noc::LinkRules& rules) {
                    const std::uint32_t n = noc::sizes(rules, "wheel", 1, "its rim", 60)[0];
                    noc::Topology t(n + 1, n);
                    for (std::uint32_t r = 0; r < n; ++r) {
                        rules.connect(t, r, 0, (r + 1) % n, 1, noc::kLinkX);
                        rules.connect(t, r, 2, n, r, noc::kLinkOther);
                    }
                    return t;
                },
            .shape =
                [](const arch::NocSpec& spec) {
                    arch::NocShape shape = arch::line_shape(spec, spec.size[0]);
                    shape.distance = [n = spec.size[0]](std::uint64_t a, std::uint64_t b) {
                        const std::uint64_t d = a > b ? a - b : b - a;
                        return std::min({d, n - d, std::uint64_t{2}});
                    };
                    return shape;
                }};
}

TEST(Catalogue, TakesATopologyFromOutside) {
    noc::Catalogue catalogue;
    noc::add_builtin(catalogue);
    catalogue.topologies.add(wheel());
    arch::ChipSpec chip;
    chip.noc.topology = "wheel";
    chip.noc.size = {7};
    chip.noc.shapes = &catalogue;
    chip.io.router = {0};
    testing::Bench bench(chip);
    EXPECT_EQ(bench.network->topology().n_routers(), 8u);
    EXPECT_EQ(chip.n_cores(), 7u);
    EXPECT_EQ(chip.noc.shape().hops(1, 4), 2u);
    bench.offer(bench.start(), 1, 4, 3, 0);
    EXPECT_TRUE(bench.drain());
    ASSERT_EQ(bench.arrivals.size(), 1u);
    EXPECT_EQ(bench.arrivals[0].hops, 2u);

    EXPECT_THROW(catalogue.topologies.add(wheel()), ConfigError) << "a name is there once";
    chip.noc.shapes = nullptr;
    EXPECT_THROW(noc::make_network(chip), ConfigError) << "it is in that catalogue alone";
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
