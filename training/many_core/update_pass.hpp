// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "training/many_core/exchange.hpp"

namespace loom::training {

/// The optimiser's step: gradients are gathered where weights are updated, every owner updates its own, and
/// new values are spread.
class UpdatePass {
  public:
    explicit UpdatePass(const CoresAtWork& at) : at_(at), exchange_(at) {}
    void run();

  private:
    void update_kernels();
    void update_parameters();
    void update(std::uint32_t core, std::uint32_t item, std::uint64_t values);

    CoresAtWork at_;
    Exchange exchange_;
};

}  // namespace loom::training
