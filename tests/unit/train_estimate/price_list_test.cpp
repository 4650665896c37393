// SPDX-License-Identifier: Apache-2.0
// configs/energy/sata_32.yaml has the figures of the kernel library and of CACTI.
#include <gtest/gtest.h>

#include "sim/arch/energy_spec.hpp"
#include "sim/config/reader.hpp"
#include "sim/train_estimate/sata_setting.hpp"
#include "tests/unit/train_estimate/csv.hpp"

namespace loom::train_estimate {
namespace {

/// A column of a kernel of the library.
double kernel(const std::string& name, const std::string& width, const std::string& column) {
    for (const Row& row : read_table("kernel_library_400MHz.csv")) {
        if (row.at("kernel") == name && row.at("width_bits") == width) return number(row, column);
    }
    throw std::runtime_error("no kernel " + name);
}
double pj(const std::string& name, const std::string& width) {
    return kernel(name, width, "energy_pJ_at_400MHz(=mW*2.5)");
}
arch::EnergySpec list() {
    return config::read<arch::EnergySpec>(
        config::load_tree(std::string(LOOM_SOURCE_DIR) + "/configs/energy/sata_32.yaml"), "energy");
}

TEST(SataPrices, Kernels) {
    const arch::EnergySpec prices = list();
    const std::string adder = "adder(=subtractor)";
    const auto expect = [&](const std::string& event, double value) {
        EXPECT_NEAR(prices.actions.at("train." + event).value.pj, value, 6e-6) << event;
    };
    expect("mul", pj("multiplier", "16"));
    expect("add", pj(adder, "16"));
    expect("cmp", pj("comparator", "16"));
    expect("reg", pj("register", "16"));
    expect("mul_8", pj("multiplier", "8"));
    expect("add_8", pj(adder, "8"));
    expect("cmp_8", pj("comparator", "8"));
    expect("reg_8", pj("register", "8"));
    expect("random_words", pj("lfsr", "32"));
    expect("ac", pj(adder, "16") + pj("register", "16") + pj("and", "16"));
    expect("mac", pj("multiplier", "16") + pj(adder, "16") + pj("register", "16"));
    const UnitEnergies ratios;
    expect("mux", pj(adder, "16") * ratios.mux / ratios.add);
    expect("shift", pj(adder, "16") * ratios.sft / ratios.add);
    EXPECT_NEAR(TimeModel{}.mac, prices.actions.at("train.mac").value.pj, 1e-9);
}

TEST(SataPrices, BuffersLeakageAndArea) {
    const arch::EnergySpec prices = list();
    const std::map<std::string, std::string> events{
        {"w", "weight"}, {"u", "membrane"}, {"s", "spike"}, {"z", "error"}, {"m", "mask"}};
    double leakage = 0, mm2 = 0, bits = 0;
    for (const Row& row : read_table("sram_cacti_32nm.csv")) {
        if (events.count(row.at("buffer")) == 0) continue;  // another number of banks
        const std::string event = "train." + events.at(row.at("buffer"));
        EXPECT_NEAR(prices.actions.at(event + "_reads").value.pj, 1000 * number(row, "read_nJ"), 1e-9);
        EXPECT_NEAR(prices.actions.at(event + "_writes").value.pj, 1000 * number(row, "write_nJ"), 1e-9);
        leakage += number(row, "banks") * number(row, "leak_mW_per_bank");
        mm2 += number(row, "area_mm2");
        bits += 8 * number(row, "bytes");
    }
    const auto element = [](const char* column) {
        return kernel("multiplier", "16", column) + kernel("adder(=subtractor)", "16", column) +
               kernel("and", "16", column) + kernel("comparator", "16", column) +
               3 * kernel("register", "16", column);
    };
    leakage += 128 * element("leak_uW") / 1000;
    EXPECT_NEAR(prices.leakage.at("core").value, leakage, 0.01);
    EXPECT_NEAR(TimeModel{}.leakage, leakage, 0.01);
    EXPECT_NEAR(prices.area.at("core").value, 128 * element("area_um2"), 1);
    EXPECT_NEAR(prices.area.at("sram_cell").value, 1e6 * mm2 / bits, 1e-4);
}

}  // namespace
}  // namespace loom::train_estimate
