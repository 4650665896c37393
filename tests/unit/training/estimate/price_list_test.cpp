// SPDX-License-Identifier: Apache-2.0
// configs/energy/training_sata.yaml and the time of the formula have the figures of the kernel library and of
// CACTI.
#include <gtest/gtest.h>

#include "arch/energy_spec.hpp"
#include "base/config/reader.hpp"
#include "training/estimate/sata_setting.hpp"
#include "tests/unit/training/estimate/csv.hpp"

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
        config::load_tree(std::string(LOOM_SOURCE_DIR) + "/configs/energy/training_sata.yaml"), "energy");
}

/// To the four digits of the list.
void expect(const arch::EnergySpec& prices, const std::string& event, double value) {
    EXPECT_NEAR(prices.actions.at(event).value.pj, value, 6e-4 * value) << event;
}

TEST(SataPrices, Kernels) {
    const arch::EnergySpec prices = list();
    const std::string adder = "adder(=subtractor)";
    expect(prices, "multiply", pj("multiplier", "16"));
    expect(prices, "add", pj(adder, "16"));
    expect(prices, "compare", pj("comparator", "16"));
    expect(prices, "pad_read", pj("register", "16"));
    expect(prices, "pad_write", pj("register", "16"));
    expect(prices, "ac", pj(adder, "16") + pj("register", "16") + pj("and", "16"));
    expect(prices, "mac", pj("multiplier", "16") + pj(adder, "16") + pj("register", "16"));
    EXPECT_NEAR(TimeModel{}.mac, prices.actions.at("mac").value.pj, 1e-4);
    for (const auto& [name, kernel_name] : std::map<std::string, std::string>{
             {"register", "register"}, {"adder", adder}, {"multiplier", "multiplier"}, {"and", "and"}})
        for (const std::string width : {"8", "16", "32"})
            EXPECT_NEAR(prices.area.at(name + "." + width).value, kernel(kernel_name, width, "area_um2"),
                        0.01)
                << name << width;
}

TEST(SataPrices, BuffersAndLeakage) {
    const arch::EnergySpec prices = list();
    const std::map<std::string, std::string> events{
        {"w", "weight"}, {"u", "membrane"}, {"s", "spike"}, {"z", "error"}, {"m", "mask"}};
    double all = 0;
    for (const Row& row : read_table("sram_cacti_32nm.csv")) {
        const std::string buffer = row.at("buffer");
        if (events.count(buffer) == 0) continue;  // another number of banks
        expect(prices, events.at(buffer) + "_read", 1000 * number(row, "read_nJ") / 8);  // ports of 8 bits
        expect(prices, events.at(buffer) + "_write", 1000 * number(row, "write_nJ") / 8);
        const double mw = number(row, "banks") * number(row, "leak_mW_per_bank");
        EXPECT_NEAR(prices.leakage.at(buffer).value, mw, 1e-3 * mw) << buffer;
        all += mw;
    }
    const double element = (kernel("multiplier", "16", "leak_uW") +
                            kernel("adder(=subtractor)", "16", "leak_uW") + kernel("and", "16", "leak_uW") +
                            kernel("comparator", "16", "leak_uW") + 3 * kernel("register", "16", "leak_uW")) /
                           1000;
    EXPECT_NEAR(prices.leakage.at("element").value, element, 1e-2 * element);
    EXPECT_NEAR(TimeModel{}.leakage, all + 128 * element, 0.01);
}

}  // namespace
}  // namespace loom::train_estimate
