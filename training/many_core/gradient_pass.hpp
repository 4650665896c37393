// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/many_core/cores_at_work.hpp"

namespace loom::training {

/// Weight gradients of a round: every core multiplies its stored inputs with its errors, in one step of the
/// chip and without packets.
class GradientPass {
  public:
    explicit GradientPass(const CoresAtWork& at) : at_(at) {}
    void run(const Round& round);

  private:
    Cycles gradient_of(const Block& block, const Feed& feed, const Pair& pair);

    CoresAtWork at_;
    std::vector<std::uint64_t> nonzero_;  ///< [output position] of one call
};

}  // namespace loom::training
