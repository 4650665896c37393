// SPDX-License-Identifier: Apache-2.0
// Prices that follow from an array's description.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "arch/cim_prices.hpp"

namespace loom::arch {
namespace {

EnergySpec list() {
    EnergySpec e;
    const auto entry = [](double pj) {
        AdcPriceSpec p;
        p.value = pj;
        p.grade = "measured";
        p.source = "by hand";
        return p;
    };
    e.adc["survey"]["4"] = entry(1);
    e.adc["survey"]["6"] = entry(4);
    e.adc["compact"]["5"] = entry(0.1);
    e.actions["cim.rows_driven"] = entry(0.05);
    return e;
}

TEST(CimPrices, ConversionsFollowTheTable) {
    EXPECT_EQ(conversion_price(list(), "survey", 6).value.pj, 4);
    EXPECT_EQ(conversion_price(list(), "survey", 6).grade, "measured");
    EXPECT_NEAR(conversion_price(list(), "survey", 5).value.pj, 2, 1e-12);
    EXPECT_EQ(conversion_price(list(), "survey", 5).grade, "assumed");
    EXPECT_NEAR(conversion_price(list(), "survey", 8).value.pj, 16, 1e-12);
    EXPECT_NEAR(conversion_price(list(), "survey", 2).value.pj, 0.25, 1e-12);
    EXPECT_EQ(conversion_price(list(), "compact", 8).value.pj, 0.1);
    EXPECT_THROW(conversion_price(list(), "none", 8), ConfigError);
    EnergySpec bad = list();
    bad.adc["survey"]["four"] = {};
    EXPECT_THROW(conversion_price(bad, "survey", 4), ConfigError);
}

/// One bit is a sense amplifier: its entry serves one bit only.
TEST(CimPrices, OneBitIsAnotherCircuit) {
    EnergySpec e = list();
    AdcPriceSpec sense;
    sense.value = 0.001;
    e.adc["survey"]["1"] = sense;
    EXPECT_EQ(conversion_price(e, "survey", 1).value.pj, 0.001);
    EXPECT_NEAR(conversion_price(e, "survey", 2).value.pj, 0.25, 1e-12);
    e.adc["sense"]["1"] = sense;
    EXPECT_EQ(conversion_price(e, "sense", 4).value.pj, 0.001);
}

/// A table with a term of the current gives a price per nS of a converted column; others say why not.
TEST(CimPrices, ConversionsThatFollowTheCurrent) {
    EnergySpec e = list();
    e.adc["compact"]["5"].per_uA = 0.002;
    CimSpec s;
    s.device.Vr = 0.5;
    s.adc.price_table = "compact";
    const EnergySpec priced = with_cim_prices(e, s, 1000, 1e6);
    EXPECT_NEAR(priced.actions.at("cim.column_current").value.pj * 80e3, 0.002 * 40,
                1e-12);  // 12.5 kohm: 40 uA
    EXPECT_EQ(priced.actions.at("cim.conversions").value.pj, 0.1);
    s.adc.price_table = "survey";
    EXPECT_EQ(with_cim_prices(e, s, 1000, 1e6).unpriced.count("cim.column_current"), 1u);
    e.adc["compact"]["8"].value = 0.8;
    e.adc["compact"]["8"].per_uA = 0.016;
    EXPECT_NEAR(conversion_price(e, "compact", 6).per_uA, 0.004, 1e-12);
}

/// The energy of a MAC by weight bits, over the cells that a weight takes.
TEST(CimPrices, AdderTreesFollowTheWidth) {
    EnergySpec e = list();
    e.digital_mac["4"].value = 0.1;
    e.digital_mac["8"].value = 0.4;
    CimSpec s;
    s.array.type = CimType::SramDigital;
    s.weights.encoding = CimEncoding::TwosComplement;
    const auto mac = [&](std::uint64_t bits) {
        s.weights.weight_bits = bits;
        const EnergySpec p = with_cim_prices(e, s, 1000, 1e6);
        EXPECT_NEAR(p.actions.at("cim.digital_active").value.pj,
                    9 * p.actions.at("cim.digital_rows").value.pj, 1e-12);
        return 10 * p.actions.at("cim.digital_rows").value.pj * static_cast<double>(bits);
    };
    EXPECT_NEAR(mac(4), 0.1, 1e-12);
    EXPECT_NEAR(mac(8), 0.4, 1e-12);
    EXPECT_NEAR(mac(6), 0.2, 1e-12);
    e.actions["cim.digital_rows"].value = 7;  // what a list says itself stays
    EXPECT_EQ(with_cim_prices(e, s, 1000, 1e6).actions.at("cim.digital_rows").value.pj, 7);
}

/// C V^2 of columns and rows; cells conduct ln 2^(bits + 1) time constants of C_col / G_col.
TEST(CimPrices, ColumnsThatSettleToAVoltage) {
    CimSpec s;
    s.array.rows = 256;
    s.array.readout = CimReadout::Voltage;
    s.adc.adc_bits = 6;
    s.device.Vr = 0.5;
    s.device.c_row = 2;
    s.device.c_col = 3;
    EnergySpec e = list();
    e.actions["cim.cell_charges"] = e.actions["cim.rows_driven"];
    const EnergySpec p = with_cim_prices(e, s, 1000, 1e6);
    EXPECT_NEAR(p.actions.at("cim.columns_charged").value.pj, 0.25 * 256 * 3e-3, 1e-12);
    EXPECT_NEAR(p.actions.at("cim.cell_charges").value.pj, 0.25e-3 * (2 + 7 * std::log(2.0) * 3), 1e-12);
}

/// V^2 G t: a cell of 10 uS at 0.2 V for 10 ns is 4.0 fJ; a pulse of 1 us at 1.75 V and 20 uS is 61 pJ.
TEST(CimPrices, PhysicsOfCellsAndPulses) {
    CimSpec s;
    s.array.cols = 256;
    const EnergySpec e = with_cim_prices(list(), s, 1000, 1e6);
    EXPECT_NEAR(e.actions.at("cim.cell_conductance").value.pj * 10000 * 10, 0.0040, 1e-12);
    EXPECT_NEAR(e.actions.at("cim.set_energy").value.pj * 20000, 61.25, 1e-9);
    EXPECT_NEAR(e.actions.at("cim.half_select").value.pj * 4, e.actions.at("cim.set_energy").value.pj, 1e-12);
    EXPECT_NEAR(e.actions.at("cim.rows_driven").value.pj, 0.1, 1e-12);
    EXPECT_NEAR(e.actions.at("cim.conversions").value.pj, 2, 1e-12);
}

}  // namespace
}  // namespace loom::arch
