// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "training/work/training_counters.hpp"

namespace loom::training {

enum class Phase : std::uint8_t { Forward, Backward, WeightGradient, WeightUpdate };
inline constexpr std::size_t kPhases = 4;
inline constexpr std::array<std::string_view, kPhases> kPhaseNames{"forward", "backward", "weight_gradient",
                                                                   "weight_update"};

/// One phase of one layer, summed over the steps that were executed.
/// cycles x elements of its unit = busy + gated + imbalance + stalled_memory x elements, exactly.
struct PhaseRecord {
    std::uint64_t cycles = 0;  ///< in which this layer's phase held its unit (no overlap counted twice)
    std::uint64_t busy = 0;    ///< processing element x cycle with useful work
    std::uint64_t gated = 0;   ///< processing element x cycle passed by a zero operand
    std::uint64_t stalled_memory = 0;  ///< cycles in which processing elements waited for a buffer or DRAM
    /// Processing element x cycle idle because another one of its tile had more work.
    std::uint64_t imbalance = 0;
    TrainingCounters counts;
};

struct LayerRecord {
    std::string name;
    std::array<PhaseRecord, kPhases> phases;
};

/// A buffer's use over one step.
struct MemoryUse {
    std::string name;
    std::uint64_t capacity_bits = 0, peak_bits = 0;
    std::uint64_t spilled_bits = 0;  ///< peak of what had to live in DRAM instead
};

/// Bits in use in a buffer from a cycle on.
struct MemoryPoint {
    std::uint64_t cycle = 0;
    std::uint32_t buffer = 0;  ///< of EngineRecord::memory
    std::uint64_t bits = 0;
};

/// An array of processing elements that works by itself. cycles = held + waited: waited for another unit.
struct UnitRecord {
    std::string name;
    std::uint64_t elements = 0, held = 0, waited = 0;
};

/// How the minibatch is cut into blocks of samples.
enum class BlockReason : std::uint8_t {
    OneByOne,    ///< this engine takes one sample after the other
    Given,       ///< schedule.batch_block
    Statistics,  ///< norms need the whole minibatch
    Overhead,    ///< fewest cycles beside arithmetic
    Pipelined,   ///< units side by side need several blocks to work on
};
std::string_view block_reason_text(BlockReason reason);

/// A block that was considered: what the schedule costs beside arithmetic, estimated before it is executed.
struct BlockChoice {
    std::uint64_t block = 0, overhead_cycles = 0, dram_bytes = 0;
};

struct ManyCoreCounters;

/// What an engine did, over all steps executed. With one unit the phases' cycles add up to `cycles`; units
/// that work side by side (pipelined) each have held + waited = cycles.
struct EngineRecord {
    std::uint64_t steps = 0, cycles = 0, samples = 0;
    std::uint64_t processing_elements = 0;
    std::vector<LayerRecord> layers;
    std::vector<MemoryUse> memory;
    std::vector<MemoryPoint> memory_over_time;  ///< of the last step
    std::vector<UnitRecord> units;
    std::uint64_t batch_block = 0;  ///< samples trained together in the last step; 0: OneByOne
    BlockReason block_reason = BlockReason::OneByOne;
    std::vector<BlockChoice> blocks;                    ///< what the last step could choose from
    std::shared_ptr<const ManyCoreCounters> many_core;  ///< null: the engine is no chip of many cores
};

}  // namespace loom::training
