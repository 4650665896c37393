// SPDX-License-Identifier: Apache-2.0
#include "sim/learn/layers/conv.hpp"

#include <algorithm>

#include "sim/learn/axpy.hpp"
#include "sim/learn/trace.hpp"

namespace loom::learn {

Conv::Conv(const ConvShape& shape, bool bias) : shape_(shape), out_shape_(shape.out()) {
    in = shape.in;
    out = out_shape_;
    const std::size_t n = shape.weights();
    parameters_.push_back({"weight", std::vector<float>(n), std::vector<float>(n)});
    if (bias)
        parameters_.push_back(
            {"bias", std::vector<float>(shape.channels), std::vector<float>(shape.channels)});
}

template <class F>
void Conv::each_output(std::size_t y, std::size_t x, F f) const {
    const std::size_t s = shape_.stride;
    for (std::size_t ky = 0; ky < shape_.kernel_h; ++ky) {
        const std::size_t row = y + shape_.padding - ky;  // wraps below zero: then too large
        if (row % s != 0 || row / s >= out_shape_.height) continue;
        for (std::size_t kx = 0; kx < shape_.kernel_w; ++kx) {
            const std::size_t column = x + shape_.padding - kx;
            if (column % s != 0 || column / s >= out_shape_.width) continue;
            f(row / s * out_shape_.width + column / s, ky * shape_.kernel_w + kx);
        }
    }
}

void Conv::weighted_sum(std::span<const float> x, std::span<float> y, std::size_t group) {
    const std::size_t c_in = shape_.in.channels, c_out = shape_.channels;
    const float* w = parameters_[0].used().data();
    for (std::size_t row = 0; row < shape_.in.height; ++row)
        for (std::size_t column = 0; column < shape_.in.width; ++column) {
            const float* pixel = x.data() + (row * shape_.in.width + column) * c_in;
            for (std::size_t first = 0; first < c_in; first += group) {
                const std::size_t last = std::min(first + group, c_in);
                if (std::all_of(pixel + first, pixel + last, [](float v) { return v == 0; })) continue;
                each_output(row, column, [&](std::size_t position, std::size_t tap) {
                    float* to = y.data() + position * c_out;
                    float* sum = group > 1 ? sum_.data() : to;
                    if (group > 1) std::fill(sum_.begin(), sum_.end(), 0.0F);
                    for (std::size_t c = first; c < last; ++c)
                        if (pixel[c] != 0) axpy(sum, w + (tap * c_in + c) * c_out, pixel[c], c_out);
                    if (group > 1) add(to, sum, c_out);
                });
            }
        }
}

void Conv::forward(const Pass& pass, const Signal& in_signal, Signal& out_signal) {
    sum_.resize(shape_.channels);
    const std::size_t group = pass.sum_group > 1 ? pass.sum_group : 1;
    for (std::size_t t = 0; t < pass.steps; ++t)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const std::span<float> y = out_signal.at(t, b);
            if (in_signal.constant && t > 0) {
                std::ranges::copy(out_signal.at(0, b), y.begin());
                continue;
            }
            if (parameters_.size() > 1)
                for (std::size_t i = 0; i < y.size(); ++i) y[i] = parameters_[1].used()[i % shape_.channels];
            if (!arithmetic) weighted_sum(in_signal.at(t, b), y, group);
        }
    if (arithmetic) arithmetic->forward(pass, in_signal, out_signal);
}

void Conv::weight_gradient(std::span<const float> x, std::span<const float> g) {
    const std::size_t c_in = shape_.in.channels, c_out = shape_.channels;
    float* dw = parameters_[0].grad.data();
    for (std::size_t row = 0; row < shape_.in.height; ++row)
        for (std::size_t column = 0; column < shape_.in.width; ++column) {
            const float* pixel = x.data() + (row * shape_.in.width + column) * c_in;
            if (std::all_of(pixel, pixel + c_in, [](float v) { return v == 0; })) continue;
            each_output(row, column, [&](std::size_t position, std::size_t tap) {
                for (std::size_t c = 0; c < c_in; ++c)
                    if (pixel[c] != 0)
                        axpy(dw + (tap * c_in + c) * c_out, g.data() + position * c_out, pixel[c], c_out);
            });
        }
}

void Conv::errors_back(std::span<const float> g, std::span<float> grad_in) {
    const std::size_t c_in = shape_.in.channels, c_out = shape_.channels;
    for (std::size_t row = 0; row < shape_.in.height; ++row)
        for (std::size_t column = 0; column < shape_.in.width; ++column) {
            float* to = grad_in.data() + (row * shape_.in.width + column) * c_in;
            each_output(row, column, [&](std::size_t position, std::size_t tap) {
                const float* error = g.data() + position * c_out;
                for (std::size_t k = 0; k < c_out; ++k)
                    if (error[k] != 0)
                        axpy(to, transposed_.data() + (tap * c_out + k) * c_in, error[k], c_in);
            });
        }
}

void Conv::backward(const Pass& pass, const Signal& in_signal, const Signal&, const Signal& grad_out,
                    Signal* grad_in) {
    const std::size_t c_in = shape_.in.channels, c_out = shape_.channels;
    if (grad_in != nullptr && !arithmetic && transposed_.empty()) {
        transposed_.resize(shape_.weights());
        for (std::size_t i = 0; i < transposed_.size(); ++i) {
            const std::size_t tap = i / (c_in * c_out), k = i / c_in % c_out, c = i % c_in;
            transposed_[i] = parameters_[0].used()[(tap * c_in + c) * c_out + k];
        }
    }
    const Signal& x = presynaptic(pass, in_signal, trace_leak, trace_);
    std::vector<float> total;
    for (std::size_t b = 0; b < pass.batch; ++b) {
        if (x.constant) total.assign(out_shape_.count(), 0.0F);
        for (std::size_t t = 0; t < pass.steps; ++t) {
            const std::span<const float> g = grad_out.at(t, b);
            if (std::ranges::all_of(g, [](float v) { return v == 0; })) continue;
            if (x.constant)
                add(total.data(), g.data(), g.size());
            else
                weight_gradient(x.at(t, b), g);
            if (parameters_.size() > 1)
                for (std::size_t i = 0; i < g.size(); ++i) parameters_[1].grad[i % c_out] += g[i];
            if (grad_in != nullptr && !arithmetic) errors_back(g, grad_in->at(t, b));
        }
        if (x.constant) weight_gradient(x.at(0, b), total);
    }
    if (grad_in != nullptr && arithmetic) arithmetic->backward(pass, grad_out, *grad_in);
}

arch::LinearShape Conv::linear_shape() const {
    return {shape_.in.height, shape_.in.width, shape_.in.channels, out_shape_.height, out_shape_.width,
            shape_.channels,  shape_.kernel_h, shape_.kernel_w,    shape_.stride,     shape_.padding};
}

std::size_t Conv::file_index(std::size_t i) const {
    const std::size_t taps = shape_.kernel_h * shape_.kernel_w;
    const std::size_t k = i % shape_.channels, c = i / shape_.channels % shape_.in.channels;
    const std::size_t tap = i / (shape_.channels * shape_.in.channels);
    return (k * shape_.in.channels + c) * taps + tap;
}

std::vector<float> Conv::exported(std::size_t p, bool gradient) {
    const std::vector<float>& from = gradient ? parameters_[p].grad : parameters_[p].value;
    if (p != 0) return from;
    std::vector<float> to(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) to[file_index(i)] = from[i];
    return to;
}

void Conv::import(std::size_t p, std::span<const float> values) {
    std::vector<float>& to = parameters_[p].value;
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = values[p == 0 ? file_index(i) : i];
    updated();
}

}  // namespace loom::learn
