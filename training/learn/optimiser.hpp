// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.hpp"
#include "training/learn/layer.hpp"

namespace loom::learn {

/// The `optimizer:` section. Keys that are not set have the defaults of their kind; keys that a kind does not
/// have are refused.
struct OptimiserSpec {
    std::string kind = "sgd";
    double lr = 0.1, weight_decay = 0;
    std::optional<double> momentum = std::nullopt, beta1 = std::nullopt, beta2 = std::nullopt,
                          eps = std::nullopt;
};
template <class V>
void fields(V& v, OptimiserSpec& s) {
    v("kind", s.kind, {.doc = "sgd, momentum, adam or adamw"});
    v("lr", s.lr, {.doc = "learning rate", .min = 0});
    v("momentum", s.momentum,
      {.doc = "of kind momentum (0.9 when not set); kind sgd with a momentum is the same",
       .min = 0,
       .max = 1});
    v("beta1", s.beta1, {.doc = "adam, adamw: decay of the first moment (0.9), below 1", .min = 0, .max = 1});
    v("beta2", s.beta2,
      {.doc = "adam, adamw: decay of the second moment (0.999), below 1", .min = 0, .max = 1});
    v("eps", s.eps, {.doc = "adam, adamw: added to the denominator (1e-8)", .min = 0});
    v("weight_decay", s.weight_decay,
      {.doc = "of all trained values; adamw: decoupled; others: added to the gradient", .min = 0});
}

/// Arithmetic and state words per weight and update.
struct OptimiserCost {
    unsigned multiply = 0, add = 0, sqrt = 0, divide = 0;
    unsigned state_words = 0;  ///< read and written once per update
};

class Optimiser {
  public:
    virtual ~Optimiser() = default;
    /// Applies p.grad to p.value; `iteration` counts from 1. State is kept by `key` (0, 1, ... in a fixed
    /// order).
    virtual void update(Parameter& p, std::size_t key, std::uint64_t iteration) = 0;
    virtual OptimiserCost cost() const = 0;
    /// State of `key` for checkpoints, made (zero) when it does not exist; `size` elements each.
    virtual std::vector<std::vector<float>*> state(std::size_t key, std::size_t size) = 0;
};

/// Throws ConfigError "train.optimizer.kind: ...".
std::unique_ptr<Optimiser> make_optimiser(const OptimiserSpec& spec);

}  // namespace loom::learn
