// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>

namespace loom {

/// Philox4x32-10 (Salmon et al., SC 2011): a pure function of counter and key.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

/// One random word per (seed, stream, entity, step, k): independent of evaluation order, threads
/// and mapping. Cost: one Philox block per draw.
class CounterRng {
  public:
    CounterRng(std::uint64_t seed, std::uint32_t stream) : seed_(seed), stream_(stream) {}

    /// The words of k4 * 4 ... k4 * 4 + 3 at once.
    std::array<std::uint32_t, 4> block(std::uint64_t entity, std::uint32_t step, std::uint32_t k4 = 0) const;
    /// Uniform over all 32-bit words.
    std::uint32_t word(std::uint64_t entity, std::uint32_t step, std::uint32_t k = 0) const;
    /// Uniform in [0, 1), a multiple of 2^-32.
    double uniform(std::uint64_t entity, std::uint32_t step, std::uint32_t k = 0) const;
    /// Standard normal deviate.
    double normal(std::uint64_t entity, std::uint32_t step, std::uint32_t k = 0) const;
    /// True with probability p (resolution 2^-32).
    bool bernoulli(double p, std::uint64_t entity, std::uint32_t step) const;

  private:
    std::uint64_t seed_;
    std::uint32_t stream_;
};

}  // namespace loom
