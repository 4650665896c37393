// SPDX-License-Identifier: Apache-2.0
// Prices that follow from an array's description.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/arch/cim_prices.hpp"

namespace loom::arch {
namespace {

EnergySpec list() {
    EnergySpec e;
    const auto entry = [](double pj) {
        PriceSpec p;
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
