// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "training/accelerator/task.hpp"

namespace loom::training {

/// What a segment computes.
enum class Kind : std::uint8_t {
    LinearForward,
    NeuronForward,
    ElementForward,
    NeuronBackward,
    ErrorBackward,
    ElementBackward,
    Trace,     ///< presynaptic traces (OTTT)
    Gradient,  ///< of weights
    Update,    ///< optimiser
    Tables     ///< partial sums of the new weights
};

/// A stretch of the schedule: one kind of work of one item for timesteps [t0, t1) of samples [b0, b1). It is
/// cut into tiles when its turn comes.
struct Segment {
    Kind kind = Kind::LinearForward;
    Phase phase = Phase::Forward;
    std::uint32_t item = 0, t0 = 0, t1 = 1, b0 = 0, b1 = 0;
    bool weights_inside =
        false;  ///< all weights of the layer are on chip: positions outside, channels inside
    bool adds_to_gradient = false;  ///< sums continue what is in the gradient buffer
    bool again = false;             ///< forward once more, for membranes that were not kept
    std::uint8_t unit = 0;
    std::uint64_t load = 0, store = 0;  ///< DRAM, bytes
    bool load_after = false;            ///< loads what earlier segments stored
    std::array<std::uint32_t, 3> waits{kNoToken, kNoToken, kNoToken};
    std::uint32_t gives = kNoToken;
    std::size_t samples() const { return b1 - b0; }
};

}  // namespace loom::training
