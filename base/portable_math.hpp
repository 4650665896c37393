// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>

/// Transcendental functions from additions, multiplications, divisions and square roots alone, which IEEE 754
/// rounds in one way: the same bits from every C library. Relative error below 1e-14.
namespace loom {

double portable_exp(double x);
/// Each element in place, bit for bit as one by one, several at a time.
void portable_exp(std::span<double> x);
/// x > 0.
double portable_log(double x);
/// x^y for x > 0.
inline double portable_pow(double x, double y) {
    return portable_exp(y * portable_log(x));
}

/// Standard normal deviate of a random word: the inverse distribution function at (word + 1/2) / 2^32
/// (P. J. Acklam's rational approximation, relative error below 1.2e-9). Within +-6.4.
double normal_of_word(std::uint32_t word);

}  // namespace loom
