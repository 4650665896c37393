// SPDX-License-Identifier: Apache-2.0
// An executed step's zeros reach the formula: its operations are those of the step where the formula has no
// gap.
#include <gtest/gtest.h>

#include "app/train/train_estimate_work.hpp"

namespace loom::app {
namespace {

namespace te = train_estimate;

constexpr std::size_t kSteps = 3, kBatch = 2;

/// Every `period`-th element is set.
arch::BitSignal every(std::size_t count, std::size_t period) {
    arch::BitSignal bits(kSteps, kBatch, count);
    for (std::size_t t = 0; t < kSteps; ++t)
        for (std::size_t b = 0; b < kBatch; ++b)
            for (std::size_t i = 0; i < count; i += period) bits.set(t, b, i);
    return bits;
}

arch::TrainingWork step() {
    arch::TrainingWork work;
    work.steps = kSteps;
    work.batch = kBatch;
    arch::LinearWork conv, dense;
    conv.name = "conv1";
    conv.shape = {8, 8, 1, 4, 4, 2, arch::square_window(3, 2, 1)};
    conv.input = every(64, 1);
    conv.error = every(32, 2);
    dense.name = "fc";
    dense.shape.in_c = 32;
    dense.shape.out_c = 10;
    dense.input = every(32, 4);
    dense.error = every(10, 5);
    dense.wanted = every(32, 8);
    work.linear = {conv, dense};
    return work;
}

TEST(MeasuredWork, ShapesAndDensities) {
    const MeasuredLayers m = measured_layers(step());
    ASSERT_EQ(m.layers.size(), 2u);
    EXPECT_EQ(m.layers[0].kind, te::LayerKind::Conv);
    EXPECT_EQ(m.layers[0].synapses(), static_cast<double>(step().linear[0].shape.synapses()));
    EXPECT_EQ(m.layers[1].kind, te::LayerKind::OutLinear);
    EXPECT_EQ(m.activity[0].spikes, 1);
    EXPECT_EQ(m.activity[0].error, 0.5);
    EXPECT_EQ(m.activity[0].derivative, 0.125);
    EXPECT_EQ(m.activity[1].spikes, 0.25);
    EXPECT_EQ(m.activity[1].error, 0.2);
    EXPECT_EQ(m.activity[1].derivative, 1);

    te::SataSetting s;
    s.variant = te::Variant::Repaired;
    s.timesteps = kSteps;
    const te::Estimate e = te::estimate(m.layers, m.activity, s);
    // a dense layer's forward operations are spikes x outputs, of one sample
    EXPECT_DOUBLE_EQ(e.count(1, te::Term::MacFwd), 8 * 10 * kSteps);
    // errors of use: nonzero errors x inputs with h != 0
    EXPECT_DOUBLE_EQ(e.count(1, te::Term::MacBwd), 2 * 4 * kSteps);
    EXPECT_EQ(e.count(0, te::Term::MacBwd), 0);
}

TEST(MeasuredWork, WindowsOfAnyKind) {
    arch::TrainingWork work = step();
    arch::LinearShape& s = work.linear[0].shape;
    s = {.in_h = 9,
         .in_w = 7,
         .in_c = 6,
         .out_c = 4,
         .window = {{3, 2, 2, 1, 1}, {2, 1, 3, 0, 2}},
         .groups = 2};
    s.out_h = s.window.rows.outputs(9), s.out_w = s.window.columns.outputs(7);
    work.linear[0].input = every(s.inputs(), 2);
    work.linear[0].error = every(s.outputs(), 2);
    const te::LayerShape l = measured_layers(work).layers[0];
    EXPECT_EQ(l.weights(), 4 * 3 * 6);
    EXPECT_EQ(l.out_height, 4U);
    EXPECT_EQ(l.out_width, 6U);
    std::uint64_t pairs = 0;  // one by one
    for (long oy = 0; oy < 4; ++oy)
        for (long ky = 0; ky < 3; ++ky)
            for (long ox = 0; ox < 6; ++ox)
                for (long kx = 0; kx < 2; ++kx) {
                    const long y = 2 * oy + 2 * ky - 1, x = ox + 3 * kx;
                    if (y >= 0 && y < 9 && x < 7) pairs += 3 * 4;
                }
    EXPECT_EQ(l.synapses(), static_cast<double>(pairs));
    EXPECT_EQ(s.synapses(), pairs);
}

}  // namespace
}  // namespace loom::app
