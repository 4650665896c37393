// SPDX-License-Identifier: Apache-2.0
// What an array computes: golden vectors, encodings, ranges, clipping, partial sums, refusals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/error.hpp"
#include "tests/unit/cores/cim/cim_fixture.hpp"

namespace loom::cores {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;

std::vector<std::vector<std::string>> read_table(const std::string& name, char separator = ',') {
    std::ifstream in(std::string(LOOM_SOURCE_DIR) + "/tests/golden/cim/" + name);
    std::vector<std::vector<std::string>> rows;
    for (std::string line; std::getline(in, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        std::istringstream text(line);
        rows.emplace_back();
        for (std::string cell; std::getline(text, cell, separator);) rows.back().push_back(cell);
    }
    return rows;
}

TEST(CimGolden, All105Vectors) {
    CimWeights w{128, 16, {}};
    for (const auto& row : read_table("golden_W_128x16_int4.csv")) {
        for (const auto& cell : row) w.values.push_back(std::stoi(cell));
    }
    std::vector<std::vector<std::uint32_t>> inputs;
    for (const auto& row : read_table("golden_x_5x128.csv")) {
        inputs.emplace_back();
        for (std::uint32_t i = 0; i < row.size(); ++i) {
            if (row[i] == "1") inputs.back().push_back(i);
        }
    }
    const auto table = read_table("golden_crossbar.csv");
    ASSERT_EQ(table.size(), 106u);
    for (std::size_t i = 1; i < table.size(); ++i) {
        const auto& t = table[i];
        arch::CimSpec s = golden_spec();
        s.rows.row_select = t[3] == "packed"   ? arch::CimRowSelect::Packed
                            : t[3] == "groups" ? arch::CimRowSelect::GroupsSkip
                                               : arch::CimRowSelect::All;
        s.rows.rows_parallel = std::stoul(t[4]);
        s.adc.adc_bits = std::stoul(t[5]);
        s.array.cell_bits = std::stoul(t[6]);
        s.weights.encoding = t[7] == "diff" ? arch::CimEncoding::Differential : arch::CimEncoding::Offset;
        CimArray a(s, w, {});
        a.evaluate(inputs[std::stoul(t[0])], 0);
        const CimTimes times = a.schedule(0);
        SCOPED_TRACE(testing::Message() << "line " << i + 1);
        EXPECT_EQ(a.shape().column_blocks, std::stoul(t[8]));
        EXPECT_EQ(times.sets, std::stoul(t[9]));
        EXPECT_EQ(a.shape().mux_steps, std::stoul(t[10]));
        EXPECT_EQ(times.done, std::stoul(t[12]));
        EXPECT_EQ(a.counters().conversions, std::stoul(t[13]));
        EXPECT_EQ(a.counters().rows_driven, std::stoul(t[14]));
        std::istringstream values(t[17]);
        for (std::size_t j = 0; j < 16; ++j) {
            std::string cell;
            std::getline(values, cell, '|');
            const double want = std::stod(cell);
            EXPECT_NEAR(a.values()[j], want, 5.1e-6 * std::max(1.0, std::abs(want))) << j;
        }
    }
}

struct Case {
    arch::CimType type;
    arch::CimEncoding encoding;
    arch::CimSubtraction subtraction;
    std::uint64_t cell_bits, weight_bits;
};

/// Converters that lose nothing: every encoding gives x W, over row blocks and column blocks, by each way of
/// evaluation (rows of weights; integer codes; real currents).
TEST(CimValues, EveryEncodingGivesTheProduct) {
    using enum arch::CimType;
    using enum arch::CimEncoding;
    using enum arch::CimSubtraction;
    const std::vector<Case> cases{
        {Rram1t1r, Differential, Digital, 1, 4}, {Rram1t1r, Differential, Analog, 1, 4},
        {Rram1t1r, Offset, Digital, 1, 4},       {Rram1t1r, TwosComplement, Digital, 1, 4},
        {Pcm, Differential, Digital, 2, 8},      {Flash, TwosComplement, Digital, 3, 8},
        {Rram1t1r, Offset, Digital, 3, 8},       {SramAnalog, TwosComplement, Digital, 1, 6},
        {RramXbar, Differential, Digital, 2, 4}, {SramAnalog, Differential, Analog, 1, 2},
        {Dram, Differential, Digital, 1, 4},     {SramDigital, TwosComplement, Digital, 1, 8},
        {SramDigital, Offset, Digital, 1, 3},    {Rram1t1r, DifferentialRows, Digital, 1, 4},
        {Pcm, DifferentialRows, Digital, 2, 6}};
    std::uint64_t seed = 1;
    for (const Case& c : cases) {
        for (const auto select :
             {arch::CimRowSelect::All, arch::CimRowSelect::GroupsSkip, arch::CimRowSelect::Packed}) {
            if (c.type == RramXbar && select == arch::CimRowSelect::Packed) continue;
            for (int way = 0; way < 3; ++way) {
                arch::CimSpec s = golden_spec();
                s.array.rows = 32;
                s.array.cols = 48;
                s.array.type = c.type;
                s.array.cell_bits = c.cell_bits;
                s.weights.weight_bits = c.weight_bits;
                s.weights.encoding = c.encoding;
                s.weights.sub_position = c.subtraction;
                const bool pairs = c.encoding == DifferentialRows;
                s.rows.rows_parallel = pairs ? 14 : 13;
                s.rows.row_select = select;
                s.adc.adc_bits = 8;
                if (way == 1 && c.type == SramDigital)
                    s.psum.psum_bits = c.weight_bits + 6;  // might overflow
                if (way == 1 && c.type != SramDigital) {   // half a level per code: no short cut
                    s.adc.fs = arch::CimFullScale::Fixed;
                    s.adc.fs_value = c.subtraction == Analog || pairs ? 63.5 : 127.5;
                }
                if (way == 2) {
                    if (c.type == SramDigital) continue;
                    s.device.read_noise = 1e-9;
                }
                const CimWeights w =
                    random_weights(75, 21, static_cast<int>(c.weight_bits), seed);  // 3 row blocks
                CimArray a(s, w, {.seed = seed});
                for (const double density : {0.0, 0.05, 0.4, 1.0}) {
                    const auto x = random_rows(75, density, ++seed);
                    a.evaluate(x, seed);
                    EXPECT_THAT(a.integers(), ElementsAreArray(product(w, x)))
                        << "type " << static_cast<int>(c.type) << " encoding " << static_cast<int>(c.encoding)
                        << " way " << way << " density " << density;
                    EXPECT_EQ(a.counters().clips, 0u);
                    EXPECT_EQ(a.counters().psum_overflows, 0u);
                }
            }
        }
    }
}

/// 3 rows of weight 7, 2 bits, range 0..3: no clipping; 5 rows: 5 -> 3 in each of 3 slices.
TEST(CimValues, ClippedCodesAreCountedOneByOne) {
    arch::CimSpec s = golden_spec();
    s.rows.rows_parallel = 8;
    s.adc.adc_bits = 2;
    s.adc.fs = arch::CimFullScale::Fixed;
    s.adc.fs_value = 3;
    CimArray a(s, CimWeights{8, 1, std::vector<std::int32_t>(8, 7)}, {});
    a.evaluate(std::vector<std::uint32_t>{0, 1, 2}, 0);
    EXPECT_EQ(a.sums()[0], 21);
    EXPECT_EQ(a.counters().clips, 0u);
    a.evaluate(std::vector<std::uint32_t>{0, 1, 2, 4, 7}, 0);
    EXPECT_EQ(a.sums()[0], 21);
    EXPECT_EQ(a.counters().clips, 3u);
}

/// A signed code of 3 bits goes from -4 to 3.
TEST(CimValues, AnalogSubtractionClipsAtBothEnds) {
    arch::CimSpec s = golden_spec();
    s.weights.weight_bits = 2;
    s.weights.sub_position = arch::CimSubtraction::Analog;
    s.rows.rows_parallel = 8;
    s.adc.adc_bits = 3;
    s.adc.fs = arch::CimFullScale::Fixed;
    s.adc.fs_value = 3;
    CimWeights w{8, 2, {}};
    for (int i = 0; i < 8; ++i) w.values.insert(w.values.end(), {1, -1});
    CimArray a(s, w, {});
    a.evaluate(std::vector<std::uint32_t>{0, 1, 2, 3}, 0);
    EXPECT_THAT(a.sums(), testing::ElementsAre(3, -4));
    EXPECT_EQ(a.counters().clips, 1u);
    EXPECT_EQ(a.counters().conversions, 2u);
    a.evaluate(std::vector<std::uint32_t>{0, 1, 2, 3, 4}, 0);
    EXPECT_THAT(a.sums(), testing::ElementsAre(3, -4));
    EXPECT_EQ(a.counters().clips, 3u);
}

TEST(CimValues, PartialSumsSaturateOrWrapAndAreCounted) {
    for (const auto overflow : {arch::CimOverflow::Saturate, arch::CimOverflow::Wrap}) {
        arch::CimSpec s = golden_spec();
        s.psum.psum_bits = 6;  // -32 ... 31
        s.psum.overflow = overflow;
        CimArray a(s, CimWeights{6, 1, std::vector<std::int32_t>(6, 7)}, {});
        std::vector<std::uint32_t> x{0, 1, 2, 3};
        a.evaluate(x, 0);
        EXPECT_EQ(a.sums()[0], 28);
        EXPECT_EQ(a.counters().psum_overflows, 0u);
        x.push_back(4);
        a.evaluate(x, 0);  // 5 + 10 + 20 = 35
        EXPECT_EQ(a.sums()[0], overflow == arch::CimOverflow::Saturate ? 31 : 35 - 64);
        EXPECT_EQ(a.counters().psum_overflows, 1u);
    }
}

/// Mean and deviation of the sums decide the range: 10 vectors of 1 or 3 active rows give 2 +- 1.
TEST(CimValues, CalibratedRange) {
    arch::CimSpec s = golden_spec();
    s.weights.weight_bits = 2;
    s.weights.encoding = arch::CimEncoding::Differential;
    s.adc.fs = arch::CimFullScale::Calibrated;
    s.adc.fs_sigmas = 2;
    s.adc.adc_bits = 4;
    s.rows.rows_parallel = 4;
    // the positive column holds all weights, the negative one zeros: y is 1, 0, 3, 0 -> mean 1, sigma^2 1.5
    CimArray a(s, CimWeights{4, 1, {1, 1, 1, 1}}, {});
    const std::vector<std::vector<std::uint32_t>> vectors{{0}, {0, 1, 2}};
    a.calibrate(vectors);
    EXPECT_NEAR(a.scale(), (1 + 2 * std::sqrt(1.5)) / 15, 1e-12);
    a.evaluate(vectors[1], 0);
    EXPECT_NEAR(a.values()[0], 3, a.scale() / 2);
}

TEST(CimValues, OrderDoesNotMatter) {
    arch::CimSpec s = golden_spec();
    s.device.sigma = 0.1;
    s.device.read_noise = 0.05;
    s.device.rtn_amplitude = 0.1;
    s.device.r_col = 1;
    s.adc.gain_sigma = 0.01;
    s.adc.offset_sigma = 0.2;
    const CimWeights w = random_weights(100, 10, 4, 3);
    CimArray a(s, w, {.seed = 5, .core = 2}), b(s, w, {.seed = 5, .core = 2});
    CimArray other(s, w, {.seed = 6, .core = 2}), elsewhere(s, w, {.seed = 5, .core = 3});
    std::vector<std::vector<double>> first(20), second(20);
    int differs = 0;
    const auto value = [&](CimArray& array, std::size_t i) {
        array.evaluate(random_rows(100, 0.3, i), i);
        return std::vector<double>(array.values().begin(), array.values().end());
    };
    for (std::size_t i = 0; i < 20; ++i) first[i] = value(a, i);
    for (std::size_t i = 20; i-- > 0;) second[i] = value(b, i);
    for (std::size_t i = 0; i < 20; ++i) {
        EXPECT_EQ(first[i], second[i]) << i;
        differs += (value(other, i) != first[i] ? 1 : 0) + (value(elsewhere, i) != first[i] ? 1 : 0);
    }
    EXPECT_GT(differs, 30);
}

std::string message(const arch::CimSpec& s, CimWeights w = {2, 1, {1, 1}}) {
    try {
        CimArray(s, std::move(w), {});
    } catch (const Error& e) {
        return e.what();
    }
    return "accepted";
}

TEST(CimErrors, ImpossibleArrays) {
    using enum arch::CimType;
    const arch::CimSpec good = golden_spec();
    EXPECT_EQ(message(good), "accepted");
    const auto with = [&](auto change) {
        arch::CimSpec s = good;
        change(s);
        return message(s);
    };
    EXPECT_THAT(with([](auto& s) { s.rows.rows_parallel = 129; }),
                HasSubstr("rows.rows_parallel: 129 rows in parallel, but the array has 128"));
    EXPECT_THAT(with([](auto& s) { s.array.type = RramXbar; }), HasSubstr("rows.row_select: packed needs"));
    EXPECT_THAT(with([](auto& s) { s.adc.adc_share = 256; }), HasSubstr("adc.adc_share: 256 columns"));
    EXPECT_THAT(with([](auto& s) { s.adc.fs = arch::CimFullScale::Fixed; }), HasSubstr("adc.fs_value"));
    EXPECT_THAT(with([](auto& s) { s.timing.t_adc = "0"; }), HasSubstr("timing.t_adc: must be between 1"));
    EXPECT_THAT(
        with([](auto& s) { s.timing.t_rd = "10 furlongs"; }),
        HasSubstr("timing.t_rd: expected cycles or a time such as '3' or '10 ns', got '10 furlongs'"));
    EXPECT_THAT(with([](auto& s) {
                    s.weights.encoding = arch::CimEncoding::Offset;
                    s.weights.sub_position = arch::CimSubtraction::Analog;
                }),
                HasSubstr("weights.sub_position"));
    EXPECT_THAT(with([](auto& s) { s.device.Gmax = s.device.Gmin; }), HasSubstr("device.Gmax"));
    EXPECT_THAT(with([](auto& s) { s.device.r_row = 1; }), HasSubstr("device.r_row: has no effect here"));
    EXPECT_THAT(with([](auto& s) { s.array.type = SramDigital, s.device.read_noise = 1; }),
                HasSubstr("device.read_noise"));
    EXPECT_THAT(with([](auto& s) { s.array.type = SramAnalog, s.array.cell_bits = 2; }),
                HasSubstr("array.cell_bits: these cells hold 1 bit (got 2)"));
}

TEST(CimErrors, WeightsBeyondTheirWidth) {
    arch::CimSpec s = golden_spec();
    EXPECT_EQ(message(s, {2, 1, {7, -7}}), "accepted");
    EXPECT_THAT(message(s, {2, 1, {7, -8}}), HasSubstr("weights[1, 0]: -8 is beyond -7 ... 7"));
    EXPECT_THAT(message(s, {1, 2, {7, 8}}), HasSubstr("weights[0, 1]: 8 is beyond"));
    s.weights.encoding = arch::CimEncoding::Offset;
    EXPECT_EQ(message(s, {2, 1, {7, -8}}), "accepted");
    EXPECT_THAT(message(s, {2, 1, {7, -9}}), HasSubstr("beyond -8 ... 7"));
    EXPECT_THAT(message(s, {2, 2, {7, 0}}), HasSubstr("weights: expected"));
    EXPECT_THAT(message(s, {0, 0, {}}), HasSubstr("empty"));
}

TEST(CimErrors, RowsThatDoNotAscend) {
    CimArray a(golden_spec(), random_weights(10, 2, 4, 1), {});
    EXPECT_THROW(a.evaluate(std::vector<std::uint32_t>{3, 3}, 0), ModelError);
    EXPECT_THROW(a.evaluate(std::vector<std::uint32_t>{4, 3}, 0), ModelError);
    EXPECT_THROW(a.evaluate(std::vector<std::uint32_t>{10}, 0), ModelError);
}

}  // namespace
}  // namespace loom::cores
