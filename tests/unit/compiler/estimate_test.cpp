// SPDX-License-Identifier: Apache-2.0
// The energy that is expected of a layer before it runs: what cells draw, by hand.
#include <gtest/gtest.h>

#include <cmath>

#include "compiler/passes/estimate_energy.hpp"
#include "tests/support/core_kinds.hpp"

namespace loom::compiler {
namespace {

/// A chip of arrays on which only one event costs something: 1 pJ.
arch::ChipSpec chip_that_prices(const std::string& event) {
    arch::ChipSpec chip{support::core_kinds()};
    chip.core.kind = "cim";
    support::cim_of(chip.core);
    support::cim_of(chip.core).weights.weight_bits = 4;  // 3 slices of 1 bit, in pairs
    support::cim_of(chip.core).device.Gmin = 1;
    support::cim_of(chip.core).device.Gmax = 9;
    support::cim_of(chip.core).timing.t_rd = "10 ns";
    support::cim_of(chip.core).timing.t_sh = "1";
    chip.clock.period = 2000;
    chip.energy.actions[event].value = 1;
    return chip;
}

/// 40 axons to 20 neurons, 5 spikes in each of 6 timesteps: 30 driven rows of 20 x 6 columns.
LayerLoad dense_layer() {
    LayerLoad load;
    load.neurons = 20;
    load.steps = 6;
    arch::ExpectedInput in;
    in.events = 30;
    in.synops = 30 * 20;
    in.run = 20;
    in.matrix = {40, 20, 1};
    load.in.push_back(in);
    return load;
}

TEST(EstimateEnergy, ConductingCells) {
    arch::ChipSpec chip = chip_that_prices("cim.cell_conductance");
    // one cell of a pair at half of 1 ... 9 uS, the other at 1 uS: 3 uS each; 10 ns are 5 cycles, sampling 1
    EXPECT_NEAR(estimate_energy(dense_layer(), chip, 0), 30.0 * 120 * 3000 * 6, 1e-3);
    support::cim_of(chip.core).timing.sample_hold =
        false;  // through 8 conversions instead: 120 columns, 16 converters
    EXPECT_NEAR(estimate_energy(dense_layer(), chip, 0), 30.0 * 120 * 3000 * (5 + 8), 1e-3);
    support::cim_of(chip.core).weights.encoding =
        arch::CimEncoding::Offset;  // 80 columns at 5 uS, 5 conversions
    EXPECT_NEAR(estimate_energy(dense_layer(), chip, 0), 30.0 * 80 * 5000 * (5 + 5), 1e-3);
    EXPECT_NEAR(estimate_energy(dense_layer(), chip_that_prices("cim.column_current"), 0), 30.0 * 120 * 3000,
                1e-3);
}

TEST(EstimateEnergy, PairsOfRowsAndVoltages) {
    arch::ChipSpec chip = chip_that_prices("cim.cell_charges");
    support::cim_of(chip.core).weights.encoding = arch::CimEncoding::DifferentialRows;
    support::cim_of(chip.core).array.readout = arch::CimReadout::Voltage;
    support::cim_of(chip.core).rows.rows_parallel = 30;
    EXPECT_NEAR(estimate_energy(dense_layer(), chip, 0), 60.0 * 60, 1e-6);  // both rows of a pair, one column
    chip.energy.actions.erase("cim.cell_charges");
    EXPECT_EQ(estimate_energy(dense_layer(), chip, 0), 0);
    chip.energy.actions["cim.rows_driven"].value = 1;
    EXPECT_NEAR(estimate_energy(dense_layer(), chip, 0), 60, 1e-9);
}

TEST(EstimateEnergy, UnusedColumnsOfAnAdderTree) {
    arch::ChipSpec chip = chip_that_prices("cim.digital_active");
    support::cim_of(chip.core).array.type = arch::CimType::SramDigital;
    support::cim_of(chip.core).weights.encoding = arch::CimEncoding::TwosComplement;
    EXPECT_NEAR(estimate_energy(dense_layer(), chip, 0), 30.0 * 80, 1e-9);
    support::cim_of(chip.core).array.clock_unused = true;
    EXPECT_NEAR(estimate_energy(dense_layer(), chip, 0), 30.0 * 128, 1e-9);
}

}  // namespace
}  // namespace loom::compiler
