// SPDX-License-Identifier: Apache-2.0
// The configurations that come with the project can be read and their price lists are complete.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "arch/chip_spec.hpp"
#include "base/config/reader.hpp"
#include "base/config/writer.hpp"
#include "cores/core_counters.hpp"
#include "noc/network.hpp"
#include "tests/support/core_kinds.hpp"

namespace loom::config {
namespace {

namespace fs = std::filesystem;

const std::string configs = std::string(LOOM_SOURCE_DIR) + "/configs/";

std::set<std::string> priced_names() {
    std::set<std::string> names{"host.packets", "barrier.barriers"};
    const auto collect = [&](const char* name, const auto&, bool priced, const char*) {
        if (priced) names.insert(name);
    };
    cores::CoreCounters core;
    noc::NocCounters network;
    fields(collect, core);
    fields(collect, network);
    return names;
}

class ShippedChip : public testing::TestWithParam<const char*> {
  protected:
    arch::ChipSpec chip() const {
        return support::read_chip(load_tree(configs + "chips/" + GetParam() + ".yaml"), "chip");
    }
};

TEST_P(ShippedChip, EveryPricedEventIsPricedOrExcused) {
    const arch::ChipSpec spec = chip();
    const auto names = priced_names();
    EXPECT_EQ(names.size(), 35u);
    std::set<std::string> families;
    for (const auto& name : names) {
        const bool way = name.ends_with('+') || name.ends_with('-');  // noc.link_x stands for both ways
        families.insert(way ? name.substr(0, name.size() - 1) : name);
    }
    for (const auto& name : families) {
        EXPECT_EQ(spec.energy.actions.count(name) + spec.energy.unpriced.count(name), 1u) << name;
    }
    for (const auto& [name, price] : spec.energy.actions) EXPECT_TRUE(families.contains(name)) << name;
    for (const auto& [name, reason] : spec.energy.unpriced) {
        EXPECT_TRUE(families.contains(name)) << name;
        EXPECT_FALSE(reason.empty()) << name;
    }
}

TEST_P(ShippedChip, PricesHaveSourceAndGrade) {
    const std::set<std::string> categories{"compute", "memory", "noc", "control"};
    const std::set<std::string> grades{"measured", "simulated", "derived", "assumed"};
    const arch::ChipSpec spec = chip();
    for (const auto& [name, price] : spec.energy.actions) {
        EXPECT_TRUE(categories.contains(price.category)) << name;
        EXPECT_TRUE(grades.contains(price.grade)) << name;
        EXPECT_FALSE(price.source.empty()) << name;
    }
    for (const auto& [name, leak] : spec.energy.leakage) {
        EXPECT_TRUE(name == "core" || name == "router" || name == "chip") << name;
        EXPECT_TRUE(grades.contains(leak.grade)) << name;
    }
}

TEST_P(ShippedChip, ResolvedConfigurationReadsBack) {
    const Node node = to_node(chip());
    EXPECT_TRUE(same_value(node, to_node(support::read_chip(load_text(emit(node), "resolved")))));
}

INSTANTIATE_TEST_SUITE_P(Chips, ShippedChip, testing::Values("loihi", "mesh45"),
                         [](const auto& chip) { return std::string(chip.param); });

TEST(ShippedConfigs, LoihiTimes) {
    const auto chip = support::read_chip(load_tree(configs + "chips/loihi.yaml"));
    EXPECT_EQ(chip.n_routers(), 32u);
    EXPECT_EQ(chip.n_cores(), 128u);
    const double ns = chip.clock.period / 1000.0;
    EXPECT_EQ(chip.noc.router.async.x, 4100);
    EXPECT_EQ(chip.noc.router.async.y, 6500);
    EXPECT_EQ(chip.noc.router.async.local, 2100);
    const auto barrier = [&](std::uint64_t tiles) {
        return static_cast<double>(chip.timestep.latency + tiles * chip.timestep.latency_per_tile) * ns;
    };
    EXPECT_NEAR(barrier(1), 113.0, 1e-9);
    EXPECT_NEAR(barrier(32), 465.0, 2.0);
}

TEST(ShippedConfigs, RunsNameFilesThatExist) {
    std::size_t runs = 0;
    for (const auto& item : fs::directory_iterator(configs + "runs")) {
        Node root = load(item.path().string());
        for (const char* section : {"network.file", "input.file", "chip.file"}) {
            const Node* file = get(root, section);
            ASSERT_NE(file, nullptr) << item.path() << section;
            EXPECT_TRUE(fs::exists(item.path().parent_path() / file->scalar)) << file->scalar;
        }
        const std::vector<std::string> sections{"chip"};
        set(root, "chip.core.soma.max_neurons", "256");
        include_files(root, sections);
        EXPECT_EQ(support::read_chip(*root.find("chip"), "chip").core.soma.max_neurons, 256u);
        ++runs;
    }
    EXPECT_EQ(runs, 7u);
    const Node sweep = load(configs + "sweeps/core_size.yaml");
    EXPECT_TRUE(fs::exists(configs + "sweeps/" + get(sweep, "run")->scalar));
    EXPECT_EQ(get(sweep, "axes")->map.size(), 2u);
}

}  // namespace
}  // namespace loom::config
