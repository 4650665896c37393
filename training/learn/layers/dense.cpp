// SPDX-License-Identifier: Apache-2.0
#include "training/learn/layers/dense.hpp"

#include <algorithm>

#include "training/learn/matrix.hpp"
#include "training/learn/trace.hpp"

namespace loom::learn {

Dense::Dense(std::size_t inputs, std::size_t outputs, bool bias) : n_in_(inputs), n_out_(outputs) {
    in = {1, 1, inputs};
    out = {1, 1, outputs};
    parameters_.push_back(
        {"weight", std::vector<float>(inputs * outputs), std::vector<float>(inputs * outputs)});
    if (bias) parameters_.push_back({"bias", std::vector<float>(outputs), std::vector<float>(outputs)});
    group_sum_.resize(outputs);
}

void Dense::weighted_sum(std::span<const float> x, std::span<float> y, std::size_t group) {
    const float* w = parameters_[0].used().data();
    if (group <= 1) return add_product(y, x, w);
    for (std::size_t first = 0; first < n_in_; first += group) {
        const auto part = x.subspan(first, std::min(group, n_in_ - first));
        if (!any_nonzero(part)) continue;
        std::ranges::fill(group_sum_, 0.0F);
        add_product(group_sum_, part, w + first * n_out_);
        add(y.data(), group_sum_.data(), n_out_);
    }
}

void Dense::forward(const Pass& pass, const Signal& in_signal, Signal& out_signal) {
    for (std::size_t t = 0; t < pass.steps; ++t) {
        for (std::size_t b = 0; b < pass.batch; ++b) {
            if (constant_.take(pass, in_signal, t, b, out_signal)) continue;
            const std::span<float> y = out_signal.at(t, b);
            if (parameters_.size() > 1) std::ranges::copy(parameters_[1].used(), y.begin());
            if (!arithmetic) weighted_sum(in_signal.at(t, b), y, pass.sum_group);
        }
    }
    if (arithmetic)
        arithmetic->forward(pass, in_signal, out_signal);
    else
        constant_.keep(pass, in_signal, out_signal);
}

void Dense::backward(const Pass& pass, const Signal& in_signal, const Signal&, const Signal& grad_out,
                     Signal* grad_in) {
    if (grad_in != nullptr && !arithmetic && transposed_.empty())
        transposed_ = transpose(parameters_[0].used(), n_in_, n_out_);
    float* dw = parameters_[0].grad.data();
    const Signal& x = presynaptic(pass, in_signal, trace_leak, trace_);
    const bool once = x.constant;  // sum of errors first, one outer product
    for (std::size_t b = 0; b < pass.batch; ++b) {
        if (once) std::fill(group_sum_.begin(), group_sum_.end(), 0.0F);
        for (std::size_t t = 0; t < pass.steps; ++t) {
            const std::span<const float> g = grad_out.at(t, b);
            if (once)
                add(group_sum_.data(), g.data(), n_out_);
            else if (any_nonzero(g))
                add_outer(dw, x.at(t, b), g);
            if (parameters_.size() > 1) add(parameters_[1].grad.data(), g.data(), n_out_);
            if (grad_in != nullptr && !arithmetic) add_product(grad_in->at(t, b), g, transposed_.data());
        }
        if (once) add_outer(dw, x.at(0, b), group_sum_);
    }
    if (grad_in != nullptr && arithmetic) arithmetic->backward(pass, grad_out, *grad_in);
}

arch::LinearShape Dense::linear_shape() const {
    arch::LinearShape shape;
    shape.in_c = n_in_;
    shape.out_c = n_out_;
    return shape;
}

std::vector<std::size_t> Dense::file_shape(std::size_t p) {
    return p == 0 ? std::vector{n_out_, n_in_} : std::vector{n_out_};
}

std::vector<float> Dense::exported(std::size_t p, bool gradient) {
    const std::vector<float> values = Layer::exported(p, gradient);
    return p == 0 ? transpose(values, n_in_, n_out_) : values;
}

void Dense::import(std::size_t p, std::span<const float> values) {
    if (p != 0) return Layer::import(p, values);
    Layer::import(p, transpose(values, n_out_, n_in_));
}

}  // namespace loom::learn
