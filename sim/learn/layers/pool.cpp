// SPDX-License-Identifier: Apache-2.0
#include "sim/learn/layers/pool.hpp"

namespace loom::learn {

AveragePool::AveragePool(const Shape& input, std::size_t size, bool mean)
    : size_(size), factor_(mean ? 1.0F / static_cast<float>(size * size) : 1.0F) {
    in = input;
    out = {input.height / size, input.width / size, input.channels};
}

/// f(index of an input, index of its output).
template <class F>
void AveragePool::each(F f) const {
    for (std::size_t y = 0; y < out.height * size_; ++y)
        for (std::size_t x = 0; x < out.width * size_; ++x)
            for (std::size_t c = 0; c < in.channels; ++c)
                f((y * in.width + x) * in.channels + c,
                  (y / size_ * out.width + x / size_) * in.channels + c);
}

void AveragePool::forward(const Pass& pass, const Signal& in_signal, Signal& out_signal) {
    for (std::size_t t = 0; t < pass.steps; ++t)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const auto x = in_signal.at(t, b);
            const auto y = out_signal.at(t, b);
            each([&](std::size_t from, std::size_t to) { y[to] += x[from]; });
            for (float& v : y) v *= factor_;
        }
    out_signal.constant = in_signal.constant;
}

void AveragePool::backward(const Pass& pass, const Signal&, const Signal&, const Signal& grad_out,
                           Signal* grad_in) {
    if (grad_in == nullptr) return;
    for (std::size_t t = 0; t < pass.steps; ++t)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const auto g = grad_out.at(t, b);
            const auto x = grad_in->at(t, b);
            each([&](std::size_t from, std::size_t to) { x[from] += g[to] * factor_; });
        }
}

void AveragePool::describe(const Pass& pass, arch::ElementWork& work) const {
    const std::uint64_t each_step = out.count() * pass.batch * pass.steps;
    work.forward_add = each_step * (size_ * size_ - 1);
    work.outputs = out.count();
    work.move = arch::ElementMove::Pool;
    work.in_h = in.height, work.in_w = in.width, work.in_c = in.channels;
    work.window = size_;
}

arch::BitSignal AveragePool::pass_wanted(const arch::BitSignal& below) const {
    arch::BitSignal wanted(below.steps(), below.batch(), out.count());
    for (std::size_t t = 0; t < below.steps(); ++t)
        for (std::size_t b = 0; b < below.batch(); ++b)
            each([&](std::size_t from, std::size_t to) {
                if (below.test(t, b, from)) wanted.set(t, b, to);
            });
    return wanted;
}

Flatten::Flatten(const Shape& input) {
    in = input;
    out = {1, 1, input.count()};
}

void Flatten::forward(const Pass& pass, const Signal& in_signal, Signal& out_signal) {
    for (std::size_t t = 0; t < pass.steps; ++t)
        for (std::size_t b = 0; b < pass.batch; ++b)
            for (std::size_t i = 0; i < in.count(); ++i)
                out_signal.at(t, b)[in.channel_first(i)] = in_signal.at(t, b)[i];
    out_signal.constant = in_signal.constant;
}

void Flatten::backward(const Pass& pass, const Signal&, const Signal&, const Signal& grad_out,
                       Signal* grad_in) {
    if (grad_in == nullptr) return;
    for (std::size_t t = 0; t < pass.steps; ++t)
        for (std::size_t b = 0; b < pass.batch; ++b)
            for (std::size_t i = 0; i < in.count(); ++i)
                grad_in->at(t, b)[i] += grad_out.at(t, b)[in.channel_first(i)];
}

void Flatten::describe(const Pass&, arch::ElementWork& work) const {
    work.move = arch::ElementMove::Flatten;
    work.in_h = in.height, work.in_w = in.width, work.in_c = in.channels;
}

arch::BitSignal Flatten::pass_wanted(const arch::BitSignal& below) const {
    arch::BitSignal wanted(below.steps(), below.batch(), out.count());
    for (std::size_t t = 0; t < below.steps(); ++t)
        for (std::size_t b = 0; b < below.batch(); ++b)
            for (std::size_t i = 0; i < in.count(); ++i)
                if (below.test(t, b, i)) wanted.set(t, b, in.channel_first(i));
    return wanted;
}

}  // namespace loom::learn
