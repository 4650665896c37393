// SPDX-License-Identifier: Apache-2.0
#include "base/portable_math.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace loom {
namespace {
constexpr double kLn2High = 0x1.62e42fefa3800p-1;  // ln 2 in two parts: k * kLn2High is exact
constexpr double kLn2Low = 0x1.ef35793c76730p-45;
}  // namespace

double portable_exp(double x) {
    if (x > 709.0) return std::numeric_limits<double>::infinity();
    if (x < -745.0) return 0.0;
    const double k = std::floor(x * 0x1.71547652b82fep+0 + 0.5);
    const double r = (x - k * kLn2High) - k * kLn2Low;  // |r| <= ln 2 / 2
    double sum = 1.0;
    for (int n = 14; n > 0; --n) sum = 1.0 + sum * r / n;
    return std::ldexp(sum, static_cast<int>(k));
}

void portable_exp(std::span<double> x) {
    constexpr std::size_t block = 8;
    double r[block], k[block], sum[block];
    for (std::size_t first = 0; first < x.size(); first += block) {
        const std::size_t n = std::min(block, x.size() - first);
        bool plain = n == block;
        for (std::size_t i = 0; i < n; ++i) plain &= std::abs(x[first + i]) < 700.0;  // false for NaN
        if (!plain) {
            for (std::size_t i = 0; i < n; ++i) x[first + i] = portable_exp(x[first + i]);
            continue;
        }
        for (std::size_t i = 0; i < block; ++i) k[i] = std::floor(x[first + i] * 0x1.71547652b82fep+0 + 0.5);
        for (std::size_t i = 0; i < block; ++i) r[i] = (x[first + i] - k[i] * kLn2High) - k[i] * kLn2Low;
        for (double& s : sum) s = 1.0;
        for (int term = 14; term > 0; --term)
            for (std::size_t i = 0; i < block; ++i) sum[i] = 1.0 + sum[i] * r[i] / term;
        for (std::size_t i = 0; i < block; ++i) {  // sum * 2^k, a normal number: exact
            const auto exponent = static_cast<std::uint64_t>(static_cast<std::int64_t>(k[i]) + 1023) << 52;
            x[first + i] = sum[i] * std::bit_cast<double>(exponent);
        }
    }
}

double portable_log(double x) {
    int exponent = 0;
    double m = std::frexp(x, &exponent);  // [0.5, 1)
    if (m < 0.70710678118654752) {
        m *= 2;
        --exponent;
    }
    const double z = (m - 1.0) / (m + 1.0);  // log m = 2 atanh z, |z| <= 0.1716
    const double z2 = z * z;
    double sum = 0.0;
    for (int n = 21; n > 0; n -= 2) sum = 1.0 / n + z2 * sum;
    return exponent * kLn2High + (exponent * kLn2Low + 2.0 * z * sum);
}

double normal_of_word(std::uint32_t word) {
    const double p = (static_cast<double>(word) + 0.5) * 0x1p-32;
    constexpr double tail = 0.02425;
    if (p >= tail && p <= 1.0 - tail) {
        const double q = p - 0.5, r = q * q;
        const double a =
            ((((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r - 2.759285104469687e+02) * r +
              1.383577518672690e+02) *
                 r -
             3.066479806614716e+01) *
                r +
            2.506628277459239e+00;
        const double b =
            ((((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r - 1.556989798598866e+02) * r +
              6.680131188771972e+01) *
                 r -
             1.328068155288572e+01) *
                r +
            1.0;
        return a * q / b;
    }
    const double q = std::sqrt(-2.0 * portable_log(p < 0.5 ? p : 1.0 - p));
    const double c =
        ((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e+00) * q -
          2.549732539343734e+00) *
             q +
         4.374664141464968e+00) *
            q +
        2.938163982698783e+00;
    const double d = (((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e+00) * q +
                      3.754408661907416e+00) *
                         q +
                     1.0;
    return p < 0.5 ? c / d : -c / d;
}

}  // namespace loom
