// SPDX-License-Identifier: Apache-2.0
#include "training/learn/neurons/rate_lif.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace loom::learn {
namespace {

/// Costs: two comparisons of the mean input.
struct ClippedLine final : Surrogate {
    void derivative(std::span<const float>, std::span<float> h, double) const override {
        std::ranges::fill(h, 0.0F);
    }
    bool windowed() const override { return true; }
    SurrogateCost cost() const override { return {.compare = 2}; }
};

}  // namespace

RateLif::RateLif(const Shape& shape, LifSpec spec)
    : Lif(shape, std::move(spec), std::make_shared<ClippedLine>()) {
    const bool integrates = std::ranges::all_of(leaks(), [](float l) { return l == 1; });
    if (!integrates || this->spec().reset == Reset::Value || !fires())
        throw ConfigError("train.surrogate.kind: dsr needs integrate-and-fire neurons with a soft reset");
}

void RateLif::forward(const Pass& pass, const Signal& in_signal, Signal& out_signal) {
    Lif::forward(pass, in_signal, out_signal);
    const std::size_t n = out.count();
    slope_.assign(pass.batch * n, 0.0F);
    for (std::size_t b = 0; b < pass.batch; ++b)
        for (std::size_t i = 0; i < n; ++i) {
            float sum = 0;
            for (std::size_t t = 0; t < pass.steps; ++t)
                sum += spec().gain[i] * in_signal.at(t, b)[i] + spec().drift[i];
            const float mean = sum / static_cast<float>(pass.steps), threshold = thresholds()[i];
            if (mean > 0 && mean < threshold) slope_[b * n + i] = 1 / threshold;
        }
}

void RateLif::derivative(std::size_t, std::size_t b, std::span<float> h) const {
    std::copy_n(slope_.begin() + static_cast<std::ptrdiff_t>(b * h.size()), h.size(), h.begin());
}

void RateLif::backward(const Pass& pass, const Signal&, const Signal&, const Signal& grad_out,
                       Signal* grad_in) {
    const std::size_t n = out.count();
    g_.resize(pass.steps, pass.batch, n);
    for (std::size_t b = 0; b < pass.batch; ++b)
        for (std::size_t i = 0; i < n; ++i) {
            float sum = 0;
            for (std::size_t t = 0; t < pass.steps; ++t) sum += grad_out.at(t, b)[i];
            const float g = sum / static_cast<float>(pass.steps) * slope_[b * n + i];
            for (std::size_t t = 0; t < pass.steps; ++t) {
                g_.at(t, b)[i] = g;
                if (grad_in != nullptr) grad_in->at(t, b)[i] += spec().gain[i] * g;
            }
        }
}

}  // namespace loom::learn
