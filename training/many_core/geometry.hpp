// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>

#include "training/work/training_work.hpp"

namespace loom::training {

/// Calls f(output position, tap) for every output that input position `p` reaches (positions: row * width +
/// column; taps: kernel row * kernel width + kernel column).
template <class F>
void each_output(const arch::LinearShape& s, std::size_t p, F f) {
    s.each_output(p, f);
}

/// Calls f(input position, tap) for every input that output position `q` sees; both ascend.
template <class F>
void each_input(const arch::LinearShape& s, std::size_t q, F f) {
    s.each_input(q, f);
}

/// Output channels of `group` among [first, last).
struct ChannelSpan {
    std::size_t first, last;
    std::size_t size() const { return last - first; }
};
inline ChannelSpan group_channels(const arch::LinearShape& s, std::size_t group, std::size_t first,
                                  std::size_t last) {
    const std::size_t n = s.group_outputs();
    const std::size_t from = std::max(first, group * n), to = std::min(last, (group + 1) * n);
    return {from, std::max(from, to)};
}

/// Calls f(group, its output channels) for every group with some among [first, last).
template <class F>
void each_group(const arch::LinearShape& s, std::size_t first, std::size_t last, F f) {
    const std::size_t n = s.group_outputs();
    for (std::size_t g = first / n; g * n < last; ++g) f(g, group_channels(s, g, first, last));
}

}  // namespace loom::training
