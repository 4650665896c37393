// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/compiler/import/import_checks.hpp"

namespace loom::test {
namespace {

TEST(Describe, NodesEdgesAndNotes) {
    compiler::NirModel m = import_graph([](GraphWriter& g) {
        g.border("in", "Input", {3});
        g.node("fc", "Affine").counting("weight", {20, 3}).same("bias", 20, 1);
        g.border("out", "Output", {20});
        g.edge("in", "fc").edge("fc", "out").edge("fc", "out");
    });
    m.file = "net.nir";
    m.metadata["dt"] = "0.001";
    EXPECT_EQ(compiler::describe(m),
              "net.nir: NIR of unknown version, 3 nodes, 2 edges\n"
              "  metadata dt: 0.001\n"
              "nodes\n"
              "  node  type    input -> output  parameters\n"
              "  in    Input     [3] -> [3]              0\n"
              "  fc    Affine    [3] -> [20]            80\n"
              "  out   Output   [20] -> [20]             0\n"
              "  total parameters: 80\n"
              "edges\n"
              "  in -> fc\n"
              "  fc -> out\n"
              "notes\n"
              "  duplicate edge 'fc' -> 'out' dropped\n");
}

TEST(Describe, ParameterTotalsOfTheDigitsNetworks) {
    const std::pair<const char*, const char*> totals[] = {
        {"mlp", "9610"}, {"conv", "9930"}, {"ssa", "13706"}};
    for (const auto& [name, total] : totals) {
        const auto text = compiler::describe(
            compiler::read_nir(std::string(LOOM_SOURCE_DIR "/tests/golden/digits/digits_") + name + ".nir"));
        EXPECT_THAT(text, testing::ContainsRegex(std::string("total parameters: ") + total + "\n")) << text;
    }
}

}  // namespace
}  // namespace loom::test
