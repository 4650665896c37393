// SPDX-License-Identifier: Apache-2.0
#include "sim/learn/layers/dense.hpp"

#include <algorithm>

#include "sim/learn/axpy.hpp"
#include "sim/learn/trace.hpp"

namespace loom::learn {

Dense::Dense(std::size_t inputs, std::size_t outputs, bool bias) : n_in_(inputs), n_out_(outputs) {
    in = {1, 1, inputs};
    out = {1, 1, outputs};
    parameters_.push_back(
        {"weight", std::vector<float>(inputs * outputs), std::vector<float>(inputs * outputs)});
    if (bias)
        parameters_.push_back({"bias", std::vector<float>(outputs), std::vector<float>(outputs), false});
    group_sum_.resize(outputs);
}

void Dense::weighted_sum(std::span<const float> x, std::span<float> y, std::size_t group) {
    const float* w = parameters_[0].value.data();
    if (group <= 1) {
        for (std::size_t j = 0; j < n_in_; ++j)
            if (x[j] != 0) axpy(y.data(), w + j * n_out_, x[j], n_out_);
        return;
    }
    for (std::size_t first = 0; first < n_in_; first += group) {
        bool any = false;
        for (std::size_t j = first; j < std::min(first + group, n_in_); ++j) {
            if (x[j] == 0) continue;
            if (!any) std::fill(group_sum_.begin(), group_sum_.end(), 0.0F);
            any = true;
            axpy(group_sum_.data(), w + j * n_out_, x[j], n_out_);
        }
        if (any) add(y.data(), group_sum_.data(), n_out_);
    }
}

void Dense::forward(const Pass& pass, const Signal& in_signal, Signal& out_signal) {
    for (std::size_t t = 0; t < pass.steps; ++t) {
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const std::span<float> y = out_signal.at(t, b);
            if (in_signal.constant && t > 0) {
                std::ranges::copy(out_signal.at(0, b), y.begin());
                continue;
            }
            if (parameters_.size() > 1) std::ranges::copy(parameters_[1].value, y.begin());
            weighted_sum(in_signal.at(t, b), y, pass.sum_group);
        }
    }
}

void Dense::weight_gradient(std::span<const float> x, std::span<const float> g) {
    for (std::size_t j = 0; j < n_in_; ++j)
        if (x[j] != 0) axpy(parameters_[0].grad.data() + j * n_out_, g.data(), x[j], n_out_);
}

void Dense::build_transpose() {
    transposed_.resize(n_in_ * n_out_);
    for (std::size_t j = 0; j < n_in_; ++j)
        for (std::size_t k = 0; k < n_out_; ++k)
            transposed_[k * n_in_ + j] = parameters_[0].value[j * n_out_ + k];
}

void Dense::backward(const Pass& pass, const Signal& in_signal, const Signal&, const Signal& grad_out,
                     Signal* grad_in) {
    if (grad_in != nullptr && transposed_.empty()) build_transpose();
    const Signal& x = presynaptic(pass, in_signal, trace_leak, trace_);
    const bool once = x.constant;  // sum of errors first, one outer product
    for (std::size_t b = 0; b < pass.batch; ++b) {
        if (once) std::fill(group_sum_.begin(), group_sum_.end(), 0.0F);
        for (std::size_t t = 0; t < pass.steps; ++t) {
            const std::span<const float> g = grad_out.at(t, b);
            if (once)
                add(group_sum_.data(), g.data(), n_out_);
            else if (std::ranges::any_of(g, [](float v) { return v != 0; }))
                weight_gradient(x.at(t, b), g);
            if (parameters_.size() > 1) add(parameters_[1].grad.data(), g.data(), n_out_);
            if (grad_in == nullptr) continue;
            for (std::size_t k = 0; k < n_out_; ++k)
                if (g[k] != 0) axpy(grad_in->at(t, b).data(), transposed_.data() + k * n_in_, g[k], n_in_);
        }
        if (once) weight_gradient(x.at(0, b), group_sum_);
    }
}

arch::LinearShape Dense::linear_shape() const {
    arch::LinearShape shape;
    shape.in_c = n_in_;
    shape.out_c = n_out_;
    return shape;
}

std::vector<float> Dense::exported(std::size_t p, bool gradient) {
    const std::vector<float>& from = gradient ? parameters_[p].grad : parameters_[p].value;
    if (p != 0) return from;
    std::vector<float> to(from.size());
    for (std::size_t j = 0; j < n_in_; ++j)
        for (std::size_t k = 0; k < n_out_; ++k) to[k * n_in_ + j] = from[j * n_out_ + k];
    return to;
}

void Dense::import(std::size_t p, std::span<const float> values) {
    std::vector<float>& to = parameters_[p].value;
    for (std::size_t i = 0; i < to.size(); ++i)
        to[i] = p != 0 ? values[i] : values[i % n_out_ * n_in_ + i / n_out_];
    updated();
}

}  // namespace loom::learn
