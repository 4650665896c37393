// SPDX-License-Identifier: Apache-2.0
#include "noc/multicast/key_mask.hpp"

#include <gtest/gtest.h>

#include <random>

namespace loom::noc {
namespace {

constexpr std::uint32_t kAll = ~std::uint32_t{0};

TEST(KeyMaskTable, TheFirstMatchWins) {
    const KeyMaskTable t({{0b0010, 0b1110, 1}, {0b0000, 0b1000, 2}});
    EXPECT_EQ(t.lookup(0b0011), 1u);
    EXPECT_EQ(t.lookup(0b0100), 2u);
    EXPECT_EQ(t.lookup(0b1000), std::nullopt);
}

TEST(Minimise, ABlockOfKeysIsOneEntry) {
    std::vector<KeyMaskEntry> e;
    for (std::uint32_t core = 0; core < 16; ++core)
        for (std::uint32_t n = 0; n < 256; ++n)
            e.push_back({core << 8 | n, kAll, std::uint64_t{1} << core % 4});
    const KeyMaskTable before(e), after = minimise(before);
    EXPECT_LE(after.size(), 8u);
    EXPECT_EQ(first_difference(before, after), std::nullopt);
}

TEST(Minimise, KeysThatPassKeepPassing) {
    // 0, 1, 3 to port 1; 2 goes straight on
    const KeyMaskTable before({{0, kAll, 1}, {1, kAll, 1}, {3, kAll, 1}});
    EXPECT_EQ(minimise(before).size(), 1u);
    const std::vector<std::uint32_t> pass{2};
    const KeyMaskTable after = minimise(before, pass);
    EXPECT_EQ(after.size(), 2u);
    EXPECT_EQ(after.lookup(2), std::nullopt);
    EXPECT_EQ(first_difference(before, after), std::nullopt);
}

TEST(Minimise, LargeSetsBelowMayCoverSmallOnesAbove) {
    // without the order: key 5 cuts the block of port 1 in pieces
    std::vector<KeyMaskEntry> e;
    for (std::uint32_t k = 0; k < 8; ++k) e.push_back({k, kAll, k == 5 ? 2u : 1u});
    const KeyMaskTable after = minimise(KeyMaskTable(e));
    EXPECT_EQ(after.size(), 2u);
    EXPECT_EQ(after.lookup(5), 2u);
    EXPECT_EQ(after.lookup(4), 1u);
}

TEST(Minimise, OverlappingEntriesKeepTheirMeaning) {
    const KeyMaskTable before({{0b0100, 0b1100, 1}, {0b0000, 0b1000, 2}, {0b0000, 0b0000, 1}});
    const KeyMaskTable after = minimise(before);
    for (std::uint32_t k = 0; k < 16; ++k) EXPECT_EQ(before.lookup(k), after.lookup(k)) << k;
}

/// Every key of a small space, looked up in both.
TEST(Minimise, RandomTablesAgreeOnEveryKey) {
    std::mt19937 random(1);
    for (int round = 0; round < 400; ++round) {
        const auto bits = static_cast<unsigned>(4 + random() % 7);
        const std::uint32_t space = 1u << bits;
        std::vector<KeyMaskEntry> e;
        std::vector<std::uint32_t> pass;
        const bool ternary = round % 4 == 3;
        for (std::uint32_t k = 0; k < space; ++k) {
            const auto draw = random() % 8;
            if (draw == 0) pass.push_back(k);
            if (draw < 2) continue;
            const std::uint32_t mask = ternary && random() % 8 == 0 ? kAll & ~(1u << random() % bits) : kAll;
            if (mask == kAll) e.push_back({k, kAll, 1 + random() % (1 + static_cast<unsigned>(round) % 5)});
        }
        if (ternary) {
            pass.clear();
            for (int i = 0; i < 6; ++i) {
                const std::uint32_t mask = kAll & ~static_cast<std::uint32_t>(random() % space);
                e.push_back({static_cast<std::uint32_t>(random() % space) & mask, mask, 1 + random() % 3});
            }
        }
        const KeyMaskTable before(e), after = minimise(before, pass);
        EXPECT_LE(after.size(), before.size());
        for (std::uint32_t k = 0; k < space; ++k) {
            if (const auto want = before.lookup(k)) {
                EXPECT_EQ(after.lookup(k), want) << "round " << round << " key " << k;
            }
        }
        for (const std::uint32_t k : pass) EXPECT_EQ(after.lookup(k), std::nullopt) << "round " << round;
        EXPECT_EQ(first_difference(before, after), std::nullopt) << "round " << round;
    }
}

TEST(FirstDifference, FindsASingleKey) {
    const KeyMaskTable before({{0, 0xffff0000, 1}});
    const KeyMaskTable after({{0x1234, kAll, 3}, {0, 0xffff0000, 1}});
    EXPECT_EQ(first_difference(before, after), 0x1234u);
    EXPECT_EQ(first_difference(after, before), 0x1234u);
}

TEST(FirstDifference, MissesCountWhenAsked) {
    const KeyMaskTable before({{0, 0xffff0000, 1}}), after({{0, 0xfffe0000, 1}});
    EXPECT_EQ(first_difference(before, after), std::nullopt);
    const auto d = first_difference(before, after, true);
    ASSERT_TRUE(d.has_value());
    EXPECT_EQ(*d >> 16, 1u);
    EXPECT_TRUE(first_difference(after, before).has_value());
}

TEST(Minimise, AFullTable) {
    std::mt19937 random(2);
    std::vector<KeyMaskEntry> e;
    for (std::uint32_t k = 0; k < 4096; ++k) e.push_back({k, kAll, 1 + random() % 6});
    const KeyMaskTable before(e), after = minimise(before);
    EXPECT_LT(after.size(), before.size());
    EXPECT_EQ(first_difference(before, after), std::nullopt);
}

}  // namespace
}  // namespace loom::noc
