// SPDX-License-Identifier: Apache-2.0
#include "training/learn/surrogate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/nearest.hpp"
#include "base/portable_math.hpp"

namespace loom::learn {
namespace {

constexpr double kPi = 3.14159265358979323846;

/// A derivative given by a function of x.
template <class F>
class Formula final : public Surrogate {
  public:
    Formula(F f, bool windowed, SurrogateCost cost) : f_(f), windowed_(windowed), cost_(cost) {}
    void derivative(std::span<const float> x, std::span<float> h, double) const override {
        for (std::size_t i = 0; i < x.size(); ++i) h[i] = static_cast<float>(f_(static_cast<double>(x[i])));
    }
    bool windowed() const override { return windowed_; }
    SurrogateCost cost() const override { return cost_; }

  private:
    F f_;
    bool windowed_;
    SurrogateCost cost_;
};
template <class F>
std::unique_ptr<Surrogate> formula(F f, bool windowed, SurrogateCost cost) {
    return std::make_unique<Formula<F>>(f, windowed, cost);
}

double sech2(double x) {
    const double e = portable_exp(-2 * std::abs(x));
    return 4 * e / ((1 + e) * (1 + e));
}
double tanh_of(double x) {
    const double e = portable_exp(-2 * std::abs(x));
    return (x < 0 ? -1 : 1) * (1 - e) / (1 + e);
}

/// The sigmoid's derivative, exponentials of a row at a time (same bits as one by one). The sigmoid q is
/// rounded to float32 before a q (1 - q), as where frameworks keep it as a float32 activation.
class Sigmoid final : public Surrogate {
  public:
    explicit Sigmoid(double a) : a_(static_cast<float>(a)) {}
    void derivative(std::span<const float> x, std::span<float> h, double) const override {
        double e[kBlock];
        for (std::size_t first = 0; first < x.size(); first += kBlock) {
            const std::size_t n = std::min(kBlock, x.size() - first);
            for (std::size_t i = 0; i < n; ++i)
                e[i] = -static_cast<double>(a_) * static_cast<double>(x[first + i]);
            portable_exp(std::span(e, n));
            for (std::size_t i = 0; i < n; ++i) {
                const auto q = static_cast<float>(1 / (1 + e[i]));
                h[first + i] = a_ * q * (1 - q);
            }
        }
    }
    bool windowed() const override { return false; }
    SurrogateCost cost() const override { return {.lut = 1}; }

  private:
    static constexpr std::size_t kBlock = 64;
    float a_;
};

/// IM-Loss's tanh whose steepness grows with the training: K/2 (1 - tanh^2 K x), K from `first` to `last` in
/// even ratios. Formula and range from memory, not checked against the paper.
class EvolvingTanh final : public Surrogate {
  public:
    EvolvingTanh(double first, double last) : first_(first), last_(last) {}
    void derivative(std::span<const float> x, std::span<float> h, double progress) const override {
        const double k = first_ * portable_pow(last_ / first_, std::clamp(progress, 0.0, 1.0));
        for (std::size_t i = 0; i < x.size(); ++i)
            h[i] = static_cast<float>(k / 2 * sech2(k * static_cast<double>(x[i])));
    }
    bool windowed() const override { return false; }
    SurrogateCost cost() const override { return {.lut = 1, .multiply = 1}; }

  private:
    double first_, last_;
};

using Made = std::unique_ptr<Surrogate>;

// Hardware cost: reference training.md section 4. `p`: alpha or width of the spec.
Made sigmoid(double p, const SurrogateSpec&) {
    return std::make_unique<Sigmoid>(p);
}
Made tanh_derivative(double k, const SurrogateSpec&) {
    return formula([k](double x) { return k / 2 * sech2(k * x); }, false, {.lut = 1});
}
Made atan_derivative(double a, const SurrogateSpec&) {
    const double slope = kPi / 2 * a;
    return formula([a, slope](double x) { return a / 2 / (1 + slope * x * (slope * x)); }, false, {.lut = 1});
}
Made fast_sigmoid(double k, const SurrogateSpec&) {
    return formula(
        [k](double x) {
            const double y = 1 + k * std::abs(x);
            return 1 / (y * y);
        },
        false, {.lut = 1});
}
Made soft_sign(double a, const SurrogateSpec&) {
    return formula(
        [a](double x) {
            const double y = 1 + a * std::abs(x);
            return a / 2 / (y * y);
        },
        false, {.lut = 1});
}
Made piecewise_exponential(double a, const SurrogateSpec&) {
    return formula([a](double x) { return a / 2 * portable_exp(-a * std::abs(x)); }, false, {.lut = 1});
}
Made erf_derivative(double a, const SurrogateSpec&) {
    const double scale = a / std::sqrt(kPi);
    return formula([a, scale](double x) { return scale * portable_exp(-(a * x) * (a * x)); }, false,
                   {.lut = 1});
}
Made piecewise_quadratic(double a, const SurrogateSpec&) {
    return formula([a](double x) { return std::max(0.0, a - a * a * std::abs(x)); }, true,
                   {.compare = 1, .multiply = 1, .add = 1});
}
Made dspike(double b, const SurrogateSpec&) {
    const double scale = b / (2 * tanh_of(b / 2));
    return formula([b, scale](double x) { return std::abs(x) <= 0.5 ? scale * sech2(b * x) : 0.0; }, true,
                   {.lut = 1, .compare = 2});
}
Made evolving_tanh(double first, const SurrogateSpec& spec) {
    return std::make_unique<EvolvingTanh>(first, spec.alpha_end.value_or(10));
}
Made rect(double a, const SurrogateSpec&) {
    return formula([a](double x) { return std::abs(x) < a ? 1 / (2 * a) : 0.0; }, true, {.compare = 2});
}
Made triangle(double a, const SurrogateSpec&) {
    return formula([a](double x) { return std::max(0.0, 1 - std::abs(x) / a) / a; }, true,
                   {.compare = 1, .add = 1, .shift = 1});
}
Made leaky_rect(double a, const SurrogateSpec& spec) {
    const double outside = spec.outside.value_or(0.01);
    return formula([a, outside](double x) { return std::abs(x) < a ? 1 / (2 * a) : outside; }, outside == 0,
                   {.compare = 2});
}
Made log_tailed(double, const SurrogateSpec&) {
    return formula([](double x) { return x <= 0   ? 0.0
                                         : x <= 1 ? 1.0
                                                  : 1 / x; }, true,
                   {.lut = 1, .compare = 2});
}
/// Of a neuron that counts up to `end` spikes in a timestep.
Made multi_level(double end, const SurrogateSpec&) {
    return formula([end](double x) { return x >= 0 && x <= end ? 1.0 : 0.0; }, true, {.compare = 2});
}

enum class Takes { Nothing, Alpha, Width };
struct NamedSurrogate {
    std::string_view kind;
    Takes takes;
    double fallback;
    Made (*make)(double, const SurrogateSpec&);
};
constexpr NamedSurrogate kSurrogates[] = {
    {"sigmoid", Takes::Alpha, 4, sigmoid},
    {"tanh", Takes::Alpha, 2, tanh_derivative},
    {"atan", Takes::Alpha, 2, atan_derivative},
    {"fast_sigmoid", Takes::Alpha, 25, fast_sigmoid},
    {"soft_sign", Takes::Alpha, 2, soft_sign},
    {"piecewise_exponential", Takes::Alpha, 1, piecewise_exponential},
    {"piecewise_quadratic", Takes::Alpha, 1, piecewise_quadratic},
    {"erf", Takes::Alpha, 2, erf_derivative},
    {"dspike", Takes::Alpha, 3, dspike},
    {"evolving_tanh", Takes::Alpha, 1, evolving_tanh},
    {"rect", Takes::Width, 0.5, rect},
    {"triangle", Takes::Width, 1, triangle},
    {"leaky_rect", Takes::Width, 0.5, leaky_rect},
    {"log_tailed", Takes::Nothing, 0, log_tailed},
    {"multi_level", Takes::Width, 4, multi_level},
    {"lsg", Takes::Width, 0.5, rect},  // the window of the start; neurons/learned_window.hpp trains it
};

void check(const SurrogateSpec& spec, const NamedSurrogate& e) {
    const auto refuse = [&](bool given, std::string_view key) {
        if (given) throw ConfigError(fmt::format("train.surrogate.{}: {} has no {}", key, e.kind, key));
    };
    refuse(spec.alpha && e.takes != Takes::Alpha, "alpha");
    refuse(spec.width && e.takes != Takes::Width, "width");
    refuse(spec.alpha_end && e.kind != "evolving_tanh", "alpha_end");
    refuse(spec.outside && e.kind != "leaky_rect", "outside");
}

}  // namespace

std::vector<std::string> surrogate_kinds() {
    std::vector<std::string> kinds;
    for (const NamedSurrogate& e : kSurrogates) kinds.emplace_back(e.kind);
    kinds.emplace_back("dsr");
    return kinds;
}

std::unique_ptr<Surrogate> make_surrogate(const SurrogateSpec& spec) {
    for (const NamedSurrogate& e : kSurrogates) {
        if (e.kind != spec.kind) continue;
        check(spec, e);
        return e.make((e.takes == Takes::Width ? spec.width : spec.alpha).value_or(e.fallback), spec);
    }
    if (spec.kind == "dsr")
        throw ConfigError("train.surrogate.kind: dsr needs integrate-and-fire neurons with a soft reset");
    throw ConfigError("train.surrogate.kind: " + unknown_name(spec.kind, surrogate_kinds()));
}

}  // namespace loom::learn
