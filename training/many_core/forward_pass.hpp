// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/many_core/elements.hpp"

namespace loom::training {

/// What the cores do forward. The input and every population work on a pair of their own in each step of the
/// chip; spikes leave as packets when their neurons are updated.
class ForwardPass {
  public:
    ForwardPass(const CoresAtWork& at, Elements& elements) : at_(at), elements_(elements) {}
    void run(const Round& round);

  private:
    void send_input(const Pair& pair);
    void sum_statistics(std::uint32_t block, const Pair& pair);
    void update_block(std::uint32_t block, const Pair& pair);
    void count_update(const Block& block);
    Cycles await_sums(const Block& block);
    void send_outputs(const Block& block, const Pair& pair);
    void send_to(const Block& block, std::uint32_t feed, const SourceMap& source, const Pair& pair,
                 const Pair& to);

    CoresAtWork at_;
    Elements& elements_;
    std::vector<CoreSums> sums_;
};

}  // namespace loom::training
