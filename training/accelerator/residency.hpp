// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "training/accelerator/segment.hpp"
#include "training/accelerator/setup.hpp"

namespace loom::training {

/// Which array serves which phase.
struct Arrays {
    const arch::TrainingArraySpec* forward;
    const arch::TrainingArraySpec* backward;
    const arch::TrainingArraySpec* update;
    const arch::TrainingArraySpec& of(Phase p) const {
        return p == Phase::Forward ? *forward : p == Phase::Backward ? *backward : *update;
    }
};

/// Change of a buffer's bits in use when a segment is over.
struct MemoryChange {
    std::uint32_t segment = 0, buffer = 0;
    std::int64_t bits = 0;
};

/// What lives where.
struct Residency {
    std::vector<MemoryUse> use;
    std::vector<MemoryChange> changes;
    std::uint64_t dram_bytes = 0;  ///< loads and stores of the step
    bool weights_resident = false;
};

/// Gives every value of the step (spikes, membranes, masks, errors by layer and timestep; weights, gradients)
/// its place from the first segment that makes it to the last that reads it: on chip while there is room,
/// else in DRAM. Sets load, store, load_after and weights_inside of the segments. `warm`: weights that stay
/// on chip are there already. Throws MappingError when not even one tile of something fits.
Residency allocate(const Setup& setup, const Arrays& arrays, std::vector<Segment>& segments, bool warm);

}  // namespace loom::training
