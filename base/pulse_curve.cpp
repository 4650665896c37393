// SPDX-License-Identifier: Apache-2.0
#include "base/pulse_curve.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/portable_math.hpp"

namespace loom {
namespace {

/// A / Pmax of a label above 0: MLP+NeuroSim V3.0's table evaluated at eight labels, linear in the
/// logarithms.
double curve_constant(double label) {
    constexpr std::array<std::pair<double, double>, 8> table{{{0.5, 2.5199},
                                                              {1, 1.2517},
                                                              {1.46, 0.8487},
                                                              {1.75, 0.7021},
                                                              {2.4, 0.4992},
                                                              {3, 0.3868},
                                                              {4.88, 0.2003},
                                                              {6, 0.1356}}};
    if (label <= table.front().first) return table.front().second * table.front().first / label;
    for (std::size_t i = 1; i < table.size(); ++i) {
        const auto [x0, y0] = table[i - 1];
        const auto [x1, y1] = table[i];
        if (label > x1) continue;
        const double t = portable_log(label / x0) / portable_log(x1 / x0);
        return y0 * portable_pow(y1 / y0, t);
    }
    return table.back().second;
}

}  // namespace

PulseCurve::PulseCurve(double label, double p_max, double g_min, double g_max)
    : g_min_(g_min), range_(g_max - g_min), p_max_(p_max) {
    if (std::abs(label) < 1e-6) return;
    a_ = std::copysign(curve_constant(std::abs(label)) * p_max_, label);
    b_ = range_ / (1.0 - portable_exp(-p_max_ / a_));
}

double PulseCurve::conductance(double pulses) const {
    const double p = std::clamp(pulses, 0.0, p_max_);
    return g_min_ + (a_ == 0 ? range_ * p / p_max_ : b_ * (1.0 - portable_exp(-p / a_)));
}

double PulseCurve::pulses(double conductance) const {
    const double x = std::clamp(conductance - g_min_, 0.0, range_);
    if (a_ == 0) return p_max_ * x / range_;
    return std::clamp(-a_ * portable_log(std::max(1e-300, 1.0 - x / b_)), 0.0, p_max_);
}

PulseDevice::PulseDevice(double label_up, double label_down, double p_max, double sigma_c2c, double g_min,
                         double g_max)
    : up_(label_up, p_max, g_min, g_max),
      down_(label_down, p_max, g_min, g_max),
      sigma_c2c_(sigma_c2c),
      g_min_(g_min),
      g_max_(g_max) {}

double PulseDevice::after(double conductance, bool up, double count, double normal) const {
    const PulseCurve& c = curve(up);
    double g = c.conductance(c.pulses(conductance) + (up ? count : -count));
    if (noisy()) g += sigma_c2c_ * std::sqrt(count) * (g_max_ - g_min_) * normal;
    return std::clamp(g, g_min_, g_max_);
}

}  // namespace loom
