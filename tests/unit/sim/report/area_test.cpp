// SPDX-License-Identifier: Apache-2.0
// Area: leaves sum to the total, sizes follow the description, what has no figure is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "sim/report/area.hpp"
#include "sim/report/area_report.hpp"
#include "tests/support/core_kinds.hpp"

namespace loom::stats {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

arch::AreaSpec um2(double value) {
    arch::AreaSpec a;
    a.value = value;
    a.source = "by hand";
    return a;
}

arch::ChipSpec two_kinds() {
    arch::ChipSpec chip{support::core_kinds()};
    chip.noc.size = {4, 2};
    chip.energy.area = {{"sram_cell", um2(0.5)}, {"router", um2(1000)}};
    arch::CoreKindSpec near = support::kind_spec("near", "near_memory"),
                       cim = support::kind_spec("cim", "cim");
    near.columns = {0};
    support::cim_of(cim);
    support::cim_of(cim).arrays = 3;
    support::cim_of(cim).array.rows = 64;
    support::cim_of(cim).array.cols = 32;
    support::cim_of(cim).array.type = arch::CimType::Rram1t1r;
    support::cim_of(cim).adc.adc_bits = 5;
    support::cim_of(cim).adc.adc_share = 8;
    cim.energy.area = {{"cell", um2(0.1)},       {"adc.4", um2(7)},      {"adc.6", um2(60)},
                       {"sram_cell", um2(0.25)}, {"row_driver", um2(2)}, {"sample_hold", um2(3)},
                       {"shift_add", um2(4)}};
    chip.cores = {near, cim};
    return chip;
}

TEST(Area, LeavesSumToTheTotal) {
    const auto j = area_json(two_kinds());
    double sum = j["network"]["routers"]["mm2"].get<double>();
    EXPECT_DOUBLE_EQ(sum, 8 * 1000e-6);
    for (const auto& [name, kind] : j["kinds"].items()) {
        double leaves = 0;
        for (const auto& [part, p] : kind["components"].items()) {
            EXPECT_NEAR(p["mm2"].get<double>(), p["instances"].get<double>() * p["um2"].get<double>() * 1e-6,
                        1e-12);
            leaves += p["mm2"].get<double>();
        }
        EXPECT_NEAR(leaves, kind["total_mm2"].get<double>(), 1e-12) << name;
        EXPECT_NEAR(leaves, kind["core_mm2"].get<double>() * kind["cores"].get<double>(), 1e-12) << name;
        sum += leaves;
    }
    EXPECT_NEAR(sum, j["total_mm2"].get<double>(), 1e-12);
}

TEST(Area, FollowsTheDescriptionAndTheListOfTheKind) {
    const arch::ChipSpec chip = two_kinds();
    const auto j = area_json(chip);
    const auto& cim = j["kinds"]["cim"];
    EXPECT_EQ(cim["cores"], 6);
    EXPECT_EQ(cim["components"]["cells"]["instances"], 6.0 * 3 * 64 * 32);
    EXPECT_EQ(cim["components"]["converters"]["instances"], 6.0 * 3 * 4);
    EXPECT_EQ(cim["components"]["converters"]["um2"], 60.0);  // 5 bits: the next entry above
    EXPECT_EQ(cim["components"]["neuron_state"]["um2"], 0.25);
    EXPECT_EQ(cim["components"]["row_drivers"]["instances"], 6.0 * 3 * 64);
    EXPECT_EQ(cim["components"]["sample_holds"]["instances"], 6.0 * 3 * 32);
    EXPECT_EQ(cim["components"]["shift_adders"]["instances"], 6.0 * 3 * 4);
    const auto& near = j["kinds"]["near"]["components"];
    EXPECT_EQ(near["synapse_memory"]["instances"], 2.0 * static_cast<double>(chip.core.synapse.memory));
    EXPECT_EQ(near["neuron_state"]["um2"], 0.5);
    EXPECT_FALSE(near.contains("converters"));
}

/// A table of conversion prices may have converters of its own.
TEST(Area, ConvertersOfATable) {
    arch::ChipSpec chip = two_kinds();
    chip.cores[1].energy.area["adc.spikesim.5"] = um2(5);
    const auto um2_of = [&] {
        return area_json(chip)["kinds"]["cim"]["components"]["converters"]["um2"].get<double>();
    };
    EXPECT_EQ(um2_of(), 60);
    support::cim_of(chip.cores[1]).adc.price_table = "spikesim";
    EXPECT_EQ(um2_of(), 5);
    support::cim_of(chip.cores[1]).adc.adc_bits = 6;  // none of the table's own: the common one
    EXPECT_EQ(um2_of(), 60);
    arch::EnergySpec list;
    list.area["adc.spikesim.5"] = um2(5);
    EXPECT_THROW(check_area(list, "energy"), ConfigError);
    list.adc["spikesim"]["5"] = {};
    EXPECT_NO_THROW(check_area(list, "energy"));
}

TEST(Area, WhatHasNoFigureIsNamed) {
    arch::ChipSpec chip = two_kinds();
    const auto names = [](const Json& j) {
        return j["not_included"].get<std::vector<std::string>>();
    };
    EXPECT_THAT(names(area_json(chip)), Contains("cim: multiplexers"));
    EXPECT_THAT(names(area_json(chip)), ::testing::Not(Contains("routers")));
    chip.energy.area.erase("router");
    EXPECT_THAT(names(area_json(chip)), Contains("routers"));
    chip.energy.area.clear();
    chip.cores[1].energy.area.clear();
    const auto j = area_json(chip);
    EXPECT_TRUE(j["total_mm2"].is_null());
    EXPECT_THAT(names(j)[0], HasSubstr("no area figures"));
}

TEST(Area, UnknownPartsAndGradesAreRefused) {
    const auto message = [](const char* part, const char* grade) -> std::string {
        arch::EnergySpec list;
        list.area[part] = um2(1);
        list.area[part].grade = grade;
        try {
            check_area(list, "energy");
        } catch (const ConfigError& e) {
            return e.what();
        }
        return "accepted";
    };
    for (const char* part : {"cell", "adc.5", "core", "router", "digital_cell"})
        EXPECT_EQ(message(part, "derived"), "accepted");
    EXPECT_THAT(message("sram_cel", "derived"),
                HasSubstr("energy.area.sram_cel: no such part; did you mean 'sram_cell'"));
    EXPECT_THAT(message("adc.x", "derived"), HasSubstr("no such part"));
    EXPECT_THAT(message("cell", "measurd"), HasSubstr("did you mean 'measured'"));
}

}  // namespace
}  // namespace loom::stats
