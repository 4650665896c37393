// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "base/rng.hpp"

namespace loom::cores {

/// What a random draw of an array is for; each kind is a stream of its own.
enum class CimDraw : std::uint32_t {
    Programming,
    Stuck,
    DriftExponent,
    TwoLevelPhase,
    TwoLevelState,
    ColumnGain,
    AdcGain,
    AdcOffset,
    Read,
    WritePulse,
    Endurance
};

/// Stream number of CounterRng; below 0x100 are other users.
constexpr std::uint32_t cim_stream(CimDraw d) {
    return 0x100u + static_cast<std::uint32_t>(d);
}

/// Entity of a cell's draws: row of the matrix, physical column. The core goes into `step`.
constexpr std::uint64_t cim_cell(std::uint64_t row, std::uint64_t column) {
    return (row << 32) | column;
}

/// Entity of a read's draws: core, row set of the vector, upper bits of the column; the timestep goes into
/// `step`, the lower 16 bits of the column into `k`.
constexpr std::uint64_t cim_read(std::uint32_t core, std::uint64_t set, std::uint64_t column) {
    return (std::uint64_t{core} << 44) | ((set & 0xfffffffu) << 16) | (column >> 16);
}

}  // namespace loom::cores
