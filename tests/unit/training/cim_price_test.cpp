// SPDX-License-Identifier: Apache-2.0
// Energy of training in place: counted events times the chip's prices, by phase.
#include <gmock/gmock.h>

#include <cmath>

#include "base/config/reader.hpp"
#include "base/error.hpp"
#include "sim/report/area_report.hpp"
#include "tests/support/core_kinds.hpp"
#include "tests/unit/training/cim_chips.hpp"
#include "training/many_core/make_many_core.hpp"
#include "training/many_core/price_chip.hpp"

namespace loom::training {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

arch::ChipSpec shipped(const std::string& name) {
    return support::read_chip(config::load_tree(LOOM_SOURCE_DIR "/configs/chips/" + name + ".yaml"));
}
double at(const LayerEnergy& l, Phase p, Level level) {
    return l.pj[static_cast<std::size_t>(p)][static_cast<std::size_t>(level)];
}

TEST(CimPrices, ShippedChipsPriceAllThatTheyCount) {
    const arch::TrainingWork work = cells_work(false, {"triangle", {}, 1}, true);
    for (const char* name : {"train_cim_rram", "train_cim_agsi"}) {
        const auto engine = make_cim_training_engine(shipped(name), {});
        engine->execute(work);
        const Pricing p = price(*engine);
        double parts = 0;
        for (std::size_t phase = 0; phase < kPhases; ++phase) {
            EXPECT_GT(p.phase(static_cast<Phase>(phase)), 0) << name << phase;
            parts += p.phase(static_cast<Phase>(phase));
        }
        EXPECT_NEAR(parts, p.dynamic_pj, 1e-9 * parts);
        for (const auto& [component, pj] : p.leakage_pj) parts += pj;
        EXPECT_NEAR(parts, p.total_pj, 1e-9 * parts);
        EXPECT_EQ(p.layers.back().name, "network");
        EXPECT_GT(at(p.layers.back(), Phase::Forward, Level::Network), 0);
        EXPECT_EQ(at(p.layers.back(), Phase::WeightUpdate, Level::Network), 0);
        EXPECT_GT(p.leakage_pj.at("core"), 0);
    }
}

TEST(CimPrices, NearMemoryChipsArePricedAlike) {
    arch::TrainingWork work = cells_work(false, {"triangle", {}, 1}, true);
    arch::ChipSpec chip = shipped("mesh45");
    chip.training_energy = shipped("train_cim_rram").training_energy;
    const auto engine = make_many_core_training_engine(chip, {});
    engine->execute(work);
    EXPECT_EQ(engine->arithmetic().array_counters(0, Phase::Forward), nullptr);
    const Pricing p = price(*engine);
    EXPECT_GT(p.phase(Phase::Backward, Level::Compute), 0);
    EXPECT_GT(p.phase(Phase::Backward, Level::Network), 0);
    EXPECT_EQ(transposed_converter_area(chip), 0);
}

/// 2 x 1 weights, one pulse pattern: energy of the pulses is V^2 G t by hand.
TEST(CimPrices, PulsesByHand) {
    arch::ChipSpec chip = shipped("train_cim_rram");
    const auto of = [&](const arch::TrainingWork& work) {
        const auto engine = make_cim_training_engine(chip, {});
        engine->execute(work);
        return at(price(*engine).layers[0], Phase::WeightUpdate, Level::Buffer);
    };
    arch::TrainingWork work = one_layer(2, 1, 1);
    const double without = of(work);
    work.linear[0].cells.conductance = {0.5F, 0.5F, 0.25F, 0.75F};
    work.linear[0].cells.pulses = {3, -2, 0, 4};
    const double gmin = 0.588235, range = 10 - 0.588235;  // uS
    const auto uS = [&](double g) { return gmin + g * range; };
    const double charge = 3 * uS(0.5) + 2 * uS(0.5) + 4 * uS(0.75);
    const double lines = 9 * 0.25;               // pJ, cim.write_lines
    const double pulses = 1.75 * 1.75 * charge;  // V^2 uS us = pJ
    EXPECT_NEAR(of(work) - without, pulses + lines, 0.01 * pulses);
    EXPECT_NEAR(pulses, 3.0625 * (5 * 5.294 + 4 * 7.647), 0.1);
}

TEST(CimPrices, NothingCountedGoesWithoutAPrice) {
    const arch::TrainingWork work = cells_work(false, {"triangle", {}, 1}, true);
    arch::ChipSpec chip = shipped("train_cim_rram");
    const auto without = [&](auto& actions, const char* event, const char* message) {
        auto saved = actions.extract(event);
        const auto engine = make_cim_training_engine(chip, {});
        engine->execute(work);
        EXPECT_THAT([&] { price(*engine); }, ThrowsMessage<ConfigError>(HasSubstr(message)));
        actions.insert(std::move(saved));
    };
    without(chip.energy.actions, "cim.shift_adds", "cim.shift_adds");
    without(chip.training_energy.actions, "mac", "mac");
    const auto engine = make_cim_training_engine(chip, {});
    engine->execute(work);
    EXPECT_NO_THROW(price(*engine));
}

/// 128 rows / 8 per converter x 16 arrays x 16 cores of 1200 um2.
TEST(CimPrices, SecondSetOfConverters) {
    arch::ChipSpec chip = shipped("train_cim_rram");
    EXPECT_DOUBLE_EQ(transposed_converter_area(chip), 16.0 * 16 * 16 * 1200);
    support::cim_of(chip.core).training.transposable = false;
    EXPECT_EQ(transposed_converter_area(chip), 0);
    support::cim_of(chip.core).training.transposable = true;
    chip.energy.area.clear();
    EXPECT_THROW(transposed_converter_area(chip), ConfigError);
}

/// The area of a run, and the second set of converters where arrays are read transposed.
TEST(CimPrices, AreaOfTheChip) {
    const arch::ChipSpec chip = shipped("train_cim_rram");
    const auto plain = stats::area_json(chip), j = many_core_area_json(chip);
    const double second = transposed_converter_area(chip) * 1e-6;
    EXPECT_GT(second, 0);
    EXPECT_NEAR(j["total_mm2"].get<double>(), plain["total_mm2"].get<double>() + second, 1e-9);
    double sum = 0;
    for (const auto& [name, p] : j["kinds"]["core"]["components"].items()) sum += p["mm2"].get<double>();
    EXPECT_NEAR(sum, j["kinds"]["core"]["total_mm2"].get<double>(), 1e-9);
    EXPECT_EQ(many_core_area_json(shipped("train_mesh45")), stats::area_json(shipped("train_mesh45")));
}

}  // namespace
}  // namespace loom::training
