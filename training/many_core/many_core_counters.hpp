// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "cores/cim/counters.hpp"
#include "noc/network.hpp"
#include "training/work/engine_record.hpp"

namespace loom::training {

/// What compute-in-memory arrays did, over all steps executed.
struct ArrayCounters {
    std::vector<std::array<cores::CimCounters, kPhases>> items;  ///< [item of the work][phase]
    /// [matrix]: pulses that its most used cell has had.
    std::vector<std::uint64_t> most_pulses;
};

/// What a chip of many cores counts beside its lanes and buffers.
struct ManyCoreCounters {
    std::array<noc::NocCounters, kPhases> network{};  ///< [phase]
    std::optional<ArrayCounters> arrays;              ///< nothing: weights are in memories

    const noc::NocCounters& network_of(Phase phase) const { return network[static_cast<std::size_t>(phase)]; }
};

/// All of them one after the other, for checkpoints.
std::vector<std::uint64_t> to_list(const ManyCoreCounters& counters);
/// What to_list() made. `items`: of the work. Throws InputError for a list of another length.
ManyCoreCounters from_list(std::span<const std::uint64_t> list, std::size_t items);

}  // namespace loom::training
