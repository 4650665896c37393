// SPDX-License-Identifier: Apache-2.0
// Zero-load latency against the closed form of docs/concepts/timing-model.md, all pairs.
#include <gtest/gtest.h>

#include <cstdlib>
#include <tuple>

#include "network_fixture.hpp"

namespace loom {
namespace {

using testing::NetworkFixture;

struct Shape {
    unsigned x, y, per, link_x, link_y, local;
    std::vector<std::uint64_t> host;
};

class ZeroLoad : public ::testing::TestWithParam<std::tuple<const char*, Shape>> {};

TEST_P(ZeroLoad, EqualsTheClosedFormForAllPairs) {
    const auto& [pipeline, s] = GetParam();
    arch::ChipSpec spec;
    spec.noc.size = {s.x, s.y};
    spec.noc.cores_per_router = s.per;
    spec.noc.link_latency = s.link_x;
    spec.noc.link_latency_y = s.link_y;
    spec.noc.local_latency = s.local;
    spec.noc.router.pipeline = pipeline;
    spec.io.router = s.host;
    NetworkFixture f(spec);
    const long c = pipeline[1] - '0' + 1;  // P2 -> 3, P3 -> 4, P4 -> 5
    const auto position = [&](std::uint32_t e) {
        const std::uint64_t r = e + 1 == f.endpoints() ? s.host[1] * s.x + s.host[0] : e / s.per;
        return std::pair{static_cast<long>(r % s.x), static_cast<long>(r / s.x)};
    };
    Cycle at = 10;
    for (std::uint32_t a = 0; a < f.endpoints(); ++a) {
        for (std::uint32_t b = 0; b < f.endpoints(); ++b) {
            const auto flits = static_cast<std::uint16_t>(1 + (a + b) % 5);
            const auto [ax, ay] = position(a);
            const auto [bx, by] = position(b);
            const long want = 2 + std::labs(ax - bx) * (c - 1 + static_cast<long>(s.link_x)) +
                              std::labs(ay - by) * (c - 1 + static_cast<long>(s.link_y)) + (c - 1) +
                              static_cast<long>(s.local) + flits - 1;
            f.arrivals.clear();
            f.offer(at, a, b, flits, 1);
            f.drain();
            ASSERT_EQ(f.arrivals.size(), 1u);
            EXPECT_EQ(f.arrivals[0].endpoint, b);
            EXPECT_EQ(static_cast<long>(f.arrivals[0].at - at), want)
                << a << " -> " << b << ", " << flits << " flits";
            EXPECT_EQ(f.network->zero_load_latency(EndpointId{a}, EndpointId{b}, flits),
                      static_cast<Cycles>(want));
            at = f.scheduler.now() + 200;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Meshes, ZeroLoad,
    ::testing::Combine(::testing::Values("P2", "P3", "P4"),
                       ::testing::Values(Shape{1, 1, 1, 1, 1, 1, {0, 0}}, Shape{4, 1, 1, 1, 1, 1, {3, 0}},
                                         Shape{3, 3, 1, 1, 1, 2, {1, 1}}, Shape{5, 2, 2, 3, 7, 1, {4, 1}},
                                         Shape{2, 4, 4, 39, 63, 19, {0, 0}})));

TEST(ZeroLoadByHand, LoihiHops) {
    arch::ChipSpec spec;
    spec.noc.size = {8, 4};
    spec.noc.cores_per_router = 4;
    spec.noc.link_latency = 39;
    spec.noc.link_latency_y = 63;
    spec.noc.local_latency = 19;
    NetworkFixture f(spec);
    const auto latency = [&](std::uint32_t a, std::uint32_t b) {
        return f.network->zero_load_latency(EndpointId{a}, EndpointId{b}, 1);
    };
    EXPECT_EQ(latency(0, 1), 23u);  // within a tile: 2 + 2 + 19, of which 21 = 2.1 ns are the tile's
    EXPECT_EQ(latency(0, 4) - latency(0, 1), 41u);   // east: 4.1 ns
    EXPECT_EQ(latency(0, 32) - latency(0, 1), 65u);  // north: 6.5 ns
}

}  // namespace
}  // namespace loom
