// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <limits>

namespace loom {

/// Hardware time, in cycles of one clock domain, counted from 0.
using Cycle = std::uint64_t;
/// A span of hardware time, in cycles.
using Cycles = std::uint64_t;
/// Algorithmic time: timesteps, counted from 0 in each sample.
using Step = std::uint64_t;
/// "No wake-up asked for."
inline constexpr Cycle kNever = std::numeric_limits<Cycle>::max();

/// A place where packets enter or leave the network: cores first, then host ports.
enum class EndpointId : std::uint32_t {};
/// A layer (population) of the network, index into arch::Program::layers.
enum class LayerId : std::uint16_t {};

template <class Id>
constexpr auto index(Id id) {
    return static_cast<std::uint32_t>(id);
}

}  // namespace loom
