// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "arch/program.hpp"

namespace loom {

/// A slice of a convolution: any kernel, stride, dilation and zeros, and input channels that reach any run of
/// output channels. pick(lo, hi): a random number from lo to hi.
template <class Pick>
arch::ConvRows random_conv(Pick pick) {
    arch::ConvRows c;
    arch::LinearShape& s = c.shape;
    s.in_h = pick(1, 6), s.in_w = pick(1, 6), s.in_c = pick(1, 3);
    s.out_h = pick(1, 5), s.out_w = pick(1, 5), s.out_c = pick(1, 5);
    for (arch::WindowAxis* axis : {&s.window.rows, &s.window.columns}) {
        axis->kernel = pick(1, 3), axis->stride = pick(1, 3), axis->dilation = pick(1, 2);
        axis->before = pick(0, 3);
    }
    std::uint32_t at = 0;
    const auto channels = static_cast<std::uint32_t>(s.out_c),
               taps = static_cast<std::uint32_t>(s.window.taps());
    for (std::size_t ci = 0; ci < s.in_c; ++ci) {
        c.co_first.push_back(pick(0, channels - 1));
        c.co_count.push_back(pick(0, channels - c.co_first.back()));
        c.weight_at.push_back(at);
        at += taps * c.co_count.back();
    }
    return c;
}

}  // namespace loom
