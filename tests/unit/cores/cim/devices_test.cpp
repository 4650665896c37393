// SPDX-License-Identifier: Apache-2.0
// Cells and converters that are not ideal: their statistics, and that draws belong to cells and steps.
#include <gtest/gtest.h>

#include <cmath>

#include "base/portable_math.hpp"
#include "tests/unit/cores/cim/cim_fixture.hpp"

namespace loom::cores {
namespace {

struct Moments {
    double n = 0, sum = 0, squares = 0;
    void add(double x) {
        n += 1;
        sum += x;
        squares += x * x;
    }
    double mean() const { return sum / n; }
    double sigma() const { return std::sqrt(std::max(0.0, squares / n - mean() * mean())); }
};

TEST(PortableMath, AgainstTheLibrary) {
    for (double x = -700; x < 700; x += 0.37) {
        EXPECT_NEAR(portable_exp(x) / std::exp(x), 1, 1e-14) << x;
        const double y = std::exp(x / 10);
        EXPECT_NEAR(portable_log(y), std::log(y), 1e-14 * std::max(1.0, std::abs(x))) << y;
    }
    EXPECT_EQ(portable_exp(0), 1);
    EXPECT_EQ(portable_log(1), 0);
}

/// erfc inverts it; and four values that must never change (a seed means the same everywhere).
TEST(PortableMath, NormalDeviate) {
    for (std::uint64_t w = 0; w < 0x100000000u; w += 0x123457u) {
        const double x = normal_of_word(static_cast<std::uint32_t>(w));
        const double p = (static_cast<double>(w) + 0.5) * 0x1p-32;
        EXPECT_NEAR(0.5 * std::erfc(-x / std::sqrt(2.0)), p, 2e-9) << w;
    }
    EXPECT_EQ(normal_of_word(0x7fffffffu), -normal_of_word(0x80000000u));
    EXPECT_NEAR(normal_of_word(0), -6.3382, 1e-3);
    const CounterRng rng(1, 0x100);
    Moments m;
    for (std::uint32_t i = 0; i < 100000; ++i) m.add(rng.normal(i, 0));
    EXPECT_NEAR(m.mean(), 0, 4 / std::sqrt(m.n));
    EXPECT_NEAR(m.sigma(), 1, 4 / std::sqrt(2 * m.n));
}

/// An array of 200 x 600 cells, all weights 1: every second column at level 1.
struct Field {
    explicit Field(const arch::CimSpec& s, std::uint64_t seed = 1)
        : array(s, CimWeights{200, 300, std::vector<std::int32_t>(60000, 1)}, {.seed = seed}) {}
    static arch::CimSpec spec() {
        arch::CimSpec s = golden_spec();
        s.weights.weight_bits = 2;
        s.device.Gmin = 1;
        s.device.Gmax = 40;
        return s;
    }
    Moments cells(bool on) const {
        Moments m;
        for (std::size_t r = 0; r < 200; ++r) {
            for (std::size_t c = on ? 0 : 1; c < 600; c += 2) m.add(array.conductance(r, c));
        }
        return m;
    }
    CimArray array;
};

/// E[G] = Gt, sigma(G) = Gt sqrt(exp(s^2) - 1).
TEST(CimCells, LognormalProgramming) {
    arch::CimSpec s = Field::spec();
    s.device.sigma = 0.2;
    const Moments m = Field(s).cells(true);
    const double sigma = 40 * std::sqrt(std::exp(0.04) - 1);
    EXPECT_NEAR(m.mean(), 40, 4 * sigma / std::sqrt(m.n));
    EXPECT_NEAR(m.sigma(), sigma, 0.02 * sigma);
}

/// NeuRRAM's polynomial (Wan 2022, as in aihwkit's reram.py): 1.10 uS at Gmax after 1 s, 2.69 after a day,
/// on the same draw of each cell.
TEST(CimCells, RelaxationIsATrajectory) {
    arch::CimSpec s = Field::spec();
    s.device.sigma_law = arch::CimSigmaLaw::Polynomial;
    s.device.sigma_poly = {0.348, 16.030, -43.853, 45.393, -16.815};
    const std::vector<double> day{0.701, 22.086, -50.773, 47.095, -16.458};
    for (std::size_t i = 0; i < day.size(); ++i) {
        s.device.relax_poly.push_back((day[i] - s.device.sigma_poly[i]) / std::log(86400.0));
    }
    Field f(s);
    Moments m = f.cells(true);
    EXPECT_NEAR(m.mean(), 40, 0.02);
    EXPECT_NEAR(m.sigma(), 1.103, 0.02);
    std::vector<double> first;
    for (std::size_t c = 0; c < 600; c += 2) first.push_back(f.array.conductance(7, c) - 40);
    f.array.set_age(86400);
    m = f.cells(true);
    EXPECT_NEAR(m.sigma(), 2.651, 0.05);
    for (std::size_t c = 0; c < 600; c += 2) {
        EXPECT_NEAR(f.array.conductance(7, c) - 40, first[c / 2] * 2.651 / 1.103, 1e-3);
    }
    f.array.set_age(0);
    EXPECT_NEAR(f.array.conductance(7, 0) - 40, first[0], 1e-12);
}

/// G ((t + t0) / t0)^-nu
TEST(CimCells, Drift) {
    arch::CimSpec s = Field::spec();
    s.array.type = arch::CimType::Pcm;
    s.device.drift = 0.05;
    s.device.age = 1000e12;
    EXPECT_NEAR(Field(s).array.conductance(0, 0), 40 * std::pow(1020.0 / 20, -0.05), 1e-9);
    s.device.drift_sigma = 0.01;
    Moments nu;
    Field f(s);
    for (std::size_t c = 0; c < 600; c += 2) {
        for (std::size_t r = 0; r < 200; ++r)
            nu.add(-std::log(f.array.conductance(r, c) / 40) / std::log(51.0));
    }
    EXPECT_NEAR(nu.mean(), 0.05, 3e-4);
    EXPECT_NEAR(nu.sigma(), 0.01, 3e-4);
}

TEST(CimCells, StuckCells) {
    arch::CimSpec s = Field::spec();
    s.device.p_sa0 = 0.02;
    s.device.p_sa1 = 0.05;
    Field f(s);
    EXPECT_NEAR((40 - f.cells(true).mean()) / 39, 0.02, 0.002);
    EXPECT_NEAR((f.cells(false).mean() - 1) / 39, 0.05, 0.003);
}

/// A digital array computes exactly what its stuck cells hold.
TEST(CimCells, StuckBitsOfDigitalArrays) {
    arch::CimSpec s;
    s.array.type = arch::CimType::SramDigital;
    s.weights.encoding = arch::CimEncoding::TwosComplement;
    s.device.p_sa1 = 0.1;
    CimArray a(s, CimWeights{50, 4, std::vector<std::int32_t>(200, 0)}, {});
    std::vector<std::uint32_t> x{3, 9, 40};
    a.evaluate(x, 0);
    const std::int64_t terms[4] = {1, 2, 4, -8};
    std::int64_t stuck = 0;
    for (std::size_t j = 0; j < 4; ++j) {
        std::int64_t want = 0;
        for (const std::uint32_t r : x) {
            for (std::size_t i = 0; i < 4; ++i)
                want += terms[i] * (a.conductance(r, 4 * j + i) > 0.5 ? 1 : 0);
        }
        EXPECT_EQ(a.sums()[j], want);
        stuck += want != 0 ? 1 : 0;
    }
    EXPECT_GT(stuck, 0);
}

/// sigma of a sum of n cells at G: s G sqrt(n); measured through a converter of fine steps.
TEST(CimReads, NoiseOfASum) {
    arch::CimSpec s = Field::spec();
    s.device.Gmin = 0;
    s.device.read_noise = 0.05;
    s.adc.fs = arch::CimFullScale::Fixed;
    s.adc.fs_value = 32;
    s.adc.adc_bits = 16;
    CimArray a(s, CimWeights{16, 100, std::vector<std::int32_t>(1600, 1)}, {.seed = 3});
    std::vector<std::uint32_t> all(16);
    for (std::uint32_t i = 0; i < 16; ++i) all[i] = i;
    Moments m, first, second;
    double product = 0;
    for (std::uint64_t step = 0; step < 300; ++step) {
        a.evaluate(all, step);
        for (const double v : a.values()) m.add(v);
        first.add(a.values()[0]);
        second.add(a.values()[1]);
        product += a.values()[0] * a.values()[1];
    }
    EXPECT_NEAR(m.mean(), 16, 4 * 0.2 / std::sqrt(m.n));
    EXPECT_NEAR(m.sigma(), 0.05 * 4, 0.005);
    const double covariance = product / first.n - first.mean() * second.mean();
    EXPECT_LT(std::abs(covariance / (first.sigma() * second.sigma())), 4 / std::sqrt(first.n));
}

/// Levels 1 +- a/2, share and mean stay as asked for.
TEST(CimReads, TwoLevelNoise) {
    arch::CimSpec s = Field::spec();
    s.device.Gmin = 0;
    s.device.rtn_amplitude = 0.4;
    s.device.rtn_dwell_high = 30;
    s.device.rtn_dwell_low = 10;
    s.adc.fs = arch::CimFullScale::Fixed;
    s.adc.fs_value = 4;
    s.adc.adc_bits = 16;
    CimArray a(s, CimWeights{1, 200, std::vector<std::int32_t>(200, 1)}, {});
    const std::vector<std::uint32_t> x{0};
    double high = 0, changes = 0, n = 0;
    std::vector<bool> before(200);
    for (std::uint64_t step = 0; step < 2000; ++step) {
        a.evaluate(x, step);
        for (std::size_t j = 0; j < 200; ++j) {
            const double v = a.values()[j];
            ASSERT_TRUE(std::abs(v - 1.2) < 1e-3 || std::abs(v - 0.8) < 1e-3) << v;
            const bool up = v > 1;
            high += up ? 1 : 0;
            changes += step > 0 && up != before[j] ? 1 : 0;
            before[j] = up;
            n += 1;
        }
    }
    EXPECT_NEAR(high / n, 0.75, 0.01);
    EXPECT_NEAR(n / (changes / 2), 40, 1.5);  // a stay up and a stay down
}

/// Gain and offset belong to a converter: columns that share one have the same.
TEST(CimReads, ConverterErrors) {
    arch::CimSpec s = Field::spec();
    s.weights.encoding = arch::CimEncoding::Offset;
    s.weights.weight_bits = 2;
    s.device.Gmin = 0;
    s.adc.offset_sigma = 1;
    s.adc.gain_sigma = 0.02;
    s.adc.fs = arch::CimFullScale::Fixed;
    s.adc.fs_value = 60;
    s.adc.adc_bits = 16;
    // weight 0 is level 2: column 0 at 0, column 1 at 1; 16 columns, two converters of 8
    CimArray a(s, CimWeights{30, 8, std::vector<std::int32_t>(240, 0)}, {});
    std::vector<std::uint32_t> x(30);
    for (std::uint32_t i = 0; i < 30; ++i) x[i] = i;
    a.evaluate(x, 0);
    const auto v = a.values();
    for (std::size_t j = 1; j < 4; ++j) EXPECT_EQ(v[j], v[0]);
    for (std::size_t j = 5; j < 8; ++j) EXPECT_EQ(v[j], v[4]);
    EXPECT_NE(v[0], v[4]);
    EXPECT_NEAR(v[0], 0, 15);

    Moments offset;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        CimArray b(s, CimWeights{30, 64, std::vector<std::int32_t>(30 * 64, 1)}, {.seed = seed});
        b.evaluate(std::vector<std::uint32_t>{}, 0);
        b.evaluate(std::vector<std::uint32_t>{0}, 0);
        for (std::size_t j = 0; j < 64; j += 4) offset.add(b.values()[j]);
    }
    // both columns at 1 with the offset of their converter, negative codes clipped
    EXPECT_GT(offset.sigma(), 1);
}

/// A bow of one code in the middle of the range.
TEST(CimReads, NonLinearity) {
    arch::CimSpec s = golden_spec();
    s.weights.weight_bits = 2;
    s.rows.rows_parallel = 31;
    s.adc.inl = {0, 1, 0};
    CimArray a(s, CimWeights{40, 1, std::vector<std::int32_t>(40, 1)}, {});
    const auto sum = [&](std::uint32_t n) {
        std::vector<std::uint32_t> x(n);
        for (std::uint32_t i = 0; i < n; ++i) x[i] = i;
        a.evaluate(x, 0);
        return a.sums()[0];
    };
    EXPECT_EQ(sum(1), 1);
    EXPECT_EQ(sum(15), 16);
    EXPECT_EQ(sum(31), 31);
}

TEST(CimReads, LimitedSwingAndSharedCharge) {
    arch::CimSpec s = golden_spec();
    s.array.type = arch::CimType::SramAnalog;
    s.weights.weight_bits = 2;
    s.device.compression = 0.05;
    s.adc.fs = arch::CimFullScale::Fixed;
    s.adc.fs_value = 32;
    s.adc.adc_bits = 16;
    const CimWeights ones{20, 1, std::vector<std::int32_t>(20, 1)};
    std::vector<std::uint32_t> x(20);
    for (std::uint32_t i = 0; i < 20; ++i) x[i] = i;
    CimArray sram(s, ones, {});
    sram.evaluate(x, 0);
    EXPECT_NEAR(sram.values()[0], 20 / (1 + 0.05 * 20), 1e-3);
    s.device.compression = 0;
    s.array.type = arch::CimType::Dram;
    s.device.bitline_cap = 10;
    s.timing.t_restore = "4";
    CimArray dram(s, ones, {});
    dram.evaluate(x, 0);
    EXPECT_NEAR(dram.values()[0], 20 * 11.0 / 30, 1e-3);
    dram.schedule(0);
    EXPECT_EQ(dram.counters().restores, 40u);
    EXPECT_EQ(dram.counters().cell_charges, 20u);
    EXPECT_EQ(dram.counters().cell_conductance, 0u);
    EXPECT_EQ(dram.schedule(0).done, (1 + 2 + 4) + 3 + 1 + 1u);  // the write-back delays the next read
}

}  // namespace
}  // namespace loom::cores
