// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/base/fields.hpp"

namespace loom::learn {

/// The `surrogate:` section.
struct SurrogateSpec {
    std::string kind = "sigmoid";
    std::optional<double> alpha, width;
};
template <class V>
void fields(V& v, SurrogateSpec& s) {
    v("kind", s.kind, {.doc = "surrogate derivative of the firing function; docs/training.md lists them"});
    v("alpha", s.alpha, {.doc = "steepness (sigmoid, tanh, atan, fast_sigmoid, dspike)", .min = 1e-6});
    v("width", s.width, {.doc = "half width of the window (rect, triangle)", .min = 1e-6});
}

/// What one evaluation costs in hardware, per neuron and timestep.
struct SurrogateCost {
    unsigned lut = 0, compare = 0, multiply = 0, add = 0, shift = 0, divide = 0;
};

/// h(x), x = membrane - threshold: stands for the derivative of the step function.
class Surrogate {
  public:
    virtual ~Surrogate() = default;
    virtual void derivative(std::span<const float> x, std::span<float> h) const = 0;
    /// Exactly zero outside a window: errors become sparse.
    virtual bool windowed() const = 0;
    virtual SurrogateCost cost() const = 0;
};

/// Throws ConfigError "train.surrogate.kind: ..." for unknown kinds and fields that the kind does not have.
std::unique_ptr<Surrogate> make_surrogate(const SurrogateSpec& spec);
std::vector<std::string> surrogate_kinds();

}  // namespace loom::learn
