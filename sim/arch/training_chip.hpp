// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "sim/arch/energy_spec.hpp"
#include "sim/base/fields.hpp"

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

/// A chip that trains: `kind`, processing elements, buffers, DRAM, prices.
struct TrainingChip {
    std::string name, source;
    std::string kind = "sata";
    double clock_period = 2500;  ///< ps
    SparsityRules sparsity;
    EnergySpec energy;
};
template <class V>
void fields(V& v, TrainingChip& s) {
    v("name", s.name, {.doc = "of the chip", .required = true});
    v("source", s.source, {.doc = "where its figures come from, or `assumed`", .required = true});
    v("kind", s.kind, {.doc = "engine: sata, h2learn, mac_array"});
    v("clock_period", s.clock_period, {.doc = "of the one clock", .unit = Unit::Time, .min = 1});
    v("sparsity", s.sparsity, {.doc = "which zeros are exploited, and how"});
    v("energy", s.energy, {.doc = "price list"});
}

}  // namespace loom::arch
