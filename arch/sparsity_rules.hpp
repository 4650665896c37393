// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/fields.hpp"

namespace loom::arch {

/// What a zero operand costs: nothing is skipped (dense), the cycle passes without the operation (gate), or
/// neither cycle nor operation happens (skip).
enum class ZeroRule { Dense, Gate, Skip };
inline std::span<const std::string_view> enum_names(ZeroRule*) {
    static constexpr std::array<std::string_view, 3> names{"dense", "gate", "skip"};
    return names;
}

struct SparsityRules {
    ZeroRule spikes = ZeroRule::Skip, errors = ZeroRule::Skip, derivative = ZeroRule::Skip;
};
template <class V>
void fields(V& v, SparsityRules& s) {
    v("spikes", s.spikes, {.doc = "inputs without a spike (forward, weight gradient): dense, gate or skip"});
    v("errors", s.errors, {.doc = "zero dL/du (backward, weight gradient): dense, gate or skip"});
    v("derivative", s.derivative,
      {.doc = "errors towards neurons whose surrogate derivative is zero: dense, gate or skip"});
}

}  // namespace loom::arch
