// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>

#include "cores/cim/counters.hpp"
#include "cores/cim/shape.hpp"
#include "base/ids.hpp"

namespace loom::cores {

/// An update in place, open loop: every cell of [rows of the matrix][physical columns] gets its pulses (> 0:
/// SET, < 0: RESET). An array goes row by row, SET phase then RESET phase: (most SET pulses + most RESET
/// pulses of the row) times t_pulse (and t_verify, when pulses are verified); rows without a pulse take no
/// time; arrays work side by side. conductances: before the update, nS. Returns the cycles of the slowest
/// array.
Cycles update_in_place(const arch::CimSpec& spec, const CimShape& shape, std::span<const double> conductances,
                       std::span<const std::int32_t> pulses, CimCounters& counters);

}  // namespace loom::cores
