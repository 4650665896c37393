// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>

#include "base/ids.hpp"
#include "training/work/engine_record.hpp"

namespace loom::training {

inline constexpr std::size_t kMaxBuffers = 8;
inline constexpr std::uint32_t kNoToken = UINT32_MAX;

/// A tile: what an array computes in one go, and what moves for it.
struct Task {
    std::uint32_t item = 0;  ///< record layer
    Phase phase = Phase::Forward;
    Cycles compute = 0;                                      ///< of the processing element with most work
    std::uint64_t busy = 0, gated = 0;                       ///< processing element x cycle
    std::array<std::uint64_t, kMaxBuffers> read{}, write{};  ///< bits by buffer
    std::uint64_t load = 0, store = 0;                       ///< DRAM, bytes
    TrainingCounters counts{};
    bool barrier = false;  ///< starts when all before it of its unit is written
    /// Starts when these are given; gives one when all before it and itself is written.
    std::array<std::uint32_t, 3> waits{kNoToken, kNoToken, kNoToken};
    std::uint32_t gives = kNoToken;
    std::uint32_t segment = 0;  ///< of the schedule
    bool last = false;          ///< of its segment
    bool load_after = false;    ///< loads what tasks before it of its unit stored: not ahead of them

    void count(TrainingEvent e, std::uint64_t n) { counts[e] += n; }
};

/// Tasks of one unit, in order.
class TaskSource {
  public:
    virtual ~TaskSource() = default;
    /// False: no more.
    virtual bool next(Task& task) = 0;
};

}  // namespace loom::training
