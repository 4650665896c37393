// SPDX-License-Identifier: Apache-2.0
#include "training/learn/layers/conv.hpp"

#include <algorithm>

#include "training/learn/axpy.hpp"
#include "training/learn/trace.hpp"

namespace loom::learn {

arch::LinearShape conv_shape(const Shape& in, std::size_t channels, const arch::Window& window,
                             std::size_t groups) {
    arch::LinearShape s;
    s.in_h = in.height, s.in_w = in.width, s.in_c = in.channels;
    s.out_h = window.rows.outputs(in.height), s.out_w = window.columns.outputs(in.width), s.out_c = channels;
    s.window = window;
    s.groups = groups;
    return s;
}

Conv::Conv(const arch::LinearShape& shape, bool bias, bool line) : shape_(shape), line_(line) {
    in = {shape.in_h, shape.in_w, shape.in_c};
    out = {shape.out_h, shape.out_w, shape.out_c};
    const std::size_t n = shape.weights();
    parameters_.push_back({"weight", std::vector<float>(n), std::vector<float>(n)});
    if (bias)
        parameters_.push_back({"bias", std::vector<float>(shape.out_c), std::vector<float>(shape.out_c)});
}

void Conv::weighted_sum(std::span<const float> x, std::span<float> y, std::size_t sum_group) {
    const std::size_t c_in = shape_.in_c, c_out = shape_.out_c;
    const std::size_t g_in = shape_.group_inputs(), g_out = shape_.group_outputs();
    const float* w = parameters_[0].used().data();
    const auto channels = [&](std::size_t at, std::size_t group) {
        const float* pixel = x.data() + at * c_in;
        const std::size_t end = (group + 1) * g_in;
        for (std::size_t first = group * g_in; first < end; first += sum_group) {
            const std::size_t last = std::min(first + sum_group, end);
            if (std::all_of(pixel + first, pixel + last, [](float v) { return v == 0; })) continue;
            shape_.each_output(at, [&](std::size_t position, std::size_t tap) {
                float* to = y.data() + position * c_out + group * g_out;
                float* sum = sum_group > 1 ? sum_.data() : to;
                if (sum_group > 1) std::fill_n(sum_.begin(), g_out, 0.0F);
                for (std::size_t c = first; c < last; ++c)
                    if (pixel[c] != 0) axpy(sum, w + (tap * c_in + c) * g_out, pixel[c], g_out);
                if (sum_group > 1) add(to, sum, g_out);
            });
        }
    };
    for (std::size_t at = 0; at < shape_.in_h * shape_.in_w; ++at)
        for (std::size_t group = 0; group < shape_.groups; ++group) channels(at, group);
}

void Conv::forward(const Pass& pass, const Signal& in_signal, Signal& out_signal) {
    sum_.resize(shape_.group_outputs());
    const std::size_t sum_group = pass.sum_group > 1 ? pass.sum_group : 1;
    for (std::size_t t = 0; t < pass.steps; ++t)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            if (constant_.take(pass, in_signal, t, b, out_signal)) continue;
            const std::span<float> y = out_signal.at(t, b);
            if (parameters_.size() > 1)
                for (std::size_t i = 0; i < y.size(); ++i) y[i] = parameters_[1].used()[i % shape_.out_c];
            if (!arithmetic) weighted_sum(in_signal.at(t, b), y, sum_group);
        }
    if (arithmetic)
        arithmetic->forward(pass, in_signal, out_signal);
    else
        constant_.keep(pass, in_signal, out_signal);
}

void Conv::weight_gradient(std::span<const float> x, std::span<const float> g) {
    const std::size_t c_in = shape_.in_c, c_out = shape_.out_c;
    const std::size_t g_in = shape_.group_inputs(), g_out = shape_.group_outputs();
    float* dw = parameters_[0].grad.data();
    for (std::size_t at = 0; at < shape_.in_h * shape_.in_w; ++at) {
        const float* pixel = x.data() + at * c_in;
        if (std::all_of(pixel, pixel + c_in, [](float v) { return v == 0; })) continue;
        shape_.each_output(at, [&](std::size_t position, std::size_t tap) {
            const float* error = g.data() + position * c_out;
            for (std::size_t first = 0; first < c_in; first += g_in, error += g_out)
                for (std::size_t c = first; c < first + g_in; ++c)
                    if (pixel[c] != 0) axpy(dw + (tap * c_in + c) * g_out, error, pixel[c], g_out);
        });
    }
}

void Conv::errors_back(std::span<const float> g, std::span<float> grad_in) {
    const std::size_t c_in = shape_.in_c, c_out = shape_.out_c;
    const std::size_t g_in = shape_.group_inputs(), g_out = shape_.group_outputs();
    for (std::size_t at = 0; at < shape_.in_h * shape_.in_w; ++at) {
        float* pixel = grad_in.data() + at * c_in;
        shape_.each_output(at, [&](std::size_t position, std::size_t tap) {
            const float* error = g.data() + position * c_out;
            float* to = pixel;
            for (std::size_t first = 0; first < c_out; first += g_out, to += g_in)
                for (std::size_t k = first; k < first + g_out; ++k)
                    if (error[k] != 0)
                        axpy(to, transposed_.data() + (tap * c_out + k) * g_in, error[k], g_in);
        });
    }
}

void Conv::transpose_weights() {
    const std::size_t c_in = shape_.in_c, c_out = shape_.out_c;
    const std::size_t g_in = shape_.group_inputs(), g_out = shape_.group_outputs();
    transposed_.resize(shape_.weights());
    for (std::size_t i = 0; i < transposed_.size(); ++i) {
        const std::size_t tap = i / (g_in * c_out), k = i / g_in % c_out;
        const std::size_t c = k / g_out * g_in + i % g_in;
        transposed_[i] = parameters_[0].used()[(tap * c_in + c) * g_out + k % g_out];
    }
}

void Conv::backward(const Pass& pass, const Signal& in_signal, const Signal&, const Signal& grad_out,
                    Signal* grad_in) {
    const std::size_t c_out = shape_.out_c;
    if (grad_in != nullptr && !arithmetic && transposed_.empty()) transpose_weights();
    const Signal& x = presynaptic(pass, in_signal, trace_leak, trace_);
    std::vector<float> total;
    for (std::size_t b = 0; b < pass.batch; ++b) {
        if (x.constant) total.assign(shape_.outputs(), 0.0F);
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

std::vector<std::size_t> Conv::file_shape(std::size_t p) {
    if (p != 0) return {shape_.out_c};
    std::vector<std::size_t> axes{shape_.out_c, shape_.group_inputs(), shape_.window.rows.kernel,
                                  shape_.window.columns.kernel};
    if (line_) axes.erase(axes.begin() + 2);
    return axes;
}

std::size_t Conv::file_index(std::size_t i) const {
    const std::size_t g_in = shape_.group_inputs(), g_out = shape_.group_outputs();
    const std::size_t c = i / g_out % shape_.in_c, tap = i / (g_out * shape_.in_c);
    const std::size_t k = c / g_in * g_out + i % g_out;
    return (k * g_in + c % g_in) * shape_.window.taps() + tap;
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
