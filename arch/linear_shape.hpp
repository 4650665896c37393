// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>

#include "arch/window.hpp"

namespace loom::arch {

/// Geometry of a matrix that multiplies signals: a convolution (cross-correlation as in torch, zeros around
/// the map), or a dense matrix, which has maps and a kernel of 1 x 1. With groups, the nth part of the output
/// channels sees the nth part of the input channels only; `groups` divides both numbers of channels.
struct LinearShape {
    std::size_t in_h = 1, in_w = 1, in_c = 1, out_h = 1, out_w = 1, out_c = 1;
    Window window = {};
    std::size_t groups = 1;
    bool operator==(const LinearShape&) const = default;
    std::size_t inputs() const { return in_h * in_w * in_c; }
    std::size_t outputs() const { return out_h * out_w * out_c; }
    std::size_t group_inputs() const { return in_c / groups; }    ///< channels
    std::size_t group_outputs() const { return out_c / groups; }  ///< channels
    std::size_t weights() const { return group_inputs() * window.taps() * out_c; }
    bool dense() const { return in_h * in_w * out_h * out_w * window.taps() * groups == 1; }
    /// Valid (input, output) pairs M; taps in the padding are none.
    std::uint64_t synapses() const;
    /// Calls f(output position, tap) for every output that input position `p` reaches. Positions are row *
    /// width
    /// + column; taps are kernel row * kernel width + kernel column.
    template <class F>
    void each_output(std::size_t p, F f) const {
        window.rows.each_output(p / in_w, out_h, [&](std::size_t row, std::size_t ky) {
            window.columns.each_output(p % in_w, out_w, [&](std::size_t column, std::size_t kx) {
                f(row * out_w + column, ky * window.columns.kernel + kx);
            });
        });
    }
    /// Calls f(input position, tap) for every input that output position `q` sees; both ascend.
    template <class F>
    void each_input(std::size_t q, F f) const {
        window.rows.each_input(q / out_w, in_h, [&](std::size_t y, std::size_t ky) {
            window.columns.each_input(q % out_w, in_w, [&](std::size_t x, std::size_t kx) {
                f(y * in_w + x, ky * window.columns.kernel + kx);
            });
        });
    }
    /// Outputs that input position (row, column) reaches, without channels: its valid taps.
    std::uint64_t taps(std::size_t row, std::size_t column) const {
        return window.rows.taps(row, out_h) * window.columns.taps(column, out_w);
    }
};

}  // namespace loom::arch
