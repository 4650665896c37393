// SPDX-License-Identifier: Apache-2.0
#include "base/key_error.hpp"

#include <gtest/gtest.h>

namespace loom {
namespace {

TEST(KeyErrorTest, CarriesKeyAndProblemAsData) {
    const KeyError e("noc.router.vcs", "0 is not in 1..64: give it one");
    EXPECT_STREQ(e.what(), "noc.router.vcs: 0 is not in 1..64: give it one");
    EXPECT_EQ(e.key(), "noc.router.vcs");
    EXPECT_EQ(e.problem(), "0 is not in 1..64: give it one");
    EXPECT_TRUE(e.place().empty());
    EXPECT_EQ(e.code(), ExitCode::InvalidInput);
}

TEST(KeyErrorTest, APlaceStandsInFront) {
    const KeyError e = KeyError("vcs", "is 0").below("noc.router").placed("chip.yaml:3:5");
    EXPECT_STREQ(e.what(), "chip.yaml:3:5: noc.router.vcs: is 0");
    EXPECT_EQ(e.key(), "noc.router.vcs");
    EXPECT_EQ(e.place(), "chip.yaml:3:5");
}

TEST(KeyErrorTest, AnErrorOfAWholeSectionHasItsKey) {
    EXPECT_STREQ(KeyError("", "is empty").below("chip").what(), "chip: is empty");
    EXPECT_STREQ(KeyError("", "is no map", "a.yaml:1:1").what(), "a.yaml:1:1: is no map");
}

}  // namespace
}  // namespace loom
