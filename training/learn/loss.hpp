// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "training/learn/signal.hpp"

#include "base/fields.hpp"
#include "training/learn/layer.hpp"
#include "training/learn/neurons/lif.hpp"

namespace loom::learn {

/// The `loss:` section. A name alone means {kind: name}. Keys that a kind does not have are refused.
struct LossSpec {
    std::string kind = "mse_rate";
    std::optional<std::string> main = std::nullopt;
    std::optional<double> weight = std::nullopt, lambda = std::nullopt, phi = std::nullopt;
};
template <class V>
void fields(V& v, LossSpec& s) {
    v("kind", s.kind,
      {.doc = "mse_rate, ce_rate, mse_membrane, ce_membrane, tet, or on hidden membranes im, rmp, mpd"});
    v("main", s.main,
      {.doc = "im, rmp, mpd: the loss on the output that they are added to (ce_rate when not set)"});
    v("weight", s.weight, {.doc = "im, rmp, mpd: factor of the loss on membranes (0.1)", .min = 0});
    v("lambda", s.lambda,
      {.doc = "tet, also as main: share of the squared distance from phi (0)", .min = 0, .max = 1});
    v("phi", s.phi, {.doc = "tet: value that outputs are drawn to (1)"});
}

/// Loss on the network's output [timestep][sample][class].
class Loss {
  public:
    virtual ~Loss() = default;
    /// Mean loss of the minibatch; adds dL/d output to `grad` (same shape as `out`).
    virtual double evaluate(const Signal& out, std::span<const std::int64_t> labels, Signal& grad) const = 0;
    /// Loss on the membranes of populations that fire, times `factor`; sets their extra_gradient.
    virtual double on_membranes(std::span<NeuronLayer* const>, float /*factor*/) const { return 0; }
    /// Wants membranes, not spikes: the last neurons integrate and never fire (as_readout).
    virtual bool on_membrane() const { return false; }
};

/// Throws ConfigError "train.loss: ..." for unknown kinds.
std::unique_ptr<Loss> make_loss(const LossSpec& spec);
inline std::unique_ptr<Loss> make_loss(const std::string& kind) {
    return make_loss(LossSpec{.kind = kind});
}
std::vector<std::string> loss_kinds();

/// The last neurons for a loss: as they are, or integrating without firing where it wants membranes.
LifSpec as_readout(LifSpec neurons, const Loss& loss);

/// Mean over time, [sample][class].
std::vector<float> mean_over_time(const Signal& out);

}  // namespace loom::learn
