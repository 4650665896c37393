// SPDX-License-Identifier: Apache-2.0
#include "base/config/quantity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <regex>

#include "message_of.hpp"

namespace loom::config {
namespace {

TEST(Quantity, ElectricalUnitsMayBeBare) {
    EXPECT_EQ(parse_quantity("250 MHz", Unit::Frequency), 250);
    EXPECT_EQ(parse_quantity("1.2 GHz", Unit::Frequency), 1200);
    EXPECT_EQ(parse_quantity("200 mV", Unit::Voltage), 0.2);
    EXPECT_EQ(parse_quantity("0.2", Unit::Voltage), 0.2);
    EXPECT_EQ(parse_quantity("40", Unit::Conductance), 40);
    EXPECT_EQ(parse_quantity("588 nS", Unit::Conductance), 0.588);
    EXPECT_EQ(parse_quantity("25 kohm", Unit::Resistance), 25000);
    EXPECT_EQ(format_quantity(0.2, Unit::Voltage), "200 mV");
    EXPECT_EQ(parse_quantity(format_quantity(1e-5, Unit::Conductance), Unit::Conductance), 1e-5);
    EXPECT_THROW(parse_quantity("40 V", Unit::Conductance), ConfigError);
    EXPECT_THROW(parse_quantity("-1", Unit::Resistance), ConfigError);
}

TEST(Quantity, CanonicalUnits) {
    EXPECT_EQ(parse_quantity("2 ns", Unit::Time), 2000.0);
    EXPECT_EQ(parse_quantity("100 us", Unit::Time), 1e8);
    EXPECT_EQ(parse_quantity("1.5ms", Unit::Time), 1.5e9);
    EXPECT_EQ(parse_quantity("0.35 pJ", Unit::Energy), 0.35);
    EXPECT_EQ(parse_quantity("3 nJ", Unit::Energy), 3000.0);
    EXPECT_EQ(parse_quantity("48.8 fJ", Unit::Energy), 0.0488);
    EXPECT_EQ(parse_quantity("104 mW", Unit::Power), 104.0);
    EXPECT_EQ(parse_quantity("3 uW", Unit::Power), 0.003);
    EXPECT_EQ(parse_quantity("240 um", Unit::Length), 0.24);
    EXPECT_EQ(parse_quantity("1 mm", Unit::Length), 1.0);
    EXPECT_EQ(parse_whole_quantity("16 KiB", Unit::Memory), 131072u);
    EXPECT_EQ(parse_whole_quantity("4 kB", Unit::Memory), 32000u);
    EXPECT_EQ(parse_whole_quantity("2 Mib", Unit::Memory), 2097152u);
    EXPECT_EQ(parse_whole_quantity("64 bits", Unit::Memory), 64u);
    EXPECT_EQ(parse_whole_quantity("64 bit", Unit::Memory), 64u);
    EXPECT_EQ(parse_whole_quantity("0.7 ns", Unit::Time), 700u);
    EXPECT_EQ(parse_whole_quantity("3 cycles", Unit::CycleCount), 3u);
    EXPECT_EQ(parse_whole_quantity("3", Unit::CycleCount), 3u);
    EXPECT_EQ(parse_quantity("0", Unit::Energy), 0.0);
    EXPECT_EQ(parse_quantity("-2.5", Unit::None), -2.5);
}

TEST(Price, PerEventBitAndLength) {
    using Per = EnergyPrice::Per;
    EXPECT_EQ(parse_price("3 pJ"), EnergyPrice(3));
    EXPECT_EQ(parse_price("0"), EnergyPrice(0));
    EXPECT_EQ(parse_price("1 nJ/bit"), EnergyPrice(1000, Per::Bit));
    EXPECT_EQ(parse_price("0.3 pJ/bit/mm"), EnergyPrice(0.3, Per::BitMm));
    EXPECT_EQ(parse_price(" 48.8 fJ /bit/mm "), EnergyPrice(0.0488, Per::BitMm));
    EXPECT_DOUBLE_EQ(parse_price("0.3 fJ/bit/um").pj, 0.3);
    const std::regex pattern(price_pattern());
    for (const char* text : {"3 pJ", "25 pJ/bit", "300 fJ/bit/mm", "0.25 aJ/bit/nm"}) {
        EXPECT_TRUE(std::regex_match(text, pattern)) << text;
        EXPECT_EQ(parse_price(format_price(parse_price(text))), parse_price(text)) << text;
    }
    for (const char* text : {"3 pJ/flit", "3 pJ/mm", "3 pJ/bit/mm/mm", "3 pJ/bit/s", "3 pJ/", "/bit", "3/bit",
                             "-1 pJ/bit"}) {
        EXPECT_FALSE(std::regex_match(text, pattern)) << text;
        EXPECT_THROW(parse_price(text), ConfigError) << text;
    }
    EXPECT_EQ(message_of([] { parse_price("3 pJ/flit"); }),
              "a price is per event, '/bit' or '/bit/mm', got '3 pJ/flit'");
}

TEST(Quantity, Refusals) {
    const auto message = [](const char* text, Unit unit) {
        return message_of([&] { parse_quantity(text, unit); });
    };
    const auto whole = [](const char* text, Unit unit) {
        return message_of([&] { parse_whole_quantity(text, unit); });
    };
    EXPECT_EQ(message("2", Unit::Time), "expected a time with a unit such as '2 ns', got '2' without a unit");
    EXPECT_EQ(message("5", Unit::Energy),
              "expected an energy with a unit such as '0.9 pJ', got '5' without a unit");
    EXPECT_EQ(message("fast", Unit::Time), "expected a time with a unit such as '2 ns', got 'fast'");
    EXPECT_EQ(message("2 pJ", Unit::Time),
              "'pJ' is no unit of time (units: s, ms, us, ns, ps, fs), got '2 pJ'");
    EXPECT_EQ(message("-2 ns", Unit::Time), "must not be negative (got '-2 ns')");
    EXPECT_EQ(message("nan pJ", Unit::Energy), "must be finite (got 'nan pJ')");
    EXPECT_EQ(message("inf", Unit::None), "must be finite (got 'inf')");
    EXPECT_EQ(message("1e400 ns", Unit::Time), "'1e400 ns' is out of range");
    EXPECT_EQ(message("1e300 s", Unit::Time), "'1e300 s' is out of range");
    EXPECT_EQ(message("3x", Unit::None), "expected a number such as '3', got '3x'");
    EXPECT_EQ(whole("0.5 bits", Unit::Memory), "must be a whole number of bits (got '0.5 bits')");
    EXPECT_EQ(whole("2.5", Unit::CycleCount), "must be a whole number of cycles (got '2.5')");
    EXPECT_EQ(whole("1e30 bits", Unit::Memory), "'1e30 bits' is out of range");
}

TEST(Quantity, FormatReadsBackExactly) {
    EXPECT_EQ(format_quantity(2000, Unit::Time), "2 ns");
    EXPECT_EQ(format_quantity(131072, Unit::Memory), "16 KiB");
    EXPECT_EQ(format_quantity(64, Unit::Memory), "64 bits");
    EXPECT_EQ(format_quantity(1, Unit::CycleCount), "1 cycle");
    EXPECT_EQ(format_quantity(23.6, Unit::Energy), "23.6 pJ");
    EXPECT_EQ(format_quantity(0, Unit::Power), "0 mW");
    constexpr std::array units{Unit::Time, Unit::Energy, Unit::Power, Unit::Length, Unit::CycleCount};
    double value = 1.0 / 3.0;
    for (int i = 0; i < 200; ++i) {
        for (const Unit unit : units) {
            const std::string text = format_quantity(value, unit);
            EXPECT_EQ(parse_quantity(text, unit), value) << text;
            EXPECT_TRUE(std::regex_match(text, std::regex(quantity_pattern(unit)))) << text;
        }
        value = value * 1.37 > 1e15 ? 1e-7 / 3.0 : value * 1.37;
    }
    for (std::uint64_t bits = 1; bits < 1'000'000; bits = bits * 2 + bits % 7) {
        const std::string text = format_quantity(static_cast<double>(bits), Unit::Memory);
        EXPECT_EQ(parse_whole_quantity(text, Unit::Memory), bits) << text;
    }
}

}  // namespace
}  // namespace loom::config
