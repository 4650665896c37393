// SPDX-License-Identifier: Apache-2.0
#include "training/learn/norms/norm.hpp"

#include <cmath>

namespace loom::learn {
namespace {

/// f(row, channel of its first element is 0): every (timestep, sample) of a window.
template <class S, class F>
void each_row(S& s, std::size_t first, std::size_t steps, F f) {
    for (std::size_t t = first; t < first + steps; ++t)
        for (std::size_t b = 0; b < s.batch(); ++b) f(t, b, s.at(t, b));
}

}  // namespace

Norm::Norm(const Shape& shape, const NormSpec& spec, float scale)
    : spec_(spec),
      scale_(scale),
      running_mean_(shape.channels, 0.0F),
      running_variance_(shape.channels, 1.0F) {
    in = out = shape;
    if (!spec.affine) return;
    const std::size_t n = shape.channels;
    parameters_.push_back({"gamma", std::vector<float>(n, 1.0F), std::vector<float>(n)});
    parameters_.push_back({"beta", std::vector<float>(n), std::vector<float>(n)});
}

/// Sums in double: the statistics do not depend on the size of the minibatch's rounding errors.
Norm::Moments Norm::measure(const Signal& x, std::size_t first, std::size_t steps) {
    const std::size_t channels = in.channels;
    std::vector<double> mean(channels), square(channels);
    each_row(x, first, steps, [&](std::size_t, std::size_t, std::span<const float> row) {
        for (std::size_t i = 0; i < row.size(); ++i) mean[i % channels] += static_cast<double>(row[i]);
    });
    const auto n = static_cast<double>(steps * x.batch() * (x.count() / channels));
    for (double& m : mean) m /= n;
    each_row(x, first, steps, [&](std::size_t, std::size_t, std::span<const float> row) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            const double off = static_cast<double>(row[i]) - mean[i % channels];
            square[i % channels] += off * off;
        }
    });
    Moments m{std::vector<float>(channels), std::vector<float>(channels)};
    for (std::size_t c = 0; c < channels; ++c) {
        const double unbiased = n > 1 ? square[c] / (n - 1) : square[c];
        m.mean[c] = static_cast<float>(mean[c]);
        m.inverse[c] = static_cast<float>(1 / std::sqrt(square[c] / n + static_cast<double>(spec_.epsilon)));
        running_mean_[c] += spec_.momentum * (m.mean[c] - running_mean_[c]);
        running_variance_[c] += spec_.momentum * (static_cast<float>(unbiased) - running_variance_[c]);
    }
    return m;
}

Norm::Moments Norm::running() const {
    Moments m{running_mean_, std::vector<float>(running_variance_.size())};
    for (std::size_t c = 0; c < m.inverse.size(); ++c)
        m.inverse[c] = 1 / std::sqrt(running_variance_[c] + spec_.epsilon);
    return m;
}

void Norm::apply(const Moments& m, const Signal& x, Signal& y, std::size_t first, std::size_t steps) const {
    const std::size_t channels = in.channels;
    std::vector<float> slope(channels), offset(channels, 0.0F);
    for (std::size_t c = 0; c < channels; ++c) slope[c] = gamma(c) * m.inverse[c];
    if (spec_.affine) offset = parameters_[1].used();
    each_row(x, first, steps, [&](std::size_t t, std::size_t b, std::span<const float> row) {
        const auto to = y.at(t, b);
        for (std::size_t i = 0, c = 0; i < row.size(); ++i, c = c + 1 == channels ? 0 : c + 1)
            to[i] = slope[c] * (row[i] - m.mean[c]) + offset[c];
    });
}

void Norm::forward(const Pass& pass, const Signal& x, Signal& y) {
    if (!pass.training) return apply(running(), x, y, 0, pass.steps);
    const std::size_t steps = window(pass);
    moments_.clear();
    for (std::size_t first = 0; first < pass.steps; first += steps) {
        moments_.push_back(measure(x, first, steps));
        apply(moments_.back(), x, y, first, steps);
    }
}

/// With z = (x - mean) inverse, over the N elements of a channel: dx = gamma inverse (g - sum g / N - z sum g
/// z / N).
void Norm::errors_back(const Moments& m, const Signal& x, const Signal& grad_out, std::size_t first,
                       std::size_t steps, Signal* grad_in) {
    const std::size_t channels = in.channels;
    std::vector<double> sum(channels), product(channels);
    const auto z = [&](float v, std::size_t c) { return (v - m.mean[c]) * m.inverse[c]; };
    each_row(x, first, steps, [&](std::size_t t, std::size_t b, std::span<const float> row) {
        const auto g = grad_out.at(t, b);
        for (std::size_t i = 0, c = 0; i < row.size(); ++i, c = c + 1 == channels ? 0 : c + 1) {
            sum[c] += static_cast<double>(g[i]);
            product[c] += static_cast<double>(g[i]) * static_cast<double>(z(row[i], c));
        }
    });
    if (spec_.affine)
        for (std::size_t c = 0; c < channels; ++c) {
            parameters_[0].grad[c] += static_cast<float>(product[c]) * scale_;
            parameters_[1].grad[c] += static_cast<float>(sum[c]);
        }
    if (grad_in == nullptr) return;
    const auto n = static_cast<double>(steps * x.batch() * (x.count() / channels));
    std::vector<float> mean_g(channels), mean_gz(channels), slope(channels);
    for (std::size_t c = 0; c < channels; ++c) {
        mean_g[c] = static_cast<float>(sum[c] / n);
        mean_gz[c] = static_cast<float>(product[c] / n);
        slope[c] = gamma(c) * m.inverse[c];
    }
    each_row(x, first, steps, [&](std::size_t t, std::size_t b, std::span<const float> row) {
        const auto g = grad_out.at(t, b);
        const auto to = grad_in->at(t, b);
        for (std::size_t i = 0, c = 0; i < row.size(); ++i, c = c + 1 == channels ? 0 : c + 1)
            to[i] += slope[c] * (g[i] - mean_g[c] - z(row[i], c) * mean_gz[c]);
    });
}

void Norm::backward(const Pass& pass, const Signal& x, const Signal&, const Signal& grad_out,
                    Signal* grad_in) {
    const std::size_t steps = window(pass);
    for (std::size_t k = 0; k < moments_.size(); ++k)
        errors_back(moments_[k], x, grad_out, k * steps, steps, grad_in);
}

/// Operations of the whole pass for n elements and s statistics (channels x windows). Forward: mean (n add),
/// variance (n subtract, square, add), y (n subtract, multiply by the slope, add); a statistic costs 3
/// divisions, a root, eps, slope, bias correction and two running averages. Backward: sum of g (n add) and of
/// g z (z: n subtract, n multiply; n multiply, add), dx (z again, z mean: n multiply, 2 n subtract, slope: n
/// multiply); a statistic costs 2 divisions and the slope.
void Norm::describe(const Pass& pass, arch::ElementWork& work) const {
    const std::uint64_t n = pass.steps * pass.batch * out.count();
    const std::uint64_t statistics = pass.steps / window(pass) * in.channels;
    work.outputs = out.count();
    work.statistics_steps = window(pass);
    work.forward_sums = {3 * n, n, 0, 0};
    work.forward_statistics = {5 * statistics, 4 * statistics, 3 * statistics, statistics};
    work.forward.add = 5 * n + 5 * statistics;
    work.forward.multiply = 2 * n + 4 * statistics;
    work.forward.divide = 3 * statistics;
    work.forward.sqrt = statistics;
    work.backward_sums = {3 * n, 2 * n, 0, 0};
    work.backward_statistics = {0, statistics, 2 * statistics, 0};
    work.backward.add = 6 * n;
    work.backward.multiply = 5 * n + statistics;
    work.backward.divide = 2 * statistics;
}

}  // namespace loom::learn
