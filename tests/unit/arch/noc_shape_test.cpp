// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "arch/chip_spec.hpp"

namespace loom::arch {
namespace {

TEST(NocShape, OfAGridIsInRows) {
    ChipSpec chip;
    chip.noc.size = {4, 3};
    chip.noc.cores_per_router = 2;
    const NocShape shape = chip.noc.shape();
    EXPECT_EQ(chip.n_routers(), 12u);
    EXPECT_EQ(chip.n_cores(), 24u);
    EXPECT_EQ(shape.column(7), 3u);
    EXPECT_EQ(shape.row(7), 1u);
    EXPECT_EQ(shape.hops(0, 11), 3u + 2u);
    EXPECT_EQ(shape.hops(11, 0), 3u + 2u);
}

TEST(NocShape, OfChipsSideBySideIsOneGrid) {
    NocSpec noc;
    noc.size = {4, 3};
    noc.chips.grid = {2, 2};
    EXPECT_EQ(noc.shape().core_routers, 48u);
    EXPECT_EQ(noc.shape().width, 8u);
    noc.size = {5};
    noc.chips.grid = {1, 1};
    EXPECT_EQ(noc.shape().width, 5u) << "one row";
}

/// The catalogue that a specification was given has the last word.
TEST(NocShape, IsTheWordOfWhoKnowsTheTopology) {
    class Star final : public NocShapes {
      public:
        NocShape shape(const NocSpec& spec) const override {
            NocShape s = line_shape(spec, spec.size[0]);
            s.distance = [](std::uint64_t a, std::uint64_t b) { return std::uint64_t{a == b ? 0u : 2u}; };
            return s;
        }
    };
    const Star star;
    ChipSpec chip;
    chip.noc.size = {6};
    chip.noc.shapes = &star;
    EXPECT_EQ(chip.n_cores(), 6u);
    EXPECT_EQ(chip.noc.shape().hops(0, 5), 2u);
    EXPECT_EQ(chip.noc.shape().hops(3, 3), 0u);
}

}  // namespace
}  // namespace loom::arch
