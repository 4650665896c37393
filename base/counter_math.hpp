// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>

namespace loom {

/// a / b, rounded up.
constexpr std::uint64_t ceil_div(std::uint64_t a, std::uint64_t b) {
    return (a + b - 1) / b;
}

/// Arithmetic on structs that are nothing but uint64 counters, member by member.
template <class C, class F>
C combine(const C& a, const C& b, F f) {
    static_assert(std::is_trivially_copyable_v<C> && sizeof(C) % sizeof(std::uint64_t) == 0);
    using Array = std::array<std::uint64_t, sizeof(C) / sizeof(std::uint64_t)>;
    Array x = std::bit_cast<Array>(a);
    const Array y = std::bit_cast<Array>(b);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = f(x[i], y[i]);
    return std::bit_cast<C>(x);
}
template <class C>
C sum_of(const C& a, const C& b) {
    return combine(a, b, [](std::uint64_t x, std::uint64_t y) { return x + y; });
}
template <class C>
C difference_of(const C& a, const C& b) {
    return combine(a, b, [](std::uint64_t x, std::uint64_t y) { return x - y; });
}

}  // namespace loom
