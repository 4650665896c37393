// SPDX-License-Identifier: Apache-2.0
#include "noc/allocation/arbiters.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/key_error.hpp"
#include "noc/names.hpp"
#include "noc/round_robin.hpp"

namespace loom::noc {

namespace {

struct ArbiterName {
    const char* name;
    ArbiterKind kind;
};
/// The catalogue: a line per arbiter.
constexpr std::array<ArbiterName, 3> kArbiters{
    {{"round_robin", ArbiterKind::RoundRobin}, {"matrix", ArbiterKind::Matrix}, {"age", ArbiterKind::Age}}};

}  // namespace

std::vector<std::string> arbiter_names() {
    return names_of(kArbiters);
}

ArbiterKind find_arbiter(std::string_view name) {
    for (const ArbiterName& a : kArbiters) {
        if (a.name == name) return a.kind;
    }
    throw KeyError("noc.router.arbiter",
                   fmt::format("unknown `{}`; known: {}", name, fmt::join(arbiter_names(), ", ")));
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
