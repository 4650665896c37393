// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "training/learn/neurons/make_neurons.hpp"
#include "tests/unit/training/learn/reference/tape.hpp"

namespace loom::learn::reference {

/// [timestep][sample][element], elements as Signal has them.
using Values = std::vector<std::vector<std::vector<Var>>>;
using Weights = std::vector<Var>;

struct Sizes {
    std::size_t steps = 0, batch = 0;
};
inline Values zeros(Sizes s, std::size_t n) {
    return Values(s.steps, std::vector<std::vector<Var>>(s.batch, std::vector<Var>(n)));
}
template <class F>
void each(Sizes s, F f) {
    for (std::size_t t = 0; t < s.steps; ++t)
        for (std::size_t b = 0; b < s.batch; ++b) f(t, b);
}

/// How a weight meets its input: plainly, or with a presynaptic trace for the weight's gradient (OTTT).
struct Synapse {
    Var input, trace;
    bool traced = false;
    Var times(Var w) const {
        if (!traced) return w * input;
        return detach(w) * input + (w * detach(trace) - detach(w) * detach(trace));
    }
};
/// a[t] = leak a[t-1] + x[t].
inline Values traces_of(Sizes s, const Values& x, double leak) {
    Values a = zeros(s, x[0][0].size());
    each(s, [&](std::size_t t, std::size_t b) {
        for (std::size_t i = 0; i < a[t][b].size(); ++i)
            a[t][b][i] = detach(x[t][b][i]) + (t > 0 ? Var(leak) * a[t - 1][b][i] : Var(0.0));
    });
    return a;
}

/// w: [out][in], bias: [out] or empty. `leak`: of traces.
inline Values dense(Sizes s, const Values& x, const Weights& w, const Weights& bias, std::size_t outputs,
                    std::optional<double> leak) {
    const std::size_t inputs = x[0][0].size();
    const Values a = leak ? traces_of(s, x, *leak) : x;
    Values y = zeros(s, outputs);
    each(s, [&](std::size_t t, std::size_t b) {
        for (std::size_t k = 0; k < outputs; ++k) {
            if (!bias.empty()) y[t][b][k] = bias[k];
            for (std::size_t j = 0; j < inputs; ++j)
                y[t][b][k] =
                    y[t][b][k] + Synapse{x[t][b][j], a[t][b][j], leak.has_value()}.times(w[k * inputs + j]);
        }
    });
    return y;
}

struct ConvSizes {
    Shape in, out;
    arch::Window window;
    std::size_t groups = 1;
};
/// Element of the input that tap (r, q) of output (row, column) sees; none in the padding.
inline std::optional<std::size_t> seen(const Shape& in, const arch::Window& w, std::size_t row,
                                       std::size_t column, std::size_t r, std::size_t q,
                                       std::size_t channel) {
    const auto at = [](const arch::WindowAxis& a, std::size_t o, std::size_t k) {
        return static_cast<long>(o * a.stride + k * a.dilation) - static_cast<long>(a.before);
    };
    const long y = at(w.rows, row, r), x = at(w.columns, column, q);
    if (y < 0 || x < 0 || y >= static_cast<long>(in.height) || x >= static_cast<long>(in.width))
        return std::nullopt;
    return (static_cast<std::size_t>(y) * in.width + static_cast<std::size_t>(x)) * in.channels + channel;
}

/// w: [out channel][in channel of its group][row][column].
inline Values conv(Sizes s, const Values& x, const ConvSizes& g, const Weights& w, const Weights& bias) {
    Values y = zeros(s, g.out.count());
    const std::size_t each_in = g.in.channels / g.groups, each_out = g.out.channels / g.groups;
    const std::size_t h = g.window.rows.kernel, v = g.window.columns.kernel;
    const auto sum = [&](std::size_t t, std::size_t b, std::size_t k, std::size_t row, std::size_t column) {
        Var total = bias.empty() ? Var(0.0) : bias[k];
        for (std::size_t c = 0; c < each_in; ++c)
            for (std::size_t r = 0; r < h; ++r)
                for (std::size_t q = 0; q < v; ++q)
                    if (const auto from = seen(g.in, g.window, row, column, r, q, k / each_out * each_in + c))
                        total = total + w[((k * each_in + c) * h + r) * v + q] * x[t][b][*from];
        return total;
    };
    each(s, [&](std::size_t t, std::size_t b) {
        for (std::size_t row = 0; row < g.out.height; ++row)
            for (std::size_t column = 0; column < g.out.width; ++column)
                for (std::size_t k = 0; k < g.out.channels; ++k)
                    y[t][b][(row * g.out.width + column) * g.out.channels + k] = sum(t, b, k, row, column);
    });
    return y;
}

/// `largest`: maximum, else the sum times `factor`.
inline Values pool(Sizes s, const Values& x, const Shape& in, const Shape& out, const arch::Window& window,
                   bool largest, double factor) {
    Values y = zeros(s, out.count());
    const auto value = [&](const std::vector<Var>& from, std::size_t row, std::size_t column, std::size_t c) {
        std::vector<Var> all;
        for (std::size_t r = 0; r < window.rows.kernel; ++r)
            for (std::size_t q = 0; q < window.columns.kernel; ++q)
                if (const auto i = seen(in, window, row, column, r, q, c)) all.push_back(from[*i]);
        if (largest)
            return *std::ranges::max_element(all, [](Var a, Var b) { return a.value() < b.value(); });
        Var sum = all[0];
        for (std::size_t i = 1; i < all.size(); ++i) sum = sum + all[i];
        return Var(factor) * sum;
    };
    each(s, [&](std::size_t t, std::size_t b) {
        for (std::size_t row = 0; row < out.height; ++row)
            for (std::size_t column = 0; column < out.width; ++column)
                for (std::size_t c = 0; c < in.channels; ++c)
                    y[t][b][(row * out.width + column) * in.channels + c] = value(x[t][b], row, column, c);
    });
    return y;
}

inline Values flatten(Sizes s, const Values& x, const Shape& in) {
    Values y = zeros(s, in.count());
    each(s, [&](std::size_t t, std::size_t b) {
        for (std::size_t c = 0; c < in.channels; ++c)
            for (std::size_t p = 0; p < in.height * in.width; ++p)
                y[t][b][c * in.height * in.width + p] = x[t][b][p * in.channels + c];
    });
    return y;
}

inline Values sum(Sizes s, const std::vector<Values>& all) {
    Values y = all[0];
    for (std::size_t k = 1; k < all.size(); ++k)
        each(s, [&](std::size_t t, std::size_t b) {
            for (std::size_t i = 0; i < y[t][b].size(); ++i) y[t][b][i] = y[t][b][i] + all[k][t][b][i];
        });
    return y;
}

/// Statistics over samples, positions and `window` timesteps.
inline Values norm(Sizes s, const Values& x, std::size_t channels, std::size_t window, double scale,
                   double epsilon, const Weights& gamma, const Weights& beta) {
    Values y = zeros(s, x[0][0].size());
    for (std::size_t first = 0; first < s.steps; first += window)
        for (std::size_t c = 0; c < channels; ++c) {
            const auto elements = [&](auto f) {
                for (std::size_t t = first; t < first + window; ++t)
                    for (std::size_t b = 0; b < s.batch; ++b)
                        for (std::size_t i = c; i < x[t][b].size(); i += channels) f(t, b, i);
            };
            double n = 0;
            Var mean, variance;
            elements([&](std::size_t t, std::size_t b, std::size_t i) { mean = mean + x[t][b][i], ++n; });
            mean = Var(1 / n) * mean;
            elements([&](std::size_t t, std::size_t b, std::size_t i) {
                variance = variance + (x[t][b][i] - mean) * (x[t][b][i] - mean);
            });
            const Var slope = inverse_root(Var(1 / n) * variance + Var(epsilon));
            elements([&](std::size_t t, std::size_t b, std::size_t i) {
                y[t][b][i] = Var(scale) * gamma[c] * ((x[t][b][i] - mean) * slope) + beta[c];
            });
        }
    return y;
}

}  // namespace loom::learn::reference
