// SPDX-License-Identifier: Apache-2.0
// Weights in pairs of rows that are read with opposite voltages, and columns that settle to a voltage.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "tests/unit/cores/cim/cim_fixture.hpp"

namespace loom::cores {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

arch::CimSpec pairs_spec() {
    arch::CimSpec s = golden_spec();
    s.weights.encoding = arch::CimEncoding::DifferentialRows;
    s.rows.rows_parallel = 16;
    s.adc.adc_bits = 8;
    return s;
}

/// 100 rows in pairs fill 200 rows: 4 blocks of 64; 3 slices of 9 outputs are 27 columns.
TEST(CimRowPairs, LayoutAndEvents) {
    arch::CimSpec s = pairs_spec();
    s.array.rows = 64;
    s.array.cols = 16;
    s.rows.rows_parallel = 8;
    s.rows.bus_bits = 16;
    CimArray a(s, random_weights(100, 9, 4, 1), {});
    EXPECT_EQ(a.shape().row_blocks, 4u);
    EXPECT_EQ(a.shape().columns, 27u);
    EXPECT_EQ(a.shape().converted, 27u);
    EXPECT_EQ(a.shape().column_blocks, 2u);
    EXPECT_EQ(a.shape().fetch, 2u);  // 32 inputs of a block
    EXPECT_NEAR(a.shape().utilisation(s), 200.0 * 27 / (8 * 64 * 16), 1e-12);
    a.evaluate(std::vector<std::uint32_t>{0, 5, 7, 12, 31, 32, 99}, 0);
    // four pairs are a set: 5 inputs of the first block, 1 of the second, 1 of the last
    EXPECT_EQ(a.counters().sets, 2u + 1 + 1);
    EXPECT_EQ(a.counters().rows_driven, 7u * 2 * 2);
    EXPECT_EQ(a.counters().conversions, 4u * 27);
    EXPECT_EQ(a.counters().cell_operations, 7u * 2 * 27);
}

/// Any devices: a column delivers the difference of its pairs' conductances. By hand, from the cells.
TEST(CimRowPairs, NoisyCellsByHand) {
    arch::CimSpec s = pairs_spec();
    s.device.sigma = 0.3;
    s.device.p_sa0 = s.device.p_sa1 = 0.05;
    s.weights.weight_bits = 3;
    s.rows.rows_parallel = 128;
    s.adc.adc_bits = 16;
    s.adc.fs = arch::CimFullScale::Fixed;
    s.adc.fs_value = 64;
    CimArray a(s, random_weights(60, 7, 3, 4), {.seed = 9});
    const double level = s.device.Gmax - s.device.Gmin;
    for (std::uint64_t i = 0; i < 20; ++i) {
        const auto x = random_rows(60, 0.4, i);
        a.evaluate(x, i);
        for (std::size_t j = 0; j < 7; ++j) {
            double sum = 0;
            for (const std::uint32_t r : x) {
                for (std::size_t slice = 0; slice < 2; ++slice) {
                    sum += static_cast<double>(slice + 1) / level *
                           (a.conductance(2 * r, 2 * j + slice) - a.conductance(2 * r + 1, 2 * j + slice));
                }
            }
            EXPECT_NEAR(a.values()[j], sum, 1.5 * a.scale()) << i << " " << j;
        }
    }
}

/// A signed code of 3 bits goes from -4 to 3, in one conversion per column.
TEST(CimRowPairs, ClipsAtBothEnds) {
    arch::CimSpec s = pairs_spec();
    s.weights.weight_bits = 2;
    s.adc.adc_bits = 3;
    s.adc.fs = arch::CimFullScale::Fixed;
    s.adc.fs_value = 3;
    CimWeights w{8, 2, {}};
    for (int i = 0; i < 8; ++i) w.values.insert(w.values.end(), {1, -1});
    CimArray a(s, w, {});
    a.evaluate(std::vector<std::uint32_t>{0, 1, 2, 3}, 0);
    EXPECT_THAT(a.sums(), ElementsAre(3, -4));
    EXPECT_EQ(a.counters().clips, 1u);
    EXPECT_EQ(a.counters().conversions, 2u);
}

/// One cell of a pair is at level 0, so 14 rows are sums of -7 to 7: what a signed code of 4 bits holds.
TEST(CimRowPairs, LosslessRange) {
    arch::CimSpec s = pairs_spec();
    s.adc.adc_bits = 4;
    s.rows.rows_parallel = 14;
    EXPECT_EQ(CimArray(s, random_weights(20, 2, 4, 1), {}).scale(), 1.0);
    s.rows.rows_parallel = 16;
    EXPECT_EQ(CimArray(s, random_weights(20, 2, 4, 1), {}).scale(), 8.0 / 7);
}

/// The range follows the signed sums: by calibration 1, -1, 3, -3 give mean 0 and sigma sqrt(5).
TEST(CimRowPairs, CalibratedRange) {
    arch::CimSpec s = pairs_spec();
    s.weights.weight_bits = 2;
    s.adc.adc_bits = 5;
    s.adc.fs = arch::CimFullScale::Calibrated;
    s.adc.fs_sigmas = 2;
    CimArray a(s, CimWeights{4, 2, {1, -1, 1, -1, 1, -1, 1, -1}}, {});
    a.calibrate(std::vector<std::vector<std::uint32_t>>{{0}, {0, 1, 2}});
    EXPECT_NEAR(a.scale(), 2 * std::sqrt(5.0) / 15, 1e-12);
}

/// Programming in time ends at the same weights, in twice the rows.
TEST(CimRowPairs, WritesWhatItReads) {
    arch::CimSpec s = pairs_spec();
    s.write.tolerance = 0;
    const CimWeights w = random_weights(10, 4, 4, 2);
    CimArray a(s, w, {});
    a.erase();
    a.clear_counters();
    const auto x = random_rows(10, 0.5, 3);
    a.evaluate(x, 0);
    for (const std::int64_t v : a.integers()) EXPECT_EQ(v, 0);
    a.write(w, 0);
    EXPECT_GT(a.counters().write_pulses, 0u);
    a.evaluate(x, 1);
    EXPECT_THAT(a.integers(), testing::ElementsAreArray(product(w, x)));
}

/// Columns that settle to a voltage: cells are counted once per set, however long a read takes.
TEST(CimVoltage, EventsDoNotFollowTime) {
    arch::CimSpec s = pairs_spec();
    s.array.readout = arch::CimReadout::Voltage;
    s.device.c_row = s.device.c_col = 1;
    for (const char* t_rd : {"2", "200"}) {
        s.timing.t_rd = t_rd;
        CimArray a(s, random_weights(64, 8, 4, 1), {});
        a.evaluate(std::vector<std::uint32_t>{1, 2, 40}, 0);
        a.schedule(0);
        EXPECT_EQ(a.counters().cell_charges, 3u * 2 * 24);
        EXPECT_EQ(a.counters().columns_charged, 24u);
        EXPECT_EQ(a.counters().cell_conductance, 0u);
        EXPECT_EQ(a.counters().column_current, 0u);
    }
}

/// The current that converters see: driven conductance, once per conversion, whatever the time.
TEST(CimCurrent, ColumnCurrentIsTheDrivenConductance) {
    arch::CimSpec s = golden_spec();
    s.device.Gmin = 1;
    s.device.Gmax = 11;
    const CimWeights w = random_weights(40, 5, 4, 1);
    CimArray a(s, w, {});
    const auto x = random_rows(40, 0.5, 2);
    double nS = 0;
    for (const std::uint32_t r : x) {
        for (std::size_t c = 0; c < 30; ++c) nS += 1000 * a.conductance(r, c);
    }
    a.evaluate(x, 0);
    a.schedule(0);
    EXPECT_NEAR(static_cast<double>(a.counters().column_current), nS, 1e-6);
    EXPECT_EQ(a.counters().cell_conductance, 2 * a.counters().column_current);  // t_rd 2
}

std::string message(const arch::CimSpec& s) {
    try {
        check_cim(s);
    } catch (const ConfigError& e) {
        return e.what();
    }
    return "accepted";
}

TEST(CimRowPairs, WhatDoesNotFitIsRefused) {
    const auto with = [](auto change) {
        arch::CimSpec s = pairs_spec();
        change(s);
        return message(s);
    };
    EXPECT_EQ(with([](auto&) {}), "accepted");
    EXPECT_THAT(with([](auto& s) { s.rows.rows_parallel = 15; }), HasSubstr("rows.rows_parallel: "));
    EXPECT_THAT(with([](auto& s) { s.array.type = arch::CimType::SramDigital; }),
                HasSubstr("weights.encoding: "));
    EXPECT_THAT(with([](auto& s) { s.array.type = arch::CimType::Dram; }), HasSubstr("weights.encoding: "));
    EXPECT_THAT(with([](auto& s) { s.device.r_col = 1; }), HasSubstr("device.r_col: "));
    EXPECT_THAT(with([](auto& s) { s.adc.adc_bits = 1; }), HasSubstr("adc.adc_bits: "));
    EXPECT_THAT(with([](auto& s) { s.array.readout = arch::CimReadout::Voltage; }),
                HasSubstr("device.c_col: "));
    EXPECT_THAT(with([](auto& s) { s.device.c_row = 1; }), HasSubstr("device.c_col: has no effect"));
    EXPECT_THAT(with([](auto& s) {
                    s.array.type = arch::CimType::SramAnalog;
                    s.weights.encoding = arch::CimEncoding::Differential;
                    s.array.readout = arch::CimReadout::Voltage;
                }),
                HasSubstr("array.readout: "));
}

}  // namespace
}  // namespace loom::cores
