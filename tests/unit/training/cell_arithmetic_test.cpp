// SPDX-License-Identifier: Apache-2.0
// Products with weights in cells as converters deliver them.
#include "training/many_core/cell_arithmetic.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/rng.hpp"
#include "tests/support/core_kinds.hpp"
#include "tests/unit/training/cell_matrix.hpp"
#include "tests/unit/training/cim_chips.hpp"
#include "training/learn/layers/conv.hpp"
#include "training/learn/layers/dense.hpp"

namespace loom::training {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;
using testing::ThrowsMessage;

learn::Signal signal_of(std::vector<float> values) {
    learn::Signal s(1, 1, values.size());
    std::ranges::copy(values, s.at(0, 0).begin());
    return s;
}

std::vector<float> forward(CellArithmetic& a, std::vector<float> x, std::size_t outputs) {
    learn::Signal out(1, 1, outputs);
    a.forward(pass_of(1, 1), signal_of(std::move(x)), out);
    return {out.all().begin(), out.all().end()};
}
std::vector<float> backward(CellArithmetic& a, std::vector<float> g, std::size_t inputs) {
    learn::Signal in(1, 1, inputs);
    a.backward(pass_of(1, 1), signal_of(std::move(g)), in);
    return {in.all().begin(), in.all().end()};
}

/// Cells of 2 bits, two rows at once, codes of 2 bits: a code is 2 levels. A level weighs 1.
class TwoByTwo : public testing::Test {
  public:
    TwoByTwo() : matrix_({2.8F, 0.6F, 2.0F, 0.8F}, {0.0F, 0.4F, 0.5F, 2.8F}, 3) {
        spec_.array.rows = spec_.array.cols = 4;
        spec_.array.cell_bits = 2;
        spec_.weights.weight_bits = 3;
        spec_.rows.rows_parallel = 2;
        spec_.adc.adc_bits = 2;
        spec_.adc.adc_share = 2;
        spec_.input_bits = 2;
        spec_.training.error_bits = 2;
        spec_.training.w_range = 3;
    }

  protected:
    CellArithmetic arithmetic() const { return {spec_, {}, dense_shape(2, 2), matrix_.pairs(), 0, 1}; }
    arch::CimCoreSpec spec_;
    CellMatrix matrix_;
};

/// Columns of both rows: 4.8, 0.5; 1.4, 3.2 levels are 2, 0; 1, 2 codes.
TEST_F(TwoByTwo, SpikesForward) {
    CellArithmetic a = arithmetic();
    EXPECT_THAT(forward(a, {1, 1}, 2), ElementsAre(4, -2));
    EXPECT_THAT(forward(a, {1, 0}, 2), ElementsAre(2, 0));
    EXPECT_THAT(forward(a, {0, 0}, 2), ElementsAre(0, 0));
    EXPECT_EQ(a.forward_codes.codes, 8U);
    EXPECT_EQ(a.forward_codes.clipped, 0U);
}

/// Digits 3 and 1 of 1/4: both rows in plane 0, the first in plane 1. Negative inputs are read apart.
TEST_F(TwoByTwo, BitPlanesForward) {
    CellArithmetic a = arithmetic();
    EXPECT_THAT(forward(a, {0.75F, 0.25F}, 2), ElementsAre((4 + 2 * 2) / 4.0F, -2 / 4.0F));
    EXPECT_THAT(forward(a, {0.75F, 0.3F}, 2), ElementsAre((4 + 2 * 2) / 4.0F, -2 / 4.0F)) << "rounded";
    // + {0}: 2, 0 in both planes; - {1}: 2 and 0.5, 0.8 and 2.8 levels: 1, 0; 0, 1 codes
    EXPECT_THAT(forward(a, {0.75F, -0.25F}, 2), ElementsAre((3 * 2 - 2) / 4.0F, 2 / 4.0F));
}

/// Digits 2 and 1 of 1/2. Cells that add: - of output 1 in plane 0, + of output 0 in plane 1; the others
/// subtract.
TEST_F(TwoByTwo, ErrorsBackward) {
    CellArithmetic a = arithmetic();
    const float row0 = 2 * (0 + 2 * 1 - (0 + 2 * 0)) / 2.0F, row1 = 2 * (1 + 2 * 1 - (0 + 2 * 0)) / 2.0F;
    EXPECT_THAT(backward(a, {1, -0.5F}, 2), ElementsAre(row0, row1));
    EXPECT_EQ(a.backward_codes.codes, 8U);
}

/// Codes 1, 0; 0, 0 and 1, 0; 0, 1: weights 2, 0; 2, -2. The converters' range stays that of two rows.
TEST_F(TwoByTwo, WeightsRowByRow) {
    spec_.training.transposable = false;
    CellArithmetic a = arithmetic();
    EXPECT_THAT(backward(a, {1, -0.25F}, 2), ElementsAre(2, 2.5F));
    EXPECT_THAT(backward(a, {0, -0.3F}, 2), ElementsAre(0, 0.6F));
    EXPECT_EQ(a.backward_codes.codes, 16U) << "read each time, as with noise";
    matrix_.up[1] = 1;
    a.updated();
    EXPECT_THAT(backward(a, {0, -0.5F}, 2), ElementsAre(-0.5F * 4, 0.5F * 2));
    EXPECT_EQ(a.backward_codes.codes, 24U);
}

TEST_F(TwoByTwo, ClippedCodesAreCounted) {
    spec_.adc.fs = arch::CimFullScale::Fixed;
    spec_.adc.fs_value = 3;  // a level per code, 3 at most
    CellArithmetic a = arithmetic();
    EXPECT_THAT(forward(a, {1, 1}, 2), ElementsAre(3 - 1, 1 - 3)) << "sums 4.8, 0.5, 1.4, 3.2";
    EXPECT_EQ(a.forward_codes.clipped, 1U);
    learn::Signal out(1, 1, 2);
    learn::Pass test = pass_of(1, 1);
    test.training = false;
    a.forward(test, signal_of({1, 1}), out);
    EXPECT_EQ(a.forward_codes.clipped, 1U) << "only training passes count";
    spec_.adc.fs = arch::CimFullScale::Calibrated;
    EXPECT_THAT([&] { arithmetic(); }, ThrowsMessage<ConfigError>(HasSubstr("core.cim.adc.fs")));
}

TEST_F(TwoByTwo, WhatIsNotFiniteStaysSo) {
    CellArithmetic a = arithmetic();
    for (const float bad :
         {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
        EXPECT_THAT(forward(a, {1, bad}, 2), Each(IsNan()));
        EXPECT_THAT(backward(a, {bad, 1}, 2), Each(IsNan()));
    }
}

TEST(CellPlanes, HoldTheLargestValueInBits) {
    const auto of = [](std::vector<float> v, std::uint64_t bits) { return Planes::of(v, bits); };
    EXPECT_EQ(of({0, 1}, 8).exponent, -7);
    EXPECT_EQ(of({0, 1}, 8).digit(1), 128U) << "a spike is one plane";
    EXPECT_EQ(of({0.25F, -0.75F}, 2).digit(-0.75F), 3U);
    EXPECT_EQ(of({0.9F}, 2).exponent, -1) << "4 quarters would not fit";
    EXPECT_EQ(of({0.9F}, 2).digit(0.9F), 2U);
    EXPECT_EQ(of({0, 0}, 8).exponent, 0);
    EXPECT_EQ(of({1e-42F}, 4).digit(1e-42F) >> 3, 1U) << "smallest numbers too";
}

/// Random matrices of whole levels and spikes, through the shipped law of the inference's arrays.
TEST(CellArithmetic, ForwardIsTheInferencesArray) {
    const CounterRng rng(7, 0x74657374);
    for (const std::uint64_t adc_bits : {4U, 5U, 8U})
        for (const auto select : {arch::CimRowSelect::Packed, arch::CimRowSelect::GroupsSkip}) {
            arch::CimCoreSpec spec = support::cim_of(cim_mesh(1).core);
            spec.adc.adc_bits = adc_bits;
            spec.adc.gain_sigma = 0.05;
            spec.rows.row_select = select;
            const std::size_t rows = 150, outputs = 40;  // 3 x 2 arrays
            cores::CimWeights w{rows, outputs, {}};
            CellMatrix m({}, {}, 1);
            std::vector<float> x(rows);
            std::vector<std::uint32_t> active;
            for (std::size_t i = 0; i < rows * outputs; ++i) {
                w.values.push_back(static_cast<std::int32_t>(rng.word(i, 0) % 127) - 63);
                m.up.push_back(static_cast<float>(std::max(0, w.values[i])) / 63);
                m.down.push_back(static_cast<float>(std::max(0, -w.values[i])) / 63);
            }
            for (std::uint32_t i = 0; i < rows; ++i)
                if (rng.bernoulli(0.3, i, 1)) x[i] = 1, active.push_back(i);
            cores::CimArray array(spec, w, {.seed = 5, .core = 6});
            array.evaluate(active, 0);
            CellArithmetic cells(spec, {}, dense_shape(rows, outputs), m.pairs(), 3, 5);
            const std::vector<float> y = forward(cells, x, outputs);
            for (std::size_t k = 0; k < outputs; ++k)
                EXPECT_NEAR(y[k], array.values()[k] / 63, 1e-5) << adc_bits << " " << k;
            EXPECT_EQ(cells.forward_codes.codes, array.counters().conversions);
            EXPECT_EQ(cells.forward_codes.clipped, array.counters().clips);
        }
}

/// A layer with an arithmetic of lossless converters beside one in float32.
template <class L>
void compare_with_float32(L& layer, L& ideal, bool whole_levels, bool transposable) {
    const CounterRng rng(3, 0x74657374);
    arch::CimCoreSpec spec = support::cim_of(cim_mesh(1).core);
    spec.training.transposable = transposable;
    const std::size_t n = layer.parameters()[0].value.size();
    const std::vector<float> none(n);
    CellMatrix m(none, none, 1);
    for (std::size_t i = 0; i < n; ++i)
        for (auto* g : {&m.up, &m.down}) {
            const double u = 63 * rng.uniform(i, g == &m.up ? 0 : 1);
            (*g)[i] = static_cast<float>(whole_levels ? std::floor(u) : u) / 63;
        }
    for (std::size_t i = 0; i < n; ++i)
        layer.parameters()[0].value[i] = ideal.parameters()[0].value[i] = m.up[i] - m.down[i];
    layer.arithmetic =
        std::make_unique<CellArithmetic>(spec, arch::SparsityRules{}, layer.linear_shape(), m.pairs(), 0, 1);
    const std::size_t steps = 2, batch = 2;
    learn::Signal in(steps, batch, layer.in.count()), error(steps, batch, layer.out.count());
    for (std::size_t i = 0; i < in.all().size(); ++i) in.all()[i] = rng.bernoulli(0.3, i, 2) ? 1.0F : 0.0F;
    for (std::size_t i = 0; i < error.all().size(); ++i)  // of 6 bits
        error.all()[i] = rng.bernoulli(0.5, i, 3) ? static_cast<float>(rng.word(i, 4) % 127) / 64 - 1 : 0.0F;
    learn::Signal out[2], back[2];
    for (const bool real : {false, true}) {
        L& l = real ? layer : ideal;
        out[real].resize(steps, batch, l.out.count());
        back[real].resize(steps, batch, l.in.count());
        l.updated();
        l.forward(pass_of(steps, batch), in, out[real]);
        l.backward(pass_of(steps, batch), in, out[real], error, &back[real]);
    }
    // half a level per code of every second of a pair; inputs at most all of a window, errors in planes
    const double rows = static_cast<double>(n) / static_cast<double>(layer.linear_shape().out_c);
    double worst = 0;
    for (std::size_t i = 0; i < out[0].all().size(); ++i) {
        const double d = std::abs(out[1].all()[i] - out[0].all()[i]);
        EXPECT_LE(d, whole_levels ? 1e-4 : rows / 63) << "out " << i;
        worst = std::max(worst, d);
    }
    for (std::size_t i = 0; i < back[0].all().size(); ++i) {
        const double d = std::abs(back[1].all()[i] - back[0].all()[i]);
        EXPECT_LE(d, whole_levels ? 1e-4 : 2.0 * static_cast<double>(layer.out.count()) / 63) << "back " << i;
        worst = std::max(worst, d);
    }
    if (!whole_levels) {
        EXPECT_GT(worst, 1e-3) << "cells between levels are rounded";
    }
    EXPECT_EQ(layer.parameters()[0].grad, ideal.parameters()[0].grad) << "weight gradients are float32";
    EXPECT_EQ(layer.parameters()[1].grad, ideal.parameters()[1].grad);
}

TEST(CellArithmetic, LosslessConvertersGiveFloat32ForWholeLevels) {
    for (const bool whole : {true, false})
        for (const bool transposable : {true, false}) {
            SCOPED_TRACE(testing::Message() << whole << transposable);
            learn::Dense a(70, 40, true), b(70, 40, true);
            a.parameters()[1].value[3] = b.parameters()[1].value[3] = 0.5F;
            compare_with_float32(a, b, whole, transposable);
            const arch::LinearShape shape = learn::conv_shape({6, 5, 3}, 9, arch::square_window(3, 2, 1));
            learn::Conv c(shape, true), d(shape, true);
            c.parameters()[1].value[3] = d.parameters()[1].value[3] = 0.5F;
            compare_with_float32(c, d, whole, transposable);
        }
}

}  // namespace
}  // namespace loom::training
