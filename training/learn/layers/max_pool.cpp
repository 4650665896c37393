// SPDX-License-Identifier: Apache-2.0
#include "training/learn/layers/max_pool.hpp"

#include <cstdint>

namespace loom::learn {

MaxPool::MaxPool(const Shape& input, const arch::Window& window) : window_(window) {
    in = input;
    out = {window.rows.outputs(input.height), window.columns.outputs(input.width), input.channels};
}

/// f(input) for the window of `output`, in the order of rows.
template <class F>
void MaxPool::each(std::size_t output, F f) const {
    const std::size_t c = output % in.channels, x = output / in.channels % out.width;
    const std::size_t y = output / (in.channels * out.width);
    window_.rows.each_input(y, in.height, [&](std::size_t row, std::size_t) {
        window_.columns.each_input(x, in.width, [&](std::size_t column, std::size_t) {
            f((row * in.width + column) * in.channels + c);
        });
    });
}

void MaxPool::forward(const Pass& pass, const Signal& in_signal, Signal& out_signal) {
    chosen_.resize(out_signal.all().size());
    for (std::size_t t = 0; t < pass.steps; ++t)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const auto x = in_signal.at(t, b);
            const auto y = out_signal.at(t, b);
            std::uint32_t* chosen = chosen_.data() + (t * pass.batch + b) * y.size();
            for (std::size_t o = 0; o < y.size(); ++o) {
                bool any = false;
                each(o, [&](std::size_t i) {
                    if (any && x[i] <= y[o]) return;
                    any = true;
                    y[o] = x[i];
                    chosen[o] = static_cast<std::uint32_t>(i);
                });
            }
        }
    out_signal.constant = in_signal.constant;
}

void MaxPool::backward(const Pass& pass, const Signal&, const Signal&, const Signal& grad_out,
                       Signal* grad_in) {
    if (grad_in == nullptr) return;
    for (std::size_t t = 0; t < pass.steps; ++t)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const auto g = grad_out.at(t, b);
            const auto to = grad_in->at(t, b);
            const std::uint32_t* chosen = chosen_.data() + (t * pass.batch + b) * g.size();
            for (std::size_t o = 0; o < g.size(); ++o) to[chosen[o]] += g[o];
        }
}

/// A comparison counts as an addition. Backward: where an input is the largest of n windows, n - 1 additions.
void MaxPool::describe(const Pass& pass, arch::ElementWork& work) const {
    std::uint64_t pairs = 0;
    for (std::size_t o = 0; o < out.count(); ++o) each(o, [&](std::size_t) { ++pairs; });
    work.forward.add = (pairs - out.count()) * pass.steps * pass.batch;
    std::vector<std::size_t> seen(in.count(), SIZE_MAX);
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
        std::size_t& row = seen[chosen_[i]];
        work.backward.add += row == i / out.count() ? 1U : 0U;
        row = i / out.count();
    }
    work.outputs = out.count();
    work.move = arch::ElementMove::Pool;
    work.in_h = in.height, work.in_w = in.width, work.in_c = in.channels;
    work.out_h = out.height, work.out_w = out.width;
    work.window = window_;
}

arch::BitSignal MaxPool::pass_wanted(const arch::BitSignal& below) const {
    arch::BitSignal wanted(below.steps(), below.batch(), out.count());
    for (std::size_t t = 0; t < below.steps(); ++t)
        for (std::size_t b = 0; b < below.batch(); ++b)
            for (std::size_t o = 0; o < out.count(); ++o)
                if (below.test(t, b, chosen_[(t * below.batch() + b) * out.count() + o])) wanted.set(t, b, o);
    return wanted;
}

}  // namespace loom::learn
