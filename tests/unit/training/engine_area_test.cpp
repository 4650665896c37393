// SPDX-License-Identifier: Apache-2.0
// Area of training engines: closed form of a small chip, leaves sum to the total, what has no figure is
// named.
#include "training/many_core/engine_area.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "base/config/reader.hpp"
#include "base/error.hpp"
#include "tests/unit/training/chips.hpp"
#include "training/many_core/training_target.hpp"

namespace loom::training {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;


arch::AreaSpec um2(double value) {
    arch::AreaSpec a;
    a.value = value;
    a.source = "by hand";
    return a;
}

/// 3 x 5 elements of 16 bits with 7 sums each, buffers of test_chip().
arch::TrainingChip small(const std::string& kind = "sata") {
    arch::TrainingChip chip = test_chip(kind);
    chip.array.rows = 3;
    chip.array.columns = 5;
    chip.array.accumulators = 7;
    chip.energy.technology = 32e-6;  // mm
    chip.energy.area = {{"multiplier.16", um2(400)}, {"multiplier.32", um2(1600)}, {"adder.16", um2(40)},
                        {"adder.32", um2(80)},       {"register.16", um2(60)},     {"register.32", um2(120)},
                        {"comparator.16", um2(30)},  {"and.16", um2(10)},          {"mux.16", um2(20)},
                        {"shifter.16", um2(100)},    {"sram_cell", um2(0.5)},      {"sram_port", um2(0.25)}};
    return chip;
}

double leaves(const Json& components) {
    double sum = 0;
    for (const auto& [name, p] : components.items()) {
        EXPECT_NEAR(p["mm2"].get<double>(), p["instances"].get<double>() * p["um2"].get<double>() * 1e-6,
                    1e-12);
        sum += p["mm2"].get<double>();
    }
    return sum;
}

double element(const arch::TrainingChip& chip, const std::string& array = "array") {
    return engine_area_json(chip)["arrays"][array]["element_um2"].get<double>();
}

/// Multiplier, adder, gate, comparator, two multiplexers, shifter; operands twice, 7 sums.
constexpr double kElement = 400 + 40 + 10 + 30 + 2 * 20 + 100 + (2 + 2 + 7) * 60;

TEST(EngineArea, IsAClosedFormOfTheDescription) {
    const arch::TrainingChip chip = small();
    const Json j = engine_area_json(chip);
    EXPECT_EQ(j["technology_nm"], 32.0);
    EXPECT_EQ(j["arrays"]["array"]["elements"], 15);
    EXPECT_DOUBLE_EQ(element(chip), kElement);
    // u: 256 KiB in 64 banks of 32768 bits, ports of 8 bits
    const double u = 256 * 8192 * 0.5 + 8 * 64 * std::sqrt(32768.0) * 0.25;
    EXPECT_NEAR(j["buffers"]["u"]["total_mm2"].get<double>(), u * 1e-6, 1e-12);
    double sum = leaves(j["arrays"]["array"]["components"]);
    EXPECT_NEAR(sum, 15 * kElement * 1e-6, 1e-12);
    for (const auto& [name, b] : j["buffers"].items()) {
        EXPECT_NEAR(leaves(b["components"]), b["total_mm2"].get<double>(), 1e-12);
        sum += b["total_mm2"].get<double>();
    }
    EXPECT_EQ(j["buffers"].size(), 5U);
    EXPECT_NEAR(j["total_mm2"].get<double>(), sum, 1e-12);
}

TEST(EngineArea, FollowsWidthsAndRules) {
    arch::TrainingChip chip = small();
    chip.sparsity = {arch::ZeroRule::Dense, arch::ZeroRule::Dense, arch::ZeroRule::Dense};
    EXPECT_DOUBLE_EQ(element(chip), kElement);  // spikes are added: a gate all the same
    chip.multiplies_spikes = true;
    EXPECT_DOUBLE_EQ(element(chip), kElement - 10);
    chip.sparsity.errors = arch::ZeroRule::Gate;
    EXPECT_DOUBLE_EQ(element(chip), kElement);
    EXPECT_DOUBLE_EQ(element(small("mac_array")), kElement - 10);
    chip.schedule.leak_shift = false;
    EXPECT_DOUBLE_EQ(element(chip), kElement - 100);
    chip.schedule.double_buffer = false;
    EXPECT_DOUBLE_EQ(element(chip), kElement - 100 - 2 * 60);
    chip.bits.gradient = 20;  // the next entry above, 32: adder and sums
    EXPECT_DOUBLE_EQ(element(chip), kElement - 100 - 2 * 60 + (80 - 40) + 7 * (120 - 60));
    chip.bits.weight = 24;  // multiplier and weight register; no gate of 24 bits
    EXPECT_DOUBLE_EQ(element(chip), kElement - 100 - 2 * 60 + (80 - 40) + 7 * (120 - 60) + 1200 + 60 - 10);
}

TEST(EngineArea, ThreeArraysAndTables) {
    arch::TrainingChip chip = small("h2learn");
    chip.lut_inputs = 4;
    chip.update_array = chip.array;
    chip.update_array->rows = 2;
    chip.update_array->accumulators = 9;
    const Json j = engine_area_json(chip);
    const double tables = 2 * 16 * 60;
    EXPECT_DOUBLE_EQ(element(chip, "forward"), kElement + tables);
    EXPECT_DOUBLE_EQ(element(chip, "backward"), kElement);
    EXPECT_DOUBLE_EQ(element(chip, "update"), kElement - 30 - 2 * 20 - 100 + 2 * 60 + tables);
    EXPECT_EQ(j["arrays"]["update"]["elements"], 10);
    EXPECT_NEAR(j["arrays"]["forward"]["components"]["tables"]["mm2"].get<double>(), 15 * tables * 1e-6,
                1e-12);
    chip.lut_inputs = 1;
    EXPECT_DOUBLE_EQ(element(chip, "forward"), kElement);
}

TEST(EngineArea, WhatHasNoFigureIsNamed) {
    const auto names = [](const arch::TrainingChip& chip) {
        return engine_area_json(chip)["not_included"].get<std::vector<std::string>>();
    };
    arch::TrainingChip chip = small();
    EXPECT_THAT(names(chip), Contains("dram_interface"));
    EXPECT_THAT(names(chip), Contains("finding the next operand that is not zero"));
    EXPECT_THAT(names(small("mac_array")), Not(Contains("finding the next operand that is not zero")));
    chip.energy.area["dram_interface"] = um2(2e6);
    EXPECT_THAT(names(chip), Not(Contains("dram_interface")));
    EXPECT_NEAR(engine_area_json(chip)["total_mm2"].get<double>(),
                engine_area_json(small())["total_mm2"].get<double>() + 2, 1e-9);
    chip.energy.area.erase("shifter.16");
    chip.energy.area.erase("sram_port");
    EXPECT_THAT(names(chip), Contains("array: shifter"));
    EXPECT_THAT(names(chip), Contains("buffer w: ports"));
    chip.energy.area.clear();
    chip.energy.technology = 0;
    EXPECT_TRUE(engine_area_json(chip)["total_mm2"].is_null());
    EXPECT_TRUE(engine_area_json(chip)["technology_nm"].is_null());
    EXPECT_THAT(names(chip)[0], HasSubstr("no area figures"));
}

TEST(EngineArea, UnknownPartsAreRefused) {
    arch::TrainingChip chip = small();
    const auto message = [&](const std::string& part) -> std::string {
        arch::TrainingChip wrong = chip;
        wrong.energy.area[part] = um2(1);
        try {
            make_target(wrong);
        } catch (const ConfigError& e) {
            return e.what();
        }
        return "accepted";
    };
    EXPECT_EQ(message("adder.64"), "accepted");
    EXPECT_THAT(message("adder.x"), HasSubstr("energy.area.adder.x: no such part"));
    EXPECT_THAT(message("multiplyer.16"), HasSubstr("did you mean 'multiplier.16'"));
    EXPECT_THAT(message("sram_prot"), HasSubstr("did you mean 'sram_port'"));
}

/// The shipped chips: every part has a figure; figures of the kernel table.
TEST(EngineArea, ShippedEngines) {
    for (const char* name : {"sata", "h2learn", "mac_array"}) {
        const auto chip = config::read<arch::TrainingChip>(
            config::load_tree(LOOM_SOURCE_DIR "/configs/chips/" + std::string(name) + ".yaml"));
        const Json j = make_target(chip)->area();
        EXPECT_GT(j["total_mm2"].get<double>(), 0) << name;
        EXPECT_EQ(j["technology_nm"], 32.0) << name;
        for (const ArrayArea& a : array_areas(chip)) EXPECT_TRUE(a.element.missing.empty()) << name;
        EXPECT_EQ(j["not_included"][0], "control") << name;
    }
}

/// sram_cell and sram_port are the least squares of relative errors over the runs.
TEST(EngineArea, BufferFiguresAreTheFit) {
    std::ifstream file(LOOM_SOURCE_DIR "/tests/golden/cacti/sram_32nm.csv");
    std::string line;
    std::getline(file, line);
    double xx = 0, xy = 0, yy = 0, x1 = 0, y1 = 0;
    std::vector<std::array<double, 2>> rows;
    for (double kib, port, banks, mm2; file >> line;) {
        ASSERT_EQ(std::sscanf(line.c_str(), "%lf,%lf,%lf,%lf", &kib, &port, &banks, &mm2), 4) << line;
        const double bits = kib * 8192, um2 = mm2 * 1e6;
        const double x = bits / um2, y = port * banks * std::sqrt(bits / banks) / um2;
        rows.push_back({x, y});
        xx += x * x, xy += x * y, yy += y * y, x1 += x, y1 += y;
    }
    ASSERT_EQ(rows.size(), 123U);
    const double det = xx * yy - xy * xy;
    const auto prices =
        config::read<arch::TrainingChip>(config::load_tree(LOOM_SOURCE_DIR "/configs/chips/sata.yaml"))
            .energy.area;
    const double cell = prices.at("sram_cell").value, port = prices.at("sram_port").value;
    EXPECT_NEAR(cell, (yy * x1 - xy * y1) / det, 1e-4);
    EXPECT_NEAR(port, (xx * y1 - xy * x1) / det, 1e-4);
    double squares = 0, worst = 0;
    for (const auto& [x, y] : rows) {
        const double error = cell * x + port * y - 1;
        squares += error * error;
        worst = std::max(worst, std::abs(error));
    }
    EXPECT_NEAR(std::sqrt(squares / 123), 0.15, 0.005);
    EXPECT_NEAR(worst, 0.53, 0.005);
}

}  // namespace
}  // namespace loom::training
