// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace loom::arch {

/// How a window slides along one axis of a map: taps `dilation` apart, steps of `stride`, zeros around the
/// map. Output o has its tap k over input o * stride + k * dilation - before.
struct WindowAxis {
    std::size_t kernel = 1, stride = 1, dilation = 1;
    std::size_t before = 0, after = 0;  ///< zeros
    bool operator==(const WindowAxis&) const = default;

    /// Inputs from the first tap to the last.
    std::size_t span() const { return dilation * (kernel - 1) + 1; }
    bool fits(std::size_t inputs) const { return inputs + before + after >= span(); }
    /// Windows over so many inputs; what is left over at the end is dropped.
    std::size_t outputs(std::size_t inputs) const { return (inputs + before + after - span()) / stride + 1; }
    /// Calls f(output, tap) for every one of `outputs` that input `at` reaches.
    template <class F>
    void each_output(std::size_t at, std::size_t outputs, F f) const {
        for (std::size_t k = 0; k < kernel; ++k) {
            const std::size_t p = at + before - k * dilation;  // wraps below zero: then too large
            if (p % stride == 0 && p / stride < outputs) f(p / stride, k);
        }
    }
    /// Calls f(input, tap) for every one of `inputs` that output `at` sees; both ascend.
    template <class F>
    void each_input(std::size_t at, std::size_t inputs, F f) const {
        for (std::size_t k = 0; k < kernel; ++k) {
            const std::size_t p = at * stride + k * dilation - before;  // wraps below zero: then too large
            if (p < inputs) f(p, k);
        }
    }
    /// Inputs between the first tap of output `from` and the last one of output `to` - 1, zeros not counted.
    struct Range {
        std::size_t first, end;
    };
    Range inputs_seen(std::size_t from, std::size_t to, std::size_t inputs) const {
        const std::size_t low = from * stride, high = (to - 1) * stride + span();
        const std::size_t first = std::min(inputs, low > before ? low - before : 0);
        return {first, std::clamp(high > before ? high - before : 0, first, inputs)};
    }
    /// Outputs that input `at` reaches.
    std::uint64_t taps(std::size_t at, std::size_t outputs) const {
        std::uint64_t n = 0;
        each_output(at, outputs, [&](std::size_t, std::size_t) { ++n; });
        return n;
    }
};

/// Kernel of a convolution or window of a pool.
struct Window {
    WindowAxis rows, columns;
    bool operator==(const Window&) const = default;
    std::size_t taps() const { return rows.kernel * columns.kernel; }
};

/// The same along both axes.
constexpr Window square_window(std::size_t kernel, std::size_t stride = 1, std::size_t padding = 0) {
    const WindowAxis axis{kernel, stride, 1, padding, padding};
    return {axis, axis};
}

}  // namespace loom::arch
