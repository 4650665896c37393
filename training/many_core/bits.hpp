// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bit>
#include <cstdint>
#include <span>

namespace loom::training {

/// Set bits among first .. last - 1.
inline std::uint64_t ones_between(std::span<const std::uint64_t> bits, std::size_t first, std::size_t last) {
    std::uint64_t n = 0;
    for (std::size_t w = first / 64; w * 64 < last; ++w) {
        std::uint64_t word = bits[w];
        if (w == first / 64) word &= ~std::uint64_t{0} << first % 64;
        if (last - w * 64 < 64) word &= (std::uint64_t{1} << (last - w * 64)) - 1;
        n += static_cast<std::uint64_t>(std::popcount(word));
    }
    return n;
}

/// Calls f(i) for every set bit among first .. last - 1, ascending.
template <class F>
void each_one(std::span<const std::uint64_t> bits, std::size_t first, std::size_t last, F f) {
    for (std::size_t w = first / 64; w * 64 < last; ++w) {
        std::uint64_t word = bits[w];
        if (w == first / 64) word &= ~std::uint64_t{0} << first % 64;
        if (last - w * 64 < 64) word &= (std::uint64_t{1} << (last - w * 64)) - 1;
        for (; word != 0; word &= word - 1) f(w * 64 + static_cast<std::size_t>(std::countr_zero(word)));
    }
}

}  // namespace loom::training
