// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fields.hpp"

namespace loom::learn {

/// The `surrogate:` section.
struct SurrogateSpec {
    std::string kind = "sigmoid";
    std::optional<double> alpha = std::nullopt, width = std::nullopt;
    std::optional<double> alpha_end = std::nullopt, outside = std::nullopt;
};
template <class V>
void fields(V& v, SurrogateSpec& s) {
    v("kind", s.kind, {.doc = "surrogate derivative of the firing function; docs/how-to/train.md lists them"});
    v("alpha", s.alpha,
      {.doc = "steepness; kinds without a window, dspike and piecewise_quadratic", .min = 1e-6});
    v("width", s.width,
      {.doc = "half width of the window; multi_level: its end; lsg: where it starts", .min = 1e-6});
    v("alpha_end", s.alpha_end, {.doc = "evolving_tanh: steepness at the end of the training", .min = 1e-6});
    v("outside", s.outside, {.doc = "leaky_rect: derivative outside the window", .min = 0});
}

/// What one evaluation costs in hardware, per neuron and timestep.
struct SurrogateCost {
    unsigned lut = 0, compare = 0, multiply = 0, add = 0, shift = 0, divide = 0;
};

/// h(x), x = membrane - threshold: stands for the derivative of the step function.
class Surrogate {
  public:
    virtual ~Surrogate() = default;
    /// progress: share of the training done, 0 to 1.
    virtual void derivative(std::span<const float> x, std::span<float> h, double progress) const = 0;
    void derivative(std::span<const float> x, std::span<float> h) const { derivative(x, h, 0); }
    /// Exactly zero outside a window: errors become sparse.
    virtual bool windowed() const = 0;
    virtual SurrogateCost cost() const = 0;
};

/// Throws ConfigError "train.surrogate.kind: ..." for unknown kinds and fields that the kind does not have.
/// lsg and dsr are not functions of x alone: make_neurons() (neurons/make_neurons.hpp) builds them.
std::unique_ptr<Surrogate> make_surrogate(const SurrogateSpec& spec);
std::vector<std::string> surrogate_kinds();

}  // namespace loom::learn
