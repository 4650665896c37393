// SPDX-License-Identifier: Apache-2.0
// Placement counts the hops of the chip's network, whatever it is.
#include <gtest/gtest.h>

#include <bit>

#include "compiler/passes/place.hpp"

namespace loom::compiler {
namespace {

/// Routers are as far apart as their numbers differ in bits.
class Hypercube final : public arch::NocShapes {
  public:
    arch::NocShape shape(const arch::NocSpec& spec) const override {
        arch::NocShape shape = arch::grid_shape(spec);
        shape.distance = [](std::uint64_t a, std::uint64_t b) { return std::uint64_t(std::popcount(a ^ b)); };
        return shape;
    }
};

/// Logical cores in a ring, each of which sends to the next.
std::vector<Traffic> ring(std::uint32_t n) {
    std::vector<Traffic> traffic;
    for (std::uint32_t i = 0; i < n; ++i) traffic.push_back({i, (i + 1) % n, 10});
    return traffic;
}

double cost(const std::vector<Traffic>& traffic, const Placement& p, const arch::NocShape& shape) {
    double sum = 0;
    for (const Traffic& t : traffic)
        sum += t.entries * static_cast<double>(shape.hops(p.endpoint[t.from], p.endpoint[t.to]));
    return sum;
}

TEST(Place, ARingFitsAHypercubeWithoutDetours) {
    const Hypercube hypercube;
    arch::ChipSpec chip;
    chip.noc.size = {8};
    const auto traffic = ring(8);
    const std::vector<std::uint32_t> kinds(8, 0);
    const Placement line = place("auto", 1, traffic, kinds, chip);
    EXPECT_EQ(line.cost, cost(traffic, line, chip.noc.shape()));
    EXPECT_EQ(line.cost, 14 * 10.0) << "out and back on a line";
    chip.noc.shapes = &hypercube;
    const Placement cube = place("auto", 1, traffic, kinds, chip);
    EXPECT_EQ(cube.cost, cost(traffic, cube, chip.noc.shape()));
    EXPECT_EQ(cube.cost, 8 * 10.0) << "a Gray code: every way is one link";
}

TEST(Place, TheHostIsWhereItsRouterIs) {
    arch::ChipSpec chip;
    chip.noc.size = {4, 4};
    chip.io.router = {3, 2};
    const std::vector<Traffic> traffic{{1, 0, 5}};  // from the host to the one core
    const Placement p = place("auto", 1, traffic, {0}, chip);
    EXPECT_EQ(p.endpoint, std::vector<std::uint32_t>{2 * 4 + 3});
    EXPECT_EQ(p.cost, 0.0);
    EXPECT_EQ(p.sequential_cost, 5 * 5.0);
}

}  // namespace
}  // namespace loom::compiler
