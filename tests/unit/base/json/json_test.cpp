// SPDX-License-Identifier: Apache-2.0
#include "base/json/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace loom {

TEST(Json, BracedPairsAreAnObjectAndOtherListsAnArray) {
    const Json j{{"a", 1}, {"b", {1, 2, 3}}, {"c", {{"d", "x"}}}};
    EXPECT_EQ(j.dump(), R"({"a":1,"b":[1,2,3],"c":{"d":"x"}})");
    EXPECT_EQ(Json({1, "two"}).dump(), R"([1,"two"])");
}

TEST(Json, MembersKeepTheOrderInWhichTheyCame) {
    Json j;
    j["z"] = 1;
    j["a"]["inner"] = true;
    j["z"] = 2;
    EXPECT_EQ(j.dump(1), "{\n \"z\": 2,\n \"a\": {\n  \"inner\": true\n }\n}");
}

TEST(Json, WholeNumbersStayExactAndNumbersShort) {
    const Json j{{"u", std::numeric_limits<std::uint64_t>::max()}, {"i", -7}, {"d", 0.1}, {"e", 1e300}, {"f", 2.0}};
    EXPECT_EQ(j.dump(), R"({"u":18446744073709551615,"i":-7,"d":0.1,"e":1e+300,"f":2.0})");
    EXPECT_EQ(j["u"].get<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(j["i"].get<double>(), -7.0);
    EXPECT_EQ(j["f"].get<std::uint64_t>(), 2u);
}

TEST(Json, NumbersAreEqualByValue) {
    EXPECT_EQ(Json(6), Json(6u));
    EXPECT_EQ(Json(6), Json(6.0));
    EXPECT_NE(Json(-1), Json(std::numeric_limits<std::uint64_t>::max()));
    EXPECT_NE(Json(1), Json(true));
    EXPECT_NE(Json({1, 2}), Json({1, 3}));
}

TEST(Json, WhatIsNotFiniteIsNull) {
    EXPECT_EQ(Json({1.0, std::nan(""), std::numeric_limits<double>::infinity()}).dump(), "[1.0,null,null]");
}

TEST(Json, ALoopGoesOverElementsAndOverValuesOfMembers) {
    const Json list{1, 2, 4}, object{{"a", 10}, {"b", 20}};
    int sum = 0;
    for (const Json& v : list) sum += v.get<int>();
    for (const Json& v : object) sum += v.get<int>();
    for (const Json& v : Json()) sum += v.get<int>();
    EXPECT_EQ(sum, 37);
    Json changed = object;
    for (Json& v : changed) v = 0;
    EXPECT_EQ(changed.dump(), R"({"a":0,"b":0})");
}

TEST(Json, ReadsWhatItWrote) {
    const std::string text = R"({"a":[1,-2,0.5,"\u00e4\n",null,true],"b":{"c":[]}})";
    EXPECT_EQ(Json::parse(text), Json::parse(Json::parse(text).dump(3)));
    EXPECT_EQ(Json::parse(text)["a"][3].get<std::string>(), "\u00e4\n");
}

TEST(Json, AnArrayIsAVector) {
    const Json j{{"v", {1, 2, 3}}, {"s", {"a", "b"}}};
    EXPECT_EQ(j["v"].get<std::vector<std::uint64_t>>(), (std::vector<std::uint64_t>{1, 2, 3}));
    EXPECT_EQ(j["s"].get<std::vector<std::string>>(), (std::vector<std::string>{"a", "b"}));
    EXPECT_THROW(j.get<std::vector<int>>(), JsonError);
}

TEST(Json, DamagedTextsAndWrongAccessesSaySo) {
    EXPECT_THROW(Json::parse("{\"a\": 1"), JsonError);
    EXPECT_FALSE(Json::try_parse("{\"a\": 1").has_value());
    const Json j{{"a", 1}};
    EXPECT_THROW(j.at("b"), JsonError);
    EXPECT_THROW(j["a"].get<std::string>(), JsonError);
    EXPECT_THROW(j["a"][0], JsonError);
    EXPECT_EQ(j.value("b", 7), 7);
}

}  // namespace loom
