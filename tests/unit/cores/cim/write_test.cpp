// SPDX-License-Identifier: Apache-2.0
// Programming in time: pulses, phases, verify reads, wear, refused reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "cores/cim/writer.hpp"
#include "base/error.hpp"
#include "tests/unit/cores/cim/cim_fixture.hpp"

namespace loom::cores {
namespace {

arch::CimSpec write_spec() {
    arch::CimSpec s = golden_spec();
    s.device.Gmin = 1;
    s.device.Gmax = 33;
    s.write.Pmax = 32;
    s.write.NL_plus = s.write.NL_minus = 0;
    s.write.t_pulse = "10";
    s.write.t_verify = "2";
    s.write.verify = false;
    return s;
}

TEST(PulseCurve, InvertsAndSpansTheRange) {
    for (const double label : {0.0, 0.1, 0.5, 1.0, 2.4, 4.88, 6.0, -1.0, -4.88}) {
        const PulseCurve curve(label, 32, 1, 33);
        EXPECT_NEAR(curve.conductance(0), 1, 1e-9) << label;
        EXPECT_NEAR(curve.conductance(32), 33, 1e-9) << label;
        for (double p = 0; p <= 32; p += 1.7)
            EXPECT_NEAR(curve.pulses(curve.conductance(p)), p, 1e-6) << label;
        const double half = (curve.conductance(16) - 1) / 32;
        EXPECT_EQ(half > 0.5 + 1e-9, label > 0) << label;
    }
    // A / Pmax = 0.4992 at label 2.4 (MLP+NeuroSim's table)
    const double a = 0.4992 * 32, b = 32 / (1 - std::exp(-32 / a));
    EXPECT_NEAR(PulseCurve(2.4, 32, 1, 33).conductance(8), 1 + b * (1 - std::exp(-8 / a)), 1e-9);
}

/// Row at a time: (most SET pulses + most RESET pulses) pulses; rows without a change take no time.
TEST(CimWrite, TimeOfOpenLoopWrites) {
    arch::CimSpec s = write_spec();
    s.array.cell_bits = 2;
    s.weights.weight_bits = 3;  // one cell of 4 levels per sign
    CimArray a(s, CimWeights{3, 2, {0, 0, 0, 0, 3, -3}}, {});
    // row 0: level 3 up (32 pulses) beside level 1 (11, rounded); row 1 stays; row 2: 3 -> -1 in a pair
    const Cycle end = a.write(CimWeights{3, 2, {3, 1, 0, 0, -1, -3}}, 100);
    EXPECT_EQ(end, 100 + 32 * 10 + (11 + 32) * 10);
    EXPECT_EQ(a.counters().write_pulses, 32u + 11 + 11 + 32);
    EXPECT_EQ(a.counters().write_busy, end - 100);
    // 32 from 1 uS and 11 from 1 uS, twice; RESET from 33 uS
    EXPECT_EQ(a.counters().set_energy, (32u + 11 + 11) * 1000);
    EXPECT_EQ(a.counters().reset_energy, 32u * 33000);
    EXPECT_EQ(a.counters().half_select, 0u);
    EXPECT_NEAR(a.conductance(0, 0), 33, 1e-9);
    EXPECT_NEAR(a.conductance(2, 0), 1, 1e-9);
}

TEST(CimWrite, PagesAreWrittenTogether) {
    arch::CimSpec s = write_spec();
    s.array.type = arch::CimType::Flash;
    const CimWeights w = random_weights(64, 4, 4, 2);
    const auto time = [&](std::uint64_t page) {
        s.write.page_rows = page;
        CimArray a(s, w, {});
        a.erase();
        return a.write(w, 0);
    };
    EXPECT_EQ(time(16) * 16, time(1));
}

/// A write of exact cells ends in exact cells, whose sums are exact.
TEST(CimWrite, LoadedMatrixComputes) {
    for (const bool verify : {false, true}) {
        arch::CimSpec s = write_spec();
        s.write.verify = verify;
        const CimWeights w = random_weights(100, 5, 4, 9);
        CimArray a(s, w, {});
        a.erase();
        const auto x = random_rows(100, 0.4, 1);
        a.evaluate(x, 0);
        EXPECT_THAT(a.integers(), testing::Each(0));
        const Cycle end = a.write(w, 0);
        EXPECT_EQ(end, 100u * 32 * (verify ? 12 : 10));
        a.evaluate(x, 1);
        EXPECT_THAT(a.integers(), testing::ElementsAreArray(product(w, x)));
        EXPECT_EQ(a.counters().unverified, 0u);
        EXPECT_EQ(a.counters().verify_reads, verify ? a.counters().write_pulses : 0);
    }
}

TEST(CimWrite, VerifyBringsNoisyCellsWithinTolerance) {
    arch::CimSpec s = write_spec();
    s.write.verify = true;
    s.write.sigma_c2c = 0.05;
    s.write.tolerance = 0.05;
    s.write.n_max = 500;
    CimArray a(s, CimWeights{40, 10, std::vector<std::int32_t>(400, 5)}, {});
    a.erase();
    a.write(CimWeights{40, 10, std::vector<std::int32_t>(400, 5)}, 0);
    EXPECT_EQ(a.counters().unverified, 0u);
    EXPECT_GT(a.counters().write_pulses, 400u * 2 * 20);
    for (std::size_t r = 0; r < 40; ++r) {
        for (std::size_t c = 0; c < 60; ++c) {
            const bool on = c % 6 == 0 || c % 6 == 4;  // 5 = 101b, positive columns
            EXPECT_NEAR(a.conductance(r, c), on ? 33 : 1, 0.05 * 32 + 1e-9);
        }
    }
}

/// A stuck cell takes its pulses and stays; the verify read tells.
TEST(CimWrite, StuckCellsDoNotAnswer) {
    arch::CimSpec s = write_spec();
    s.weights.weight_bits = 2;
    s.write.verify = true;
    s.write.n_max = 40;
    s.device.p_sa0 = 1;
    CimArray a(s, CimWeights{5, 1, {0, 0, 0, 0, 0}}, {});
    a.write(CimWeights{5, 1, {1, 1, 1, 0, -1}}, 0);
    EXPECT_EQ(a.counters().unverified, 4u);
    EXPECT_EQ(a.counters().write_pulses, 4u * 40);
    EXPECT_EQ(a.conductance(0, 0), 1);
}

TEST(CimWrite, HalfSelectOfRowDrivenArrays) {
    arch::CimSpec s = write_spec();
    s.array.type = arch::CimType::RramXbar;
    s.rows.row_select = arch::CimRowSelect::GroupsSkip;
    s.weights.weight_bits = 2;
    // two rows, one weight: 4 cells at 1 uS; one SET of 32 pulses sees 1 uS in its row and 1 in its column
    CimArray a(s, CimWeights{2, 1, {0, 0}}, {});
    a.write(CimWeights{2, 1, {1, 0}}, 0);
    EXPECT_EQ(a.counters().half_select, 32u * 2000);
}

/// A lognormal life around the median: half of the cells are worn after that many pulses, and stay.
TEST(CimWrite, Endurance) {
    arch::CimSpec s = write_spec();
    s.weights.weight_bits = 2;
    s.write.endurance = 32 * 10;
    s.write.endurance_sigma = 0.3;
    const CimWeights ones{100, 20, std::vector<std::int32_t>(2000, 1)};
    const CimWeights zeros{100, 20, std::vector<std::int32_t>(2000, 0)};
    CimArray a(s, zeros, {});
    for (int i = 0; i < 5; ++i) {
        a.write(ones, 0);
        a.write(zeros, 0);
    }
    const double share = static_cast<double>(a.counters().worn_cells) / 2000;
    EXPECT_NEAR(share, 0.47, 0.05);  // wear shows at the pulse that passes the limit
    a.write(ones, 0);
    std::size_t stuck = 0;
    for (std::size_t r = 0; r < 100; ++r) {
        for (std::size_t c = 0; c < 40; c += 2) stuck += a.conductance(r, c) < 2 ? 1u : 0u;
    }
    EXPECT_GT(stuck, 400u);
}

TEST(CimWrite, SramRowsTakeACycle) {
    arch::CimSpec s = golden_spec();
    s.array.type = arch::CimType::SramDigital;
    s.weights.encoding = arch::CimEncoding::TwosComplement;
    CimArray a(s, CimWeights{3, 2, {0, 0, 0, 0, 0, 0}}, {});
    EXPECT_EQ(a.write(CimWeights{3, 2, {1, 0, 0, 0, -3, 2}}, 0), 2u);
    EXPECT_EQ(a.counters().cells_written, 16u);
    a.evaluate(std::vector<std::uint32_t>{0, 2}, 0);
    EXPECT_THAT(a.integers(), testing::ElementsAre(-2, 2));
}

TEST(CimWrite, ReadsAreRefusedMeanwhile) {
    arch::CimSpec s = write_spec();
    const CimWeights w = random_weights(8, 2, 4, 1);
    CimArray a(s, w, {});
    a.erase();
    const Cycle end = a.write(w, 50);
    EXPECT_TRUE(a.writing(50));
    EXPECT_TRUE(a.writing(end - 1));
    EXPECT_FALSE(a.writing(end));
    a.evaluate(std::vector<std::uint32_t>{1}, 0);
    EXPECT_THROW(a.schedule(end - 1), ModelError);
    EXPECT_NO_THROW(a.schedule(end));
    a.count_refusal();
    EXPECT_EQ(a.counters().refused_reads, 1u);
    EXPECT_THROW(a.write(random_weights(8, 3, 4, 1), end), InputError);
}

}  // namespace
}  // namespace loom::cores
