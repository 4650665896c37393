// SPDX-License-Identifier: Apache-2.0
#include "chordal_ring.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace {

using namespace loom;

/// Steps from a to b when a step goes to a neighbour of the ring or along a chord.
std::uint64_t distance(std::uint64_t n, std::uint64_t k, std::uint64_t a, std::uint64_t b) {
    const std::uint64_t ahead = (b + n - a) % n;
    std::uint64_t best = n;
    for (std::uint64_t chords = 0; chords * k <= 2 * n; ++chords) {
        for (const std::uint64_t along : {chords * k % n, (n - chords * k % n) % n}) {
            const std::uint64_t rest = (ahead + n - along) % n;
            best = std::min(best, chords + std::min(rest, n - rest));
        }
    }
    return best;
}

/// Ports: 0 to the next router, 1 to the one before, 2 along the chord, 3 against it.
noc::Topology build(const noc::LinkRules& rules) {
    const auto size = noc::sizes(rules, "chordal_ring", 2, "its routers and the length of a chord", 1 << 16);
    const std::uint32_t n = size[0], k = size[1];
    if (k < 2 || 2 * k >= n)
        throw ConfigError("noc.size: a chord is longer than 1 and shorter than half the ring");
    noc::Topology t(n, 4);
    for (std::uint32_t r = 0; r < n; ++r) {
        rules.connect(t, r, 0, (r + 1) % n, 1, noc::kLinkX);
        rules.connect(t, r, 2, (r + k) % n, 3, noc::kLinkOther);
    }
    return t;
}

/// What the compiler asks before anything is built.
arch::NocShape shape(const arch::NocSpec& spec) {
    if (spec.size.size() != 2 || spec.size[0] == 0 || spec.size[1] == 0) return arch::line_shape(spec, 1);
    arch::NocShape s = arch::line_shape(spec, spec.size[0]);
    s.distance = [n = spec.size[0], k = spec.size[1]](std::uint64_t a, std::uint64_t b) {
        return distance(n, k, a, b);
    };
    return s;
}

}  // namespace

loom::noc::TopologyKind chordal_ring() {
    return {.name = "chordal_ring", .build = build, .shape = shape};
}
