// SPDX-License-Identifier: Apache-2.0
// Noise of reads in training: keyed by what is read, never by the order of reads.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/core_kinds.hpp"
#include "tests/unit/training/cell_matrix.hpp"
#include "tests/unit/training/cim_chips.hpp"
#include "training/many_core/cell_arithmetic.hpp"

namespace loom::training {
namespace {

/// 3 samples of 2 timesteps with noisy reads.
class Noisy : public testing::Test {
  public:
    Noisy() : matrix_(std::vector<float>(12 * 5, 20), std::vector<float>(12 * 5, 11), 63) {
        spec_ = support::cim_of(cim_mesh(1).core);
        spec_.device.read_noise = 0.2;
        in_.resize(2, 3, 12);
        error_.resize(2, 3, 5);
        for (std::size_t i = 0; i < in_.all().size(); ++i) in_.all()[i] = i % 3 == 0 ? 1.0F : 0.5F;
        for (std::size_t i = 0; i < error_.all().size(); ++i) error_.all()[i] = i % 2 == 0 ? 1.0F : -0.5F;
    }

  protected:
    CellArithmetic arithmetic() const { return {spec_, {}, dense_shape(12, 5), matrix_.pairs(), 2, seed_}; }
    /// Outputs and errors of a pass.
    static std::pair<learn::Signal, learn::Signal> both(CellArithmetic& a, const learn::Pass& pass,
                                                        const learn::Signal& in, const learn::Signal& error) {
        std::pair<learn::Signal, learn::Signal> r{{pass.steps, pass.batch, 5}, {pass.steps, pass.batch, 12}};
        a.forward(pass, in, r.first);
        a.backward(pass, error, r.second);
        return r;
    }
    static std::vector<float> values(const std::pair<learn::Signal, learn::Signal>& r) {
        std::vector<float> v(r.first.all().begin(), r.first.all().end());
        v.insert(v.end(), r.second.all().begin(), r.second.all().end());
        return v;
    }
    arch::CimCoreSpec spec_;
    CellMatrix matrix_;
    learn::Signal in_, error_;
    std::uint64_t seed_ = 1;
};

/// Samples one by one, the last first, timestep by timestep: the bits of one pass.
TEST_F(Noisy, ReadsDependOnNoOrder) {
    for (const bool transposable : {true, false}) {
        spec_.training.transposable = transposable;
        CellArithmetic together = arithmetic(), apart = arithmetic();
        const auto all = both(together, pass_of(2, 3), in_, error_);
        for (std::size_t b = 3; b-- > 0;)
            for (std::size_t t = 0; t < 2; ++t) {
                learn::Pass one = pass_of(1, 1);
                one.first = t, one.first_sample = b;
                learn::Signal x(1, 1, 12), g(1, 1, 5);
                std::ranges::copy(in_.at(t, b), x.at(0, 0).begin());
                std::ranges::copy(error_.at(t, b), g.at(0, 0).begin());
                const auto r = both(apart, one, x, g);
                EXPECT_TRUE(std::ranges::equal(r.first.at(0, 0), all.first.at(t, b))) << b << t;
                EXPECT_TRUE(std::ranges::equal(r.second.at(0, 0), all.second.at(t, b))) << b << t;
            }
    }
}

TEST_F(Noisy, EveryReadIsADrawOfItsOwn) {
    CellArithmetic a = arithmetic();
    const auto first = both(a, pass_of(2, 3), in_, error_);
    EXPECT_EQ(values(first), values(both(a, pass_of(2, 3), in_, error_)));
    learn::Pass later = pass_of(2, 3), test = pass_of(2, 3);
    later.iteration = 1, test.training = false;
    EXPECT_NE(values(first), values(both(a, later, in_, error_)));
    EXPECT_NE(values(first), values(both(a, test, in_, error_)));
    seed_ = 2;
    CellArithmetic other = arithmetic();
    EXPECT_NE(values(first), values(both(other, pass_of(2, 3), in_, error_)));
    const auto differ = [](std::span<const float> x, std::span<const float> y) {
        return !std::ranges::equal(x, y);
    };
    // samples 0 and 2 of a timestep have the same inputs
    EXPECT_TRUE(differ(first.first.at(0, 0), first.first.at(0, 2))) << "by sample";
    in_.constant = true;
    for (std::size_t b = 0; b < 3; ++b) std::ranges::copy(in_.at(0, b), in_.at(1, b).begin());
    const auto constant = both(a, pass_of(2, 3), in_, error_);
    EXPECT_FALSE(differ(constant.first.at(0, 1), constant.first.at(1, 1))) << "read once";
    in_.constant = false;
    const auto again = both(a, pass_of(2, 3), in_, error_);
    EXPECT_TRUE(differ(again.first.at(0, 1), again.first.at(1, 1))) << "by timestep";
    std::ranges::copy(error_.at(0, 1), error_.at(1, 1).begin());
    const auto errors = both(a, pass_of(2, 3), in_, error_);
    EXPECT_TRUE(differ(errors.second.at(0, 1), errors.second.at(1, 1))) << "errors by timestep";
}

/// One spike on a row: code of G (1 + 0.2 N) in levels; the difference of a pair has both variances.
TEST_F(Noisy, HasTheDeviationOfTheCells) {
    CellArithmetic a = arithmetic();
    double sum = 0, squares = 0;
    const int n = 4000;
    for (int i = 0; i < n; ++i) {
        learn::Pass pass = pass_of(1, 1);
        pass.iteration = static_cast<std::uint64_t>(i);
        learn::Signal x(1, 1, 12), y(1, 1, 5);
        x.at(0, 0)[4] = 1;
        a.forward(pass, x, y);
        const double levels = static_cast<double>(y.at(0, 0)[2]) * 63;
        sum += levels, squares += levels * levels;
    }
    // conductance in levels from zero: Gmin is base levels above
    const double base = spec_.device.Gmin / (spec_.device.Gmax - spec_.device.Gmin) * 63;
    const double up = 0.2 * (20 + base), down = 0.2 * (11 + base);
    const double mean = sum / n, deviation = std::sqrt(squares / n - mean * mean);
    const double expected = std::sqrt(up * up + down * down + 2.0 / 12);
    EXPECT_NEAR(mean, 9, 4 * expected / std::sqrt(n));
    EXPECT_NEAR(deviation, expected, 4 * expected / std::sqrt(2 * n));
}

}  // namespace
}  // namespace loom::training
