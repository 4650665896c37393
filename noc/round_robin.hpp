// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bit>
#include <cstdint>

namespace loom::noc {

constexpr std::uint64_t bit(unsigned i) {
    return std::uint64_t{1} << i;
}

/// How far `i` is behind a round-robin pointer over 0..n-1: 0 has the highest priority.
constexpr unsigned rr_distance(unsigned i, unsigned pointer, unsigned n) {
    return i >= pointer ? i - pointer : i + n - pointer;
}

/// The pointer after `winner` has been served.
constexpr unsigned rr_next(unsigned winner, unsigned n) {
    return winner + 1 == n ? 0 : winner + 1;
}

/// First set bit of `mask` (not 0) at or after `pointer`, wrapping around.
constexpr unsigned rr_pick(std::uint64_t mask, unsigned pointer) {
    const std::uint64_t above = pointer < 64 ? mask & (~std::uint64_t{0} << pointer) : 0;
    return static_cast<unsigned>(std::countr_zero(above != 0 ? above : mask));
}

/// The same for a pointer below 64: no check.
constexpr unsigned rr_pick_below_64(std::uint64_t mask, unsigned pointer) {
    const std::uint64_t above = mask >> (pointer & 63) << (pointer & 63);
    return static_cast<unsigned>(std::countr_zero(above != 0 ? above : mask));
}

}  // namespace loom::noc
