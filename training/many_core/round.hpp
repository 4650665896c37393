// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

namespace loom::training {

/// A timestep of a sample: what one population works on in one step of the chip.
struct Pair {
    std::size_t t = 0, sample = 0;
};

/// Timesteps [t0, t1) of samples [b0, b1) that go forward, then backward, then into gradients. Pairs are
/// numbered by timestep, samples inside.
struct Round {
    std::size_t t0 = 0, t1 = 0, b0 = 0, b1 = 0;
    std::size_t samples() const { return b1 - b0; }
    std::size_t pairs() const { return (t1 - t0) * samples(); }
    Pair pair_at(std::size_t i) const { return {t0 + i / samples(), b0 + i % samples()}; }
    std::size_t index_of(const Pair& p) const { return (p.t - t0) * samples() + p.sample - b0; }
};

}  // namespace loom::training
