// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <limits>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace loom {

/// The first number that an integer of type I is too small for: a power of two, and so exact.
template <std::integral I>
inline constexpr double kBeyond = 2.0 * static_cast<double>(std::numeric_limits<I>::max() / 2 + 1);

/// x as an integer with fewer bits or without a fraction, which is cut off. Throws InputError, which names
/// `what` it is, when type I does not hold it.
template <std::integral I>
I checked_cast(double x, std::string_view what) {
    const bool fits = std::is_signed_v<I> ? x >= -kBeyond<I> : x > -1;
    if (!fits || !(x < kBeyond<I>))
        throw InputError(fmt::format("{} is {}; an integer of {} bits does not hold it", what, x, 8 * sizeof(I)));
    return static_cast<I>(x);
}
template <std::integral I, std::integral From>
I checked_cast(From x, std::string_view what) {
    if (!std::in_range<I>(x))
        throw InputError(fmt::format("{} is {}; at most {} is possible", what, x, std::numeric_limits<I>::max()));
    return static_cast<I>(x);
}

/// Adds to a count. Throws ModelError when 64 bits do not hold the sum.
inline void add_checked(std::uint64_t& sum, std::uint64_t n, std::string_view what) {
    if (__builtin_add_overflow(sum, n, &sum)) throw ModelError(fmt::format("{} are more than 64 bits hold", what));
}

/// x as an integer, or the end of the range that it is beyond. Not for what is not a number.
inline std::int64_t clipped(double x, std::int64_t lowest, std::int64_t highest) {
    if (x <= static_cast<double>(lowest)) return lowest;
    if (x >= static_cast<double>(highest)) return highest;
    return std::clamp(static_cast<std::int64_t>(x), lowest, highest);
}

}  // namespace loom
