// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/unit/compiler/import/import_checks.hpp"

namespace loom::test {
namespace {

namespace fs = std::filesystem;

/// Files of other people that the reference calls broken: refused as they are, sound under repair.
bool needs_repair(const std::string& name) {
    return name == "lif_rockpool.nir" || name.find("_subgraph") != std::string::npos;
}

TEST(SharedFiles, AllImport) {
    const fs::path folder = fs::path(LOOM_SHARED_DIR) / "data" / "nir";
    if (!fs::exists(folder)) GTEST_SKIP() << "no reference data";
    std::size_t n = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.path().extension() != ".nir") continue;
        const std::string path = entry.path().string();
        ++n;
        if (needs_repair(entry.path().filename().string())) {
            EXPECT_THAT(input_error([&] { compiler::read_nir(path); }), testing::HasSubstr("--repair"))
                << path;
            EXPECT_FALSE(compiler::read_nir(path, true).notes.empty()) << path;
        } else {
            EXPECT_NO_THROW(compiler::read_nir(path)) << path;
        }
    }
    EXPECT_GT(n, 0U);
}

TEST(SharedFiles, NestedBrailleEqualsTheFlatOne) {
    const fs::path folder = fs::path(LOOM_SHARED_DIR) / "data" / "nir";
    if (!fs::exists(folder)) GTEST_SKIP() << "no reference data";
    const auto flat = compiler::read_nir((folder / "braille_noDelay_bias_zero.nir").string());
    const auto nested =
        compiler::read_nir((folder / "braille_noDelay_bias_zero_subgraph.nir").string(), true);
    EXPECT_EQ(edges(nested),
              "input->fc1 fc1->lif1/lif1 lif1/lif1->fc2 lif1/lif1->lif1/lin fc2->lif2 lif1/lin->lif1/lif1 "
              "lif2->output");
    EXPECT_EQ(node(nested, "lif1/lin").arrays.at("weight").data,
              node(flat, "lif1.w_rec").arrays.at("weight").data);
}

}  // namespace
}  // namespace loom::test
