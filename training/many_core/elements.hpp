// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/many_core/cores_at_work.hpp"

namespace loom::training {

/// Element-wise layers (pooling, sums, norms) on the cores of the population that they feed. A layer's
/// operations are shared over its blocks, timesteps and samples by neurons, in integers that add up to them.
class Elements {
  public:
    /// What of a norm's work is done: sums of its statistics as values come; the rest once they are known.
    enum class Part : std::uint8_t { Sums, Apply };

    explicit Elements(const CoresAtWork& at) : at_(at) {}
    /// Work of a population's layers on a pair at a block, after cycle `ready` of the step.
    void work(std::uint32_t block, const Pair& pair, Part part, Cycles ready = 0);
    /// A step after the sums of `pair`: if it was the last one of a window, statistics are made of them.
    /// `travelled`: they came from several cores.
    void statistics(const Round& round, std::uint32_t population, const Pair& pair, bool travelled);

  private:
    void count_norm_traffic(PhaseRecord& r, const Block& block, Part part);
    void count_pool_traffic(PhaseRecord& r, const PlacedElement& placed, std::uint64_t first, std::uint64_t n,
                            std::uint64_t parts);
    bool ends_window(const Round& round, std::size_t window, const Pair& pair) const;
    void statistics_of(const PlacedElement& placed, std::size_t kernel, std::size_t t, bool send_sums);
    void finish_statistics(const PlacedElement& placed, const Block& owner, std::size_t t);

    CoresAtWork at_;
};

}  // namespace loom::training
