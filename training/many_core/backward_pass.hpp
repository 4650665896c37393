// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/many_core/elements.hpp"

namespace loom::training {

/// What the cores do while errors go back, the last pair first: dL/du of their neurons, products with their
/// weights, and packets with partial errors to the cores that have the sources.
class BackwardPass {
  public:
    BackwardPass(const CoresAtWork& at, Elements& elements) : at_(at), elements_(elements) {}
    void run(const Round& round);

  private:
    void recursion(std::uint32_t block, const Pair& pair);
    void errors_out(std::uint32_t block, const Pair& pair, bool behind_norm);
    void count_recursion(const Block& block, std::size_t t);
    std::uint64_t ones(const Block& block, const arch::BitSignal& signal, std::size_t t) const;
    void find_reached(const Block& block, const arch::LinearWork& linear, const Pair& pair);
    void send_errors(const Block& block, std::uint32_t feed, const Pair& pair);

    CoresAtWork at_;
    Elements& elements_;
    std::vector<std::uint8_t> reached_;  ///< [input position * groups + group] of one call
};

}  // namespace loom::training
