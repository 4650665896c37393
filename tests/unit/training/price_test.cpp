// SPDX-License-Identifier: Apache-2.0
// Prices of training engines: counts times prices, leakage times time, nothing counted goes without a price.
#include "training/price/pricing.hpp"

#include <gmock/gmock.h>

#include "base/config/reader.hpp"
#include "base/error.hpp"
#include "tests/unit/training/chips.hpp"
#include "tests/unit/training/random_work.hpp"
#include "training/accelerator/make_engine.hpp"

namespace loom::training {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

arch::TrainingChip shipped(const std::string& name) {
    return config::read<arch::TrainingChip>(
        config::load_tree(LOOM_SOURCE_DIR "/configs/chips/" + name + ".yaml"));
}

TEST(TrainingPrices, ShippedChipsPriceAllThatTheyCount) {
    for (const char* name : {"sata", "h2learn", "mac_array"}) {
        const arch::TrainingChip chip = shipped(name);
        check_training_prices(chip);
        const auto engine = make_engine(chip);
        arch::TrainingWork work = random_network({16, 40, 10}, {.steps = 4, .batch = 4});
        work.update_sqrt = work.update_divide = 1;
        work.state_words = 2;
        engine->execute(work);
        const Pricing p = price(engine->record(), chip);
        double parts = 0;
        for (std::size_t phase = 0; phase < kPhases; ++phase) parts += p.phase(static_cast<Phase>(phase));
        EXPECT_NEAR(parts, p.dynamic_pj, 1e-9 * parts) << name;
        for (const auto& [component, pj] : p.leakage_pj) parts += pj;
        EXPECT_NEAR(parts, p.total_pj, 1e-9 * parts) << name;
        EXPECT_GT(p.phase(Phase::Backward, Level::Compute), 0) << name;
    }
}

TEST(TrainingPrices, AreCountsTimesPrices) {
    arch::TrainingChip chip = test_chip();
    chip.clock_period = 2000;
    const auto of = [](double pj, EnergyPrice::Per per) {
        arch::PriceSpec p;
        p.value = EnergyPrice(pj, per);
        return p;
    };
    chip.energy.actions = {{"mac", of(2, EnergyPrice::Per::Event)},
                           {"weight_read", of(0.5, EnergyPrice::Per::Bit)},
                           {"dram_read", of(3, EnergyPrice::Per::Bit)}};
    chip.energy.leakage["w"].value = 1;  // mW
    EngineRecord r;
    r.cycles = 10;
    r.layers.resize(1);
    auto& counts = r.layers[0].phases[1].counts;
    counts.mac = 7;
    counts.weight_read = 3;
    counts.dram_read = 5;
    const Pricing p = price(r, chip);
    EXPECT_DOUBLE_EQ(p.phase(Phase::Backward, Level::Compute), 14);
    EXPECT_DOUBLE_EQ(p.phase(Phase::Backward, Level::Buffer), 3 * 16 * 0.5);
    EXPECT_DOUBLE_EQ(p.phase(Phase::Backward, Level::Dram), 5 * 8 * 3);
    EXPECT_DOUBLE_EQ(p.leakage_pj.at("w"), 20);  // 1 mW for 20 ns
    counts.mux = 1;
    EXPECT_THAT([&] { price(r, chip); }, ThrowsMessage<ConfigError>(HasSubstr("no price for mux")));
    chip.energy.unpriced["mux"] = "free";
    EXPECT_NO_THROW(price(r, chip));
    chip.energy.leakage["x"].value = 1;
    EXPECT_THAT([&] { check_training_prices(chip); },
                ThrowsMessage<ConfigError>(HasSubstr("energy.leakage.x: unknown 'x'")));
}

}  // namespace
}  // namespace loom::training
