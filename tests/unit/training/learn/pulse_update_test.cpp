// SPDX-License-Identifier: Apache-2.0
// Weights in cells: what pulses leave of an optimiser's step.
#include "training/learn/pulse_update.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "base/error.hpp"
#include "tests/support/golden_network.hpp"
#include "training/learn/work_recorder.hpp"

namespace loom::learn {
namespace {

/// A dense layer of one input with these weights; step(): the inner optimiser (SGD, rate 1) subtracts the
/// gradients.
class OneRow {
  public:
    OneRow(std::vector<float> weights, const PulseSpec& spec) : network_({1, 1, 1}) {
        auto dense = std::make_unique<Dense>(1, weights.size(), true);
        dense->parameters()[0].value = std::move(weights);
        network_.add(std::move(dense), {Network::kInput});
        OptimiserSpec sgd;
        sgd.lr = 1;
        update_ = std::make_unique<PulseUpdate>(make_optimiser(sgd), spec);
        update_->program(network_);
    }
    void step(std::vector<float> wish, std::uint64_t iteration) {
        for (float& w : wish) w = -w;
        weights().grad = std::move(wish);
        update_->update(weights(), 0, iteration);
    }
    Parameter& weights() { return network_.nodes()[0].layer->parameters()[0]; }
    Parameter& bias() { return network_.nodes()[0].layer->parameters()[1]; }
    PulseUpdate& update() { return *update_; }
    arch::CellWork cells() const {
        arch::TrainingWork work;
        work.linear.resize(1);
        update_->describe(network_, work);
        return work.linear[0].cells;
    }
    CellPairs pairs() const { return update_->cells(network_, *network_.nodes()[0].layer); }
    PulseUpdate::Wear wear() const { return update_->wear(network_, *network_.nodes()[0].layer); }

  private:
    Network network_;
    std::unique_ptr<PulseUpdate> update_;
};

TEST(PulseUpdate, CellsHoldTheWeightsWithinTheirRange) {
    OneRow row({0.5F, -0.25F, 3, -3, 0}, {.p_max = 10, .w_range = 2});
    EXPECT_THAT(row.weights().value, testing::ElementsAre(0.5F, -0.25F, 2, -2, 0));
    row.step({0, 0, 0, 0, 0}, 1);
    EXPECT_THAT(row.cells().conductance,
                testing::ElementsAre(0.625F, 0.375F, 0.4375F, 0.5625F, 1, 0, 0, 1, 0.5F, 0.5F));
    EXPECT_THAT(row.cells().pulses, testing::Each(0));
}

/// w_range / p_max = 0.125 per pulse. Half of the pulses on each cell, an odd one by turns.
TEST(PulseUpdate, PairsShareThePulses) {
    OneRow row({0, 0, 0, 0}, {.p_max = 8, .w_range = 1, .carry = false});
    row.step({0.13F, -0.37F, 0.5F, 0.06F}, 1);
    EXPECT_THAT(row.cells().pulses, testing::ElementsAre(0, -1, -2, 1, 2, -2, 0, 0));
    EXPECT_THAT(row.weights().value, testing::ElementsAre(0.125F, -0.375F, 0.5F, 0));
    row.step({0.13F, -0.37F, 0.5F, 0.06F}, 2);
    EXPECT_THAT(row.cells().pulses, testing::ElementsAre(1, 0, -1, 2, 2, -2, 0, 0));
    EXPECT_THAT(row.weights().value, testing::ElementsAre(0.25F, -0.75F, 1, 0));
    row.step({0, 0, 0.5F, 0}, 3);
    EXPECT_EQ(row.weights().value[2], 1) << "cells end at Gmin and Gmax";
}

TEST(PulseUpdate, CarriesWhatIsLessThanAPulse) {
    OneRow kept({0}, {.p_max = 8, .w_range = 1, .carry = true});
    OneRow lost({0}, {.p_max = 8, .w_range = 1, .carry = false});
    for (std::uint64_t i = 1; i <= 10; ++i) {
        kept.step({0.05F}, i);
        lost.step({0.05F}, i);
    }
    EXPECT_EQ(kept.weights().value[0], 0.5F);
    EXPECT_EQ(lost.weights().value[0], 0);
    EXPECT_EQ(kept.update().cost().state_words, 1U);
    EXPECT_EQ(lost.update().cost().state_words, 0U);
    EXPECT_EQ(lost.update().cost().multiply, 2U);
}

/// G(p) = B (1 - exp(-p / A)), A = 0.4992 p_max at label 2.4, -0.2003 p_max at -4.88.
TEST(PulseUpdate, FollowsTheCurvesOfTheDevice) {
    OneRow row({0.2F, -0.4F}, {.p_max = 97, .label_up = 2.4, .label_down = -4.88, .w_range = 1});
    const double step = 1.0 / 97;
    row.step({static_cast<float>(6 * step), static_cast<float>(-4 * step)}, 1);
    const auto after = [](double g, double a, double n) {
        const double b = 1 / (1 - std::exp(-1 / a)), p = -a * std::log(1 - g / b);
        return b * (1 - std::exp(-(p + n / 97) / a));
    };
    EXPECT_NEAR(row.weights().value[0], after(0.6, 0.4992, 3) - after(0.4, -0.2003, -3), 1e-6);
    EXPECT_NEAR(row.weights().value[1], after(0.3, -0.2003, -2) - after(0.7, 0.4992, 2), 1e-6);
}

/// Variance of sigma sqrt(n) on each cell of a pair.
TEST(PulseUpdate, NoiseGrowsWithTheRootOfThePulses) {
    const std::size_t n = 4000;
    OneRow row(std::vector<float>(n, 0), {.p_max = 1000, .sigma_c2c = 0.01, .w_range = 1, .seed = 3});
    row.step(std::vector<float>(n, 0.008F), 1);  // 4 pulses on each cell
    double mean = 0, square = 0;
    for (const float w : row.weights().value) {
        mean += static_cast<double>(w) / static_cast<double>(n);
        square += static_cast<double>(w) * static_cast<double>(w) / static_cast<double>(n);
    }
    const double sigma = 0.01 * 2 * std::sqrt(2);
    EXPECT_NEAR(mean, 0.008, 4 * sigma / std::sqrt(n));
    EXPECT_NEAR(std::sqrt(square - mean * mean), sigma, 0.04 * sigma);
    // the next update has draws of its own
    const std::vector<float> before = row.weights().value;
    row.step(std::vector<float>(n, 0.008F), 2);
    double product = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const auto first = static_cast<double>(before[i]), both = static_cast<double>(row.weights().value[i]);
        product += (first - 0.008) * (both - first - 0.008) / static_cast<double>(n);
    }
    EXPECT_LT(std::abs(product), 0.1 * sigma * sigma);
}

TEST(PulseUpdate, WornCellsStayWhereTheyAre) {
    OneRow row({0}, {.p_max = 100, .w_range = 1, .endurance = 10, .endurance_sigma = 0});
    row.step({0.16F}, 1);  // 8 pulses on each cell
    EXPECT_FLOAT_EQ(row.weights().value[0], 0.16F);
    EXPECT_EQ(row.cells().worn, 0U);
    row.step({0.16F}, 2);
    EXPECT_EQ(row.cells().worn, 2U);
    EXPECT_EQ(row.cells().pulses[0], 8) << "the driver does not know";
    EXPECT_FLOAT_EQ(row.weights().value[0], 0.16F);
    row.step({0.16F}, 3);
    EXPECT_EQ(row.cells().worn, 0U) << "counted once";
}

/// A thousand pairs: cells stuck at either end keep their conductance, the others are those of a whole array.
TEST(PulseUpdate, StuckCellsDoNotMove) {
    const std::size_t n = 1000;
    const PulseSpec spec{.p_max = 100, .w_range = 1, .p_sa0 = 0.03, .p_sa1 = 0.05};
    OneRow row(std::vector<float>(n, 0.2F), spec), whole(std::vector<float>(n, 0.2F), {.p_max = 100});
    const auto count = [&](auto is) {
        std::size_t c = 0;
        for (std::size_t i = 0; i < n; ++i)
            c += (is(row.pairs().up->at(i)) ? 1U : 0U) + (is(row.pairs().down->at(i)) ? 1U : 0U);
        return c;
    };
    const auto at_0 = [&] { return count([](float g) { return g == 0; }); };
    const auto at_1 = [&] { return count([](float g) { return g == 1; }); };
    const std::size_t zeros = at_0(), ones = at_1();
    EXPECT_NEAR(static_cast<double>(zeros), 60, 4 * std::sqrt(60));
    EXPECT_NEAR(static_cast<double>(ones), 100, 4 * std::sqrt(100));
    EXPECT_EQ(row.wear().stuck_cells, zeros + ones);
    for (const float wish : {0.1F, -0.3F}) {
        row.step(std::vector<float>(n, wish), 1), whole.step(std::vector<float>(n, wish), 1);
        EXPECT_EQ(at_0(), zeros);
        EXPECT_EQ(at_1(), ones);
    }
    EXPECT_EQ(row.cells().pulses, whole.cells().pulses) << "the driver does not know";
    EXPECT_EQ(row.wear().most_pulses, 20U);
    for (std::size_t i = 0; i < n; ++i)
        for (const auto side : {&CellPairs::up, &CellPairs::down}) {
            const float g = (row.pairs().*side)->at(i);
            if (g == 0 || g == 1) continue;
            ASSERT_EQ(g, (whole.pairs().*side)->at(i));
        }
}

TEST(PulseUpdate, OtherParametersAreInRegisters) {
    OneRow row({0, 0}, {.p_max = 8, .w_range = 1});
    row.bias().grad = {-0.3F, 0.01F};
    row.update().update(row.bias(), 1, 1);
    EXPECT_THAT(row.bias().value, testing::ElementsAre(0.3F, -0.01F));
    PulseUpdate fresh(make_optimiser({}), {});
    EXPECT_THROW(fresh.update(row.bias(), 1, 1), InternalError) << "program() first";
    EXPECT_THROW(PulseUpdate(make_optimiser({}), {.w_range = 0}), ConfigError);
}

GoldenNetwork golden_of(const PulseSpec& spec) {
    GoldenNetwork golden;
    golden.surrogate = {"triangle", {}, 1};
    golden.pulses = spec;
    return golden;
}
std::vector<float> weights_of(Trainer& t) {
    std::vector<float> all;
    for (auto& [layer, p] : t.network().parameters())
        all.insert(all.end(), layer->parameters()[p].value.begin(), layer->parameters()[p].value.end());
    return all;
}

/// An ideal device with many pulses trains as SGD does, within a pulse.
TEST(PulseUpdate, IdealCellsTrainAsTheOptimiser) {
    const PulseSpec spec{.p_max = 100000, .w_range = 4};
    GoldenNetwork golden = golden_of(spec);
    const auto cells = golden.make();
    golden.pulses.reset();
    const auto plain = golden.make();
    for (std::size_t k = 0; k < 3; ++k) {
        const auto [x, y] = GoldenNetwork::minibatch(k);
        cells->step(x, y);
        plain->step(x, y);
    }
    const std::vector<float> a = weights_of(*cells), b = weights_of(*plain);
    double worst = 0, moved = 0;
    const auto first = golden.make();
    const std::vector<float> start = weights_of(*first);
    for (std::size_t i = 0; i < a.size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
        moved = std::max(moved, std::abs(static_cast<double>(b[i]) - static_cast<double>(start[i])));
    }
    EXPECT_LT(worst, 4.0 / 100000);
    EXPECT_GT(moved, 20 * 4.0 / 100000);
}

/// Digits, 5 epochs of Adam: an ideal device of 64 pulses learns as float32 does (340 of 360), a strongly
/// non-linear and noisy one nearly (339; docs/concepts/training-in-memory.md has 20 epochs).
TEST(PulseUpdate, DigitsAreLearntInCells) {
    GoldenNetwork golden = golden_of({.p_max = 64, .w_range = 1});
    golden.surrogate = {"sigmoid", 4, {}};
    golden.optimiser.kind = "adam";
    golden.optimiser.lr = 1e-3;
    const auto correct = [&] {
        const auto trainer = golden.make();
        for (std::size_t step = 0; step < 5 * 44; ++step) {
            const auto [x, y] = GoldenNetwork::minibatch(step % 44);
            trainer->step(x, y);
        }
        return GoldenNetwork::test_correct(*trainer);
    };
    EXPECT_GT(correct(), 333U);
    golden.pulses =
        PulseSpec{.p_max = 97, .label_up = 2.4, .label_down = -4.88, .sigma_c2c = 0.035, .w_range = 1};
    EXPECT_GT(correct(), 324U);
    golden.pulses->sigma_c2c = 0.5;
    EXPECT_LT(correct(), 300U) << "noise must reach the numbers";
}

/// Same seed, same bits; state put back into a new optimiser goes on with the same bits.
TEST(PulseUpdate, IsReproducibleAndResumes) {
    PulseSpec spec{.p_max = 97, .label_up = 2.4, .label_down = -4.88, .sigma_c2c = 0.035, .w_range = 2};
    const auto run = [&](Trainer& t, std::size_t from, std::size_t to) {
        for (std::size_t k = from; k < to; ++k) {
            const auto [x, y] = GoldenNetwork::minibatch(k);
            t.step(x, y);
        }
    };
    const auto a = golden_of(spec).make(), b = golden_of(spec).make(), resumed = golden_of(spec).make();
    run(*a, 0, 4);
    run(*b, 0, 2);
    std::size_t key = 0;
    for (auto& [layer, p] : b->network().parameters()) {
        const Parameter& from = layer->parameters()[p];
        Parameter& to = resumed->network().parameters()[key].first->parameters()[p];
        to.value = from.value;
        const auto old_state = b->optimiser().state(key, from.value.size());
        const auto new_state = resumed->optimiser().state(key, from.value.size());
        ASSERT_EQ(old_state.size(), new_state.size());
        ASSERT_GE(old_state.size(), 4U);
        for (std::size_t s = 0; s < old_state.size(); ++s) *new_state[s] = *old_state[s];
        ++key;
    }
    resumed->network().updated();
    resumed->set_iteration(b->iteration());
    run(*resumed, 2, 4);
    EXPECT_EQ(weights_of(*a), weights_of(*resumed));
    spec.seed = 2;
    const auto other = golden_of(spec).make();
    run(*other, 0, 4);
    EXPECT_NE(weights_of(*a), weights_of(*other));
}

}  // namespace
}  // namespace loom::learn
