// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <compare>
#include <functional>
#include <vector>

#include "training/accelerator/segment.hpp"
#include "training/accelerator/setup.hpp"

namespace loom::training {

/// Something that lives from one segment to others.
struct ValueKey {
    enum class What : std::uint8_t { Input, Spikes, Sums, State, Kept, Error, Direct, Trace, Carried };
    What what;
    std::uint32_t item, t, b0;
    bool again = false;
    auto operator<=>(const ValueKey&) const = default;
};
struct Value {
    ValueKey key;
    Tensor tensor;
    std::uint64_t bits;
};
enum class Access : std::uint8_t { Read, Write };

/// Every value that a segment reads or writes, weights and gradients apart; in the order reads, writes.
/// `operand`: true for what its inner loops walk again for each block of channels.
void each_value(const Setup& setup, const Segment& segment,
                const std::function<void(const Value&, Access, bool operand)>& f);

}  // namespace loom::training
