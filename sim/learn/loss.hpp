// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/learn/signal.hpp"

namespace loom::learn {

/// Loss on the network's output [timestep][sample][class].
class Loss {
  public:
    virtual ~Loss() = default;
    /// Mean loss of the minibatch; adds dL/d output to `grad` (same shape as `out`).
    virtual double evaluate(const Signal& out, std::span<const std::int64_t> labels, Signal& grad) const = 0;
    /// Wants membranes, not spikes: the last neurons integrate and never fire.
    virtual bool on_membrane() const { return false; }
};

/// Throws ConfigError "train.loss: ..." for an unknown kind.
std::unique_ptr<Loss> make_loss(const std::string& kind);
std::vector<std::string> loss_kinds();

/// Mean over time, [sample][class].
std::vector<float> mean_over_time(const Signal& out);

}  // namespace loom::learn
