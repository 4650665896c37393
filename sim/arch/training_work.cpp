// SPDX-License-Identifier: Apache-2.0
#include "sim/arch/training_work.hpp"

namespace loom::arch {
namespace {

/// Outputs along one axis that input position `at` reaches.
std::uint64_t axis_taps(std::size_t at, std::size_t kernel, std::size_t stride, std::size_t padding,
                        std::size_t outputs) {
    std::uint64_t n = 0;
    for (std::size_t k = 0; k < kernel; ++k) {
        const std::size_t p = at + padding - k;  // wraps below zero: then too large
        if (p % stride == 0 && p / stride < outputs) ++n;
    }
    return n;
}

}  // namespace

std::uint64_t LinearShape::taps(std::size_t row, std::size_t column) const {
    return axis_taps(row, kernel_h, stride, padding, out_h) *
           axis_taps(column, kernel_w, stride, padding, out_w);
}

std::uint64_t LinearShape::synapses() const {
    std::uint64_t rows = 0, columns = 0;
    for (std::size_t y = 0; y < in_h; ++y) rows += axis_taps(y, kernel_h, stride, padding, out_h);
    for (std::size_t x = 0; x < in_w; ++x) columns += axis_taps(x, kernel_w, stride, padding, out_w);
    return rows * columns * in_c * out_c;
}

std::size_t ElementWork::moved(std::size_t i) const {
    if (move == ElementMove::Same) return i;
    const std::size_t c = i % in_c, x = i / in_c % in_w, y = i / in_c / in_w;
    if (move == ElementMove::Flatten) return (c * in_h + y) * in_w + x;
    const std::size_t out_h = in_h / window, out_w = in_w / window;
    if (y / window >= out_h || x / window >= out_w) return SIZE_MAX;
    return (y / window * out_w + x / window) * in_c + c;
}

void ElementWork::add(const ElementWork& more) {
    forward_add += more.forward_add, forward_multiply += more.forward_multiply;
    forward_divide += more.forward_divide, forward_sqrt += more.forward_sqrt;
    backward_add += more.backward_add, backward_multiply += more.backward_multiply;
    backward_divide += more.backward_divide;
    forward_sums += more.forward_sums, forward_statistics += more.forward_statistics;
    backward_sums += more.backward_sums, backward_statistics += more.backward_statistics;
}

}  // namespace loom::arch
