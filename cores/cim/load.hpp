// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cores/core_counters.hpp"
#include "arch/chip_spec.hpp"
#include "arch/program.hpp"
#include "base/ids.hpp"

namespace loom::cores {

/// Programming the arrays of one kind of core with a network, all its cores side by side.
struct ArrayLoad {
    Cycles cycles = 0;  ///< of the slowest core
    CoreCounters events;
};
ArrayLoad load_arrays(const arch::ChipSpec& spec, const arch::Program& program, std::uint32_t kind);

}  // namespace loom::cores
