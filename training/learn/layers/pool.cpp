// SPDX-License-Identifier: Apache-2.0
#include "training/learn/layers/pool.hpp"

#include <algorithm>

#include "training/learn/axpy.hpp"

namespace loom::learn {

AveragePool::AveragePool(const Shape& input, const arch::Window& window, bool mean)
    : window_(window), mean_(mean), factor_(mean ? 1.0F / static_cast<float>(window.taps()) : 1.0F) {
    in = input;
    out = {window.rows.outputs(input.height), window.columns.outputs(input.width), input.channels};
    for (std::size_t y = 0; y < out.height; ++y)
        for (std::size_t x = 0; x < out.width; ++x)
            window_.rows.each_input(y, in.height, [&](std::size_t row, std::size_t) {
                window_.columns.each_input(x, in.width, [&](std::size_t column, std::size_t) {
                    pairs_.push_back({static_cast<std::uint32_t>((row * in.width + column) * in.channels),
                                      static_cast<std::uint32_t>((y * out.width + x) * in.channels)});
                });
            });
}

void AveragePool::forward(const Pass& pass, const Signal& in_signal, Signal& out_signal) {
    for (std::size_t t = 0; t < pass.steps; ++t)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const auto x = in_signal.at(t, b);
            const auto y = out_signal.at(t, b);
            for (const Pair& p : pairs_) add(&y[p.to], &x[p.from], in.channels);
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
            for (const Pair& p : pairs_) axpy(&x[p.from], &g[p.to], factor_, in.channels);
        }
}

/// Forward: a window of n inputs takes n - 1 additions. Backward: so does an input of n windows.
void AveragePool::describe(const Pass& pass, arch::ElementWork& work) const {
    const std::uint64_t pairs = pairs_.size();
    std::vector<bool> used(in.height * in.width);
    for (const Pair& p : pairs_) used[p.from / in.channels] = true;
    const auto inputs = static_cast<std::uint64_t>(std::ranges::count(used, true));
    const std::uint64_t times = in.channels * pass.batch * pass.steps;
    work.forward.add = (pairs - out.height * out.width) * times;
    work.backward.add = (pairs - inputs) * times;
    work.outputs = out.count();
    work.move = arch::ElementMove::Pool;
    work.in_h = in.height, work.in_w = in.width, work.in_c = in.channels;
    work.out_h = out.height, work.out_w = out.width;
    work.window = window_;
}

arch::BitSignal AveragePool::pass_wanted(const arch::BitSignal& below) const {
    arch::BitSignal wanted(below.steps(), below.batch(), out.count());
    for (std::size_t t = 0; t < below.steps(); ++t)
        for (std::size_t b = 0; b < below.batch(); ++b)
            for (const Pair& p : pairs_)
                for (std::size_t c = 0; c < in.channels; ++c)
                    if (below.test(t, b, p.from + c)) wanted.set(t, b, p.to + c);
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
