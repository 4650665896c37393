// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "base/counter_math.hpp"
#include "training/accelerator/segment.hpp"
#include "training/accelerator/setup.hpp"

namespace loom::training {

/// Cuts a segment into tiles for an array: exact work of every processing element from the bits. Also shares
/// out the segment's DRAM transfers and puts barrier and tokens on the first and last tile.
/// cost: bits of the segment's signals / 64 per tap, and pairs of rows for weight gradients.
void make_tiles(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& segment,
                std::vector<Task>& tasks);

// The kinds; tasks get phase, item and the rest from make_tiles.
void forward_tiles(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& segment,
                   std::vector<Task>& tasks);
void error_tiles(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& segment,
                 std::vector<Task>& tasks);
void gradient_tiles(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& segment,
                    std::vector<Task>& tasks);
/// Neurons, element-wise layers, traces, optimiser, tables: work that is alike for all elements.
void vector_tiles(const Setup& setup, const arch::TrainingArraySpec& array, const Segment& segment,
                  std::vector<Task>& tasks);

/// Share of `total` that falls to part `i` of `n`; the shares add up to it.
inline std::uint64_t share(std::uint64_t total, std::uint64_t i, std::uint64_t n) {
    return total / n * (i + 1) - total / n * i + (total % n * (i + 1) / n - total % n * i / n);
}

}  // namespace loom::training
