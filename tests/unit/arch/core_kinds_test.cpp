// SPDX-License-Identifier: Apache-2.0
#include "arch/core_kinds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace loom::arch {
namespace {

/// 4 x 2 routers of two cores.
ChipSpec chip(std::initializer_list<const char*> names) {
    ChipSpec c;
    c.noc.size = {4, 2};
    c.noc.cores_per_router = 2;
    for (const char* name : names) {
        c.cores.emplace_back();
        c.cores.back().name = name;
    }
    return c;
}

std::string refused(const ChipSpec& c) {
    try {
        core_kinds(c);
    } catch (const ConfigError& e) {
        return e.what();
    }
    return "";
}

TEST(CoreKinds, OneKindWithoutAList) {
    const ChipSpec c = chip({});
    EXPECT_EQ(core_kinds(c), std::vector<std::uint32_t>(16, 0));
    EXPECT_THAT(cores_of_kinds(c), ::testing::ElementsAre(16));
    EXPECT_EQ(of_kind(c, 0, "cores"), "cores");
}

TEST(CoreKinds, PlacesAreTakenInOrder) {
    ChipSpec c = chip({"a", "b", "c", "d"});
    c.cores[0].routers = {"0-2", "5"};
    c.cores[0].slots = {1};
    c.cores[1].columns = {0, 3};
    c.cores[2].count = 3;
    //                                            router 0     1     2     3     4     5     6     7
    EXPECT_THAT(core_kinds(c), ::testing::ElementsAre(1, 0, 2, 0, 2, 0, 1, 1, 1, 1, 2, 0, 3, 3, 1, 1));
    EXPECT_THAT(cores_of_kinds(c), ::testing::ElementsAre(4, 7, 3, 2));
    EXPECT_EQ(of_kind(c, 1, "cores"), "cores (kind 'b')");
}

TEST(CoreKinds, MistakesNameTheKey) {
    ChipSpec c = chip({"a", "b"});
    c.cores[0].routers = {"0-3", "6-8"};
    EXPECT_EQ(refused(c), "cores.0.routers.1: the chip has routers 0 to 7");
    for (const char* bad : {"x", "3-1", "1-", "-1", "", "1.5", "99999999999999999999"}) {
        c.cores[0].routers = {bad};
        EXPECT_THAT(refused(c),
                    ::testing::StartsWith("cores.0.routers.0: expected a router number or a range"))
            << bad;
    }
    c.cores[0].routers = {};
    EXPECT_EQ(refused(c), "cores.1: no core is left for kind 'b'");
    c.cores[0].columns = {4};
    EXPECT_EQ(refused(c), "cores.0.columns.0: the chip has columns 0 to 3");
    c.cores[0].columns = {};
    c.cores[0].slots = {0, 2};
    EXPECT_EQ(refused(c), "cores.0.slots.1: the chip has cores per router 0 to 1");
    c.cores[0].slots = {0};
    c.cores[1].count = 9;
    EXPECT_EQ(refused(c), "cores.1.count: there is room for 8 only");
    c.cores[1].count = 7;
    EXPECT_EQ(refused(c),
              "cores: core 1 of router 7 is of no kind; a last kind without a place takes what is left");
    c.cores[1].count = 8;
    EXPECT_EQ(refused(c), "");
}

TEST(CoreKinds, PricesOfAKindComeBeforeTheChips) {
    ChipSpec c = chip({"a", "b"});
    const auto price = [](double pj) {
        PriceSpec p;
        p.value = pj;
        return p;
    };
    c.energy.actions = {{"x", price(1)}, {"y", price(2)}};
    c.energy.unpriced = {{"z", "chip's"}};
    c.energy.leakage["core"].value = 5;
    c.cores[1].energy.actions = {{"x", price(3)}, {"z", price(4)}};
    c.cores[1].energy.unpriced = {{"y", "included in x"}};
    c.cores[1].energy.leakage["core"].value = 7;
    EXPECT_EQ(price_of(c, 0, "x").price->value, EnergyPrice(1));
    EXPECT_EQ(price_of(c, 1, "x").price->value, EnergyPrice(3));
    EXPECT_EQ(price_of(c, 1, "y").price, nullptr);
    EXPECT_EQ(*price_of(c, 1, "y").reason, "included in x");
    EXPECT_EQ(price_of(c, 1, "z").price->value, EnergyPrice(4));
    EXPECT_EQ(*price_of(c, 0, "z").reason, "chip's");
    EXPECT_FALSE(price_of(c, 0, "w").known());
    EXPECT_EQ(core_leakage(c, 0)->value, 5);
    EXPECT_EQ(core_leakage(c, 1)->value, 7);
    const ChipSpec view = chip_of_kind(c, 1);
    EXPECT_TRUE(view.cores.empty());
    EXPECT_EQ(view.energy.actions.at("x").value, EnergyPrice(3));
    EXPECT_EQ(view.energy.actions.count("y"), 0u);
    EXPECT_EQ(view.energy.unpriced.at("y"), "included in x");
    EXPECT_EQ(view.energy.unpriced.count("z"), 0u);
}

}  // namespace
}  // namespace loom::arch
