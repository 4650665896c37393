// SPDX-License-Identifier: Apache-2.0
#include "noc/allocation/arbiters.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "noc/round_robin.hpp"
#include "sim/base/error.hpp"

namespace loom::noc {

ArbiterKind find_arbiter(std::string_view name) {
    if (name == "round_robin") return ArbiterKind::RoundRobin;
    if (name == "matrix") return ArbiterKind::Matrix;
    if (name == "age") return ArbiterKind::Age;
    throw ConfigError(fmt::format("noc.router.arbiter: unknown `{}`; known: round_robin, matrix, age", name));
}

ArbiterBank::ArbiterBank(ArbiterKind kind, unsigned resources, unsigned askers)
    : kind_(kind), askers_(askers), pointer_(resources, 0) {
    if (kind == ArbiterKind::Matrix) served_.assign(std::size_t{resources} * askers, 0);
}

bool ArbiterBank::beats(unsigned resource, const Asking& a, const Asking& b) const {
    if (a.low != b.low) return !a.low;
    switch (kind_) {
        case ArbiterKind::Matrix: {
            // the matrix of a least-recently-served arbiter is the order of the last grants
            const std::uint32_t ta = served_[std::size_t{resource} * askers_ + a.who];
            const std::uint32_t tb = served_[std::size_t{resource} * askers_ + b.who];
            return ta != tb ? ta < tb : a.who < b.who;
        }
        case ArbiterKind::Age:
            if (a.age != b.age) return a.age > b.age;
            break;
        case ArbiterKind::RoundRobin:
            break;
    }
    return rr_distance(a.who, pointer_[resource], askers_) < rr_distance(b.who, pointer_[resource], askers_);
}

std::size_t ArbiterBank::pick(unsigned resource, std::span<const Asking> asking) const {
    std::size_t best = 0;
    for (std::size_t i = 1; i < asking.size(); ++i) {
        if (beats(resource, asking[i], asking[best])) best = i;
    }
    return best;
}

void ArbiterBank::served(unsigned resource, unsigned who) {
    pointer_[resource] = static_cast<std::uint16_t>(rr_next(who, askers_));
    if (kind_ == ArbiterKind::Matrix) served_[std::size_t{resource} * askers_ + who] = ++clock_;
}

void ArbiterBank::reset() {
    std::fill(pointer_.begin(), pointer_.end(), std::uint16_t{0});
    std::fill(served_.begin(), served_.end(), 0u);
    clock_ = 0;
}

}  // namespace loom::noc
