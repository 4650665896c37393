// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sim/arch/training_work.hpp"

namespace loom::training {

/// Calls f(output position, tap) for every output that input position `p` reaches (positions: row * width +
/// column; taps: kernel row * kernel width + kernel column).
template <class F>
void each_output(const arch::LinearShape& s, std::size_t p, F f) {
    const std::size_t y = p / s.in_w, x = p % s.in_w;
    for (std::size_t ky = 0; ky < s.kernel_h; ++ky) {
        const std::size_t row = y + s.padding - ky;  // wraps below zero: then too large
        if (row % s.stride != 0 || row / s.stride >= s.out_h) continue;
        for (std::size_t kx = 0; kx < s.kernel_w; ++kx) {
            const std::size_t column = x + s.padding - kx;
            if (column % s.stride != 0 || column / s.stride >= s.out_w) continue;
            f(row / s.stride * s.out_w + column / s.stride, ky * s.kernel_w + kx);
        }
    }
}

/// Calls f(input position, tap) for every input that output position `q` sees; both ascend.
template <class F>
void each_input(const arch::LinearShape& s, std::size_t q, F f) {
    const std::size_t row = q / s.out_w * s.stride, column = q % s.out_w * s.stride;
    for (std::size_t ky = 0; ky < s.kernel_h; ++ky) {
        const std::size_t y = row + ky - s.padding;
        if (y >= s.in_h) continue;
        for (std::size_t kx = 0; kx < s.kernel_w; ++kx) {
            const std::size_t x = column + kx - s.padding;
            if (x < s.in_w) f(y * s.in_w + x, ky * s.kernel_w + kx);
        }
    }
}

}  // namespace loom::training
