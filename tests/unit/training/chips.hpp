// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/work/training_chip.hpp"

namespace loom::training {

/// A small chip with a buffer for everything.
inline arch::TrainingChip test_chip(const std::string& kind = "sata") {
    arch::TrainingChip chip;
    chip.name = chip.source = "test";
    chip.kind = kind;
    constexpr arch::ZeroRule dense = arch::ZeroRule::Dense;
    if (kind == "mac_array") chip.sparsity = {dense, dense, dense};
    const std::uint64_t kib = 8 * 1024;
    chip.buffers = {{"u", {"membranes"}, 256 * kib, 8, 64},
                    {"w", {"weights", "gradients"}, 144 * kib, 8, 64},
                    {"s", {"spikes"}, 32 * kib, 8, 64},
                    {"z", {"errors"}, 64 * kib, 8, 64},
                    {"m", {"masks"}, 8 * kib, 8, 16}};
    return chip;
}

}  // namespace loom::training
