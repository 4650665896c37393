// SPDX-License-Identifier: Apache-2.0
#include "traces/sample_rules.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/error.hpp"

namespace loom::traces {
namespace {

using Axes = std::vector<std::size_t>;

std::string refusal(const std::function<void()>& f) {
    try {
        f();
    } catch (const InputError& e) {
        return e.what();
    }
    return "";
}

std::string shape_refusal(Axes sample, const Axes& input) {
    sample.insert(sample.begin(), {16, 5});
    return refusal([&] { check_sample_shape(sample_axes(sample, AxisOrder::TimestepsFirst), input); });
}

struct ShapeCase {
    Axes sample, input;
    const char* word;  ///< that the refusal has; null: it is taken
};

TEST(SampleRules, AxisByAxis) {
    const ShapeCase cases[] = {
        {{2, 3, 4}, {2, 3, 4}, nullptr},
        {{24}, {2, 3, 4}, nullptr},  // flat, in C order
        {{2, 3, 4}, {24}, nullptr},
        {{1, 3, 4}, {3, 4}, nullptr},  // axes of one element lay nothing out
        {{3, 4, 1}, {1, 3, 4}, nullptr},
        {{6}, {1, 6}, nullptr},
        {{}, {1}, nullptr},
        {{3, 4, 2}, {2, 3, 4}, "channels are last"},
        {{5, 2}, {2, 5}, "channels are last"},
        {{4, 3, 2}, {2, 3, 4}, "transpose"},
        {{2, 4, 3}, {2, 3, 4}, "transpose"},
        {{2, 12}, {2, 3, 4}, "transpose"},
        {{6}, {6, 6, 6}, "a sample has 6 values"},
        {{}, {2}, "a sample has 1 values"},
    };
    for (const ShapeCase& c : cases) {
        const std::string got = shape_refusal(c.sample, c.input);
        if (c.word == nullptr) {
            EXPECT_EQ(got, "");
        } else {
            EXPECT_NE(got.find(c.word), std::string::npos) << got;
        }
    }
    EXPECT_EQ(
        shape_refusal({3, 4, 2}, {2, 3, 4}),
        "a sample has shape [3, 4, 2], the network's input has [2, 3, 4] ([timesteps, samples, ...] = "
        "[16, 5, 3, 4, 2]); its channels are last, and channels first are wanted: numpy.moveaxis(x, -1, 2)");
}

TEST(SampleRules, AxesOfEachOrder) {
    const SampleAxes t = sample_axes({16, 5, 2, 3}, AxisOrder::TimestepsFirst);
    EXPECT_EQ((std::array{t.timesteps, t.samples, t.elements, t.at(1, 0), t.at(0, 1)}),
              (std::array<std::size_t, 5>{16, 5, 6, 6, 30}));
    const SampleAxes s = sample_axes({16, 5, 2, 3}, AxisOrder::SamplesFirst);
    EXPECT_EQ((std::array{s.timesteps, s.samples, s.elements, s.at(1, 0), s.at(0, 1)}),
              (std::array<std::size_t, 5>{5, 16, 6, 30, 6}));
    const SampleAxes v = sample_axes({16, 5, 2}, std::nullopt);
    EXPECT_EQ((std::array{v.timesteps, v.samples, v.elements, v.at(1, 0), v.at(0, 1)}),
              (std::array<std::size_t, 5>{1, 16, 10, 10, 0}));
    EXPECT_NE(refusal([] { sample_axes({16}, AxisOrder::TimestepsFirst); }).find("[timesteps, samples, ...]"),
              std::string::npos);
    for (const Axes& none : {Axes{0, 5, 2}, Axes{5, 0, 2}})
        EXPECT_NE(refusal([&] {
                      check_sample_shape(sample_axes(none, AxisOrder::SamplesFirst), {2});
                  }).find("there are no "),
                  std::string::npos);
}

TEST(SampleRules, LabelsAreClasses) {
    const SampleAxes axes = sample_axes({3, 4}, std::nullopt);
    const auto why = [&](const Axes& shape, const std::vector<double>& values) {
        return refusal([&] { check_classes(class_labels(Array::of(shape, values), axes, 3), 3); });
    };
    EXPECT_EQ(why({3}, {0, 1, 2}), "");
    EXPECT_EQ(why({3, 1}, {0, 1, 2}), "");
    EXPECT_EQ(why({3}, {1, 2, 3}),
              "label 3 of sample 2; the network has 3 outputs, classes 0 to 2 (these count from 1)");
    EXPECT_EQ(why({3}, {0, 2, 7}), "label 7 of sample 2; the network has 3 outputs, classes 0 to 2");
    for (const double bad :
         {-1.0, 0.5, static_cast<double>(NAN), static_cast<double>(INFINITY), 1.8446744073709552e19})
        EXPECT_NE(why({3}, {0, bad, 2}).find("expected a whole number"), std::string::npos) << bad;
    EXPECT_NE(why({3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1}).find("argmax"), std::string::npos);
    EXPECT_NE(why({2}, {0, 1}).find("2 labels for 3 samples"), std::string::npos);
    EXPECT_EQ(class_labels(Array::of({3}, {0, 1, -5}), axes, 2).size(), 2u)
        << "what a limit leaves out is not asked";
    const SampleAxes timed = sample_axes({3, 4, 1}, AxisOrder::TimestepsFirst);
    EXPECT_NE(refusal([&] {
                  class_labels(Array::of({3}, {0, 1, 2}), timed, 3);
              }).find("order: samples_first"),
              std::string::npos);
}

TEST(SampleRules, GradedSpikes) {
    EXPECT_EQ(graded_note(Array::of({4}, {0, 1, 1, 0})), "");
    EXPECT_EQ(graded_note(Array::of({4}, {0, 1, 255, 0})), "");
    EXPECT_EQ(graded_note(Array::of({4}, {0, 0.5, 2, 0})), "");
    EXPECT_EQ(graded_note(Array::of({2}, {0, 0})), "");
    EXPECT_NE(graded_note(Array::of({3}, {0, 255, 255})).find("graded spike of 255; `scale: 0.00392"),
              std::string::npos);
}

}  // namespace
}  // namespace loom::traces
