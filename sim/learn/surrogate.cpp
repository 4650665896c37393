// SPDX-License-Identifier: Apache-2.0
#include "sim/learn/surrogate.hpp"

#include <fmt/format.h>

#include <cmath>

#include "sim/base/error.hpp"
#include "sim/base/nearest.hpp"
#include "sim/base/portable_math.hpp"

namespace loom::learn {
namespace {

/// A derivative given by a function of x and one parameter.
template <class F>
class Formula final : public Surrogate {
  public:
    Formula(F f, bool windowed, SurrogateCost cost) : f_(f), windowed_(windowed), cost_(cost) {}
    void derivative(std::span<const float> x, std::span<float> h) const override {
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

// Hardware cost: reference training.md section 4.
std::unique_ptr<Surrogate> sigmoid(double a) {
    return formula(
        [a](double x) {
            const double q = 1 / (1 + portable_exp(-a * x));
            return a * q * (1 - q);
        },
        false, {.lut = 1});
}
std::unique_ptr<Surrogate> tanh_derivative(double k) {
    return formula([k](double x) { return k / 2 * sech2(k * x); }, false, {.lut = 1});
}
std::unique_ptr<Surrogate> atan_derivative(double a) {
    constexpr double half_pi = 1.57079632679489661923;
    return formula(
        [a](double x) {
            const double y = half_pi * a * x;
            return a / 2 / (1 + y * y);
        },
        false, {.lut = 1});
}
std::unique_ptr<Surrogate> fast_sigmoid(double k) {
    return formula(
        [k](double x) {
            const double y = 1 + k * std::abs(x);
            return 1 / (y * y);
        },
        false, {.lut = 1});
}
std::unique_ptr<Surrogate> rect(double a) {
    return formula([a](double x) { return std::abs(x) < a ? 1 / (2 * a) : 0.0; }, true, {.compare = 2});
}
std::unique_ptr<Surrogate> triangle(double a) {
    return formula([a](double x) { return std::max(0.0, 1 - std::abs(x) / a) / a; }, true,
                   {.compare = 1, .add = 1, .shift = 1});
}
std::unique_ptr<Surrogate> dspike(double b) {
    const double scale = b / (2 * std::tanh(b / 2));
    return formula([b, scale](double x) { return std::abs(x) <= 0.5 ? scale * sech2(b * x) : 0.0; }, true,
                   {.lut = 1, .compare = 2});
}

struct Entry {
    std::string_view kind;
    bool takes_width;  ///< width instead of alpha
    double fallback;
    std::unique_ptr<Surrogate> (*make)(double);
};
constexpr Entry kCatalogue[] = {
    {"sigmoid", false, 4, sigmoid},      {"tanh", false, 2, tanh_derivative},
    {"atan", false, 2, atan_derivative}, {"fast_sigmoid", false, 25, fast_sigmoid},
    {"rect", true, 0.5, rect},           {"triangle", true, 1, triangle},
    {"dspike", false, 3, dspike},
};

}  // namespace

std::vector<std::string> surrogate_kinds() {
    std::vector<std::string> kinds;
    for (const Entry& e : kCatalogue) kinds.emplace_back(e.kind);
    return kinds;
}

std::unique_ptr<Surrogate> make_surrogate(const SurrogateSpec& spec) {
    for (const Entry& e : kCatalogue) {
        if (e.kind != spec.kind) continue;
        if (e.takes_width && spec.alpha)
            throw ConfigError(fmt::format("train.surrogate.alpha: {} has a width, not an alpha", e.kind));
        if (!e.takes_width && spec.width)
            throw ConfigError(fmt::format("train.surrogate.width: {} has an alpha, not a width", e.kind));
        return e.make((e.takes_width ? spec.width : spec.alpha).value_or(e.fallback));
    }
    throw ConfigError("train.surrogate.kind: " + unknown_name(spec.kind, surrogate_kinds()));
}

}  // namespace loom::learn
