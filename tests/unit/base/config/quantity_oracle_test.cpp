// SPDX-License-Identifier: Apache-2.0
// Quantities against arithmetic in whole numbers of any size: what is read is the double nearest to what is
// written.
#include <gtest/gtest.h>

#include <array>
#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "base/config/quantity.hpp"

namespace loom::config {
namespace {

using boost::multiprecision::cpp_int;
using boost::multiprecision::cpp_rational;

struct Written {
    const char* name;
    Unit unit;
    int exponent;  ///< of ten, to the canonical unit
};
constexpr std::array<Written, 12> kUnits{{{"s", Unit::Time, 12},
                                          {"us", Unit::Time, 6},
                                          {"ps", Unit::Time, 0},
                                          {"fs", Unit::Time, -3},
                                          {"nJ", Unit::Energy, 3},
                                          {"pJ", Unit::Energy, 0},
                                          {"fJ", Unit::Energy, -3},
                                          {"uW", Unit::Power, -3},
                                          {"um", Unit::Length, -3},
                                          {"GHz", Unit::Frequency, 3},
                                          {"mV", Unit::Voltage, -3},
                                          {"nS", Unit::Conductance, -3}}};

cpp_rational power_of_ten(int exponent) {
    const cpp_rational power(
        boost::multiprecision::pow(cpp_int(10), static_cast<unsigned>(std::abs(exponent))));
    return exponent < 0 ? 1 / power : power;
}

cpp_rational distance(double x, const cpp_rational& exact) {
    return abs(cpp_rational(x) - exact);
}

TEST(QuantityOracle, ReadsTheNearestDouble) {
    std::mt19937_64 random(7);
    for (int i = 0; i < 4000; ++i) {
        const std::uint64_t digits = random() >> (random() % 54 + 1);
        const int exponent = static_cast<int>(random() % 13) - 6;
        const Written& unit = kUnits[random() % kUnits.size()];
        const std::string text = std::to_string(digits) + "e" + std::to_string(exponent) + " " + unit.name;
        const cpp_rational exact = cpp_rational(cpp_int(digits)) * power_of_ten(exponent + unit.exponent);
        const double read = parse_quantity(text, unit.unit);
        const double infinity = std::numeric_limits<double>::infinity();
        EXPECT_LE(distance(read, exact), distance(std::nextafter(read, infinity), exact)) << text;
        EXPECT_LE(distance(read, exact), distance(std::nextafter(read, -infinity), exact)) << text;
    }
}

}  // namespace
}  // namespace loom::config
