// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/compiler/import/import_checks.hpp"

namespace loom::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

compiler::NirModel digits(const std::string& name) {
    return compiler::read_nir(LOOM_SOURCE_DIR "/tests/golden/digits/digits_" + name + ".nir");
}

class Digits : public testing::TestWithParam<const char*> {};

TEST_P(Digits, EveryParameterHasOneOrAllElements) {
    const auto m = digits(GetParam());
    EXPECT_EQ(m.version, "1.0.7");
    EXPECT_EQ(m.metadata.at("dt"), "0.0001");
    EXPECT_THAT(m.notes, IsEmpty());
    EXPECT_THAT(node(m, "output").input_shape, ElementsAre(10));
    for (const auto& n : m.nodes) {
        std::size_t count = 1;
        for (const std::size_t d : n.output_shape) count *= d;
        for (const char* key : {"tau", "r", "v_leak", "v_threshold", "v_reset"}) {
            ASSERT_EQ(n.arrays.contains(key), n.type() == "LIF") << n.name;
            if (n.type() == "LIF") {
                EXPECT_THAT(n.arrays.at(key).size(), testing::AnyOf(1U, count)) << n.name;
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, Digits, testing::Values("mlp", "mlp_q8", "conv", "conv_q8", "ssa", "ssa_q8"));

TEST(DigitsShapes, Mlp) {
    const auto m = digits("mlp");
    EXPECT_EQ(edges(m), "input->fc1 fc1->lif1 lif1->fc2 fc2->lif2 lif2->output");
    EXPECT_THAT(node(m, "fc1").input_shape, ElementsAre(64));
    EXPECT_THAT(node(m, "lif1").output_shape, ElementsAre(128));
}

TEST(DigitsShapes, Conv) {
    const auto m = digits("conv");
    EXPECT_THAT(node(m, "conv1").input_shape, ElementsAre(1, 8, 8));
    EXPECT_THAT(node(m, "conv1").output_shape, ElementsAre(16, 8, 8));
    EXPECT_THAT(node(m, "pool1").output_shape, ElementsAre(16, 4, 4));
    EXPECT_THAT(node(m, "lif2").output_shape, ElementsAre(32, 4, 4));
    EXPECT_THAT(node(m, "flatten").output_shape, ElementsAre(512));
}

TEST(DigitsShapes, SpikingAttention) {
    const auto m = digits("ssa");
    EXPECT_THAT(node(m, "tokens").output_shape, ElementsAre(32, 16));
    EXPECT_THAT(node(m, "qk").output_shape, ElementsAre(16, 16));
    EXPECT_THAT(node(m, "av").output_shape, ElementsAre(32, 16));
    EXPECT_THAT(node(m, "mlp1_lif").output_shape, ElementsAre(64, 16));
    EXPECT_EQ(m.edges.size(), 26U);
}

}  // namespace
}  // namespace loom::test
