// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/slices.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace loom::compiler {

using Form = LoweredProjection::Form;

arch::MatrixSize slice_matrix(const LoweredProjection& l, const Slice& s, std::uint32_t projection) {
    const AxonMap map(l, s, projection);
    if (l.form != Form::Conv) return {map.count(), s.count(), 1};
    const ConvWindow& w = map.window();
    return {l.conv.kernel_h * l.conv.kernel_w * (w.c1 - w.c0), s.c1 - s.c0,
            std::uint64_t{s.y1 - s.y0} * (s.x1 - s.x0)};
}

std::uint64_t matrix_copies(const LoweredProjection& l, const Slice& s, std::uint64_t duplicate) {
    return l.form == Form::Conv ? std::min(duplicate, std::uint64_t{s.y1 - s.y0} * (s.x1 - s.x0)) : 1;
}

ConvWindow conv_window(const ConvShape& s, const Slice& slice) {
    const auto range = [](std::uint32_t o0, std::uint32_t o1, std::size_t stride, std::size_t dilation,
                          std::size_t kernel, std::int64_t pad, std::size_t in) {
        const auto low = static_cast<std::int64_t>(o0 * stride) - pad;
        const auto high = static_cast<std::int64_t>((o1 - 1) * stride + (kernel - 1) * dilation) - pad + 1;
        const auto a = std::clamp<std::int64_t>(low, 0, static_cast<std::int64_t>(in));
        const auto b = std::clamp<std::int64_t>(high, a, static_cast<std::int64_t>(in));
        return std::pair{static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b)};
    };
    ConvWindow w;
    std::tie(w.y0, w.y1) = range(slice.y0, slice.y1, s.stride_y, s.dilation_y, s.kernel_h, s.pad_y, s.in_h);
    std::tie(w.x0, w.x1) = range(slice.x0, slice.x1, s.stride_x, s.dilation_x, s.kernel_w, s.pad_x, s.in_w);
    w.c0 = static_cast<std::uint32_t>(slice.c0 / s.out_per_group() * s.in_per_group());
    w.c1 = static_cast<std::uint32_t>(((slice.c1 - 1) / s.out_per_group() + 1) * s.in_per_group());
    return w;
}

ChannelSpan reached_channels(const ConvShape& s, const Slice& slice, std::uint32_t ci) {
    const std::size_t group = ci / s.in_per_group();
    const auto first = std::max<std::size_t>(slice.c0, group * s.out_per_group());
    const auto last = std::min<std::size_t>(slice.c1, (group + 1) * s.out_per_group());
    if (first >= last) return {};
    return {static_cast<std::uint32_t>(first - slice.c0), static_cast<std::uint32_t>(last - first)};
}

AxonMap::AxonMap(const LoweredProjection& lowered, const Slice& slice, std::uint32_t projection)
    : lowered_(&lowered) {
    const RowSpan span = slice.span(projection);
    const auto clipped = [&](std::uint32_t n) {
        return std::pair{std::min(span.first, n), std::min(span.last, n)};
    };
    if (lowered.form == Form::Dense) {
        const auto [first, last] = clipped(lowered.n_axons);
        first_ = first;
        count_ = last - first;
    } else if (lowered.form == Form::Conv) {
        window_ = conv_window(lowered.conv, slice);
        const auto [first, last] = clipped(window_.c1 - window_.c0);
        window_.c1 = window_.c0 + last;
        window_.c0 += first;
        count_ = window_.axons();
    } else {
        dense_index_.assign(lowered.n_axons, kAbsent);
        std::uint32_t seen = 0;
        for (std::uint32_t a = 0; a < lowered.n_axons; ++a) {
            bool reaches = false;
            for (std::uint32_t i = lowered.targets.first[a]; i < lowered.targets.first[a + 1] && !reaches;
                 ++i) {
                reaches = slice.contains(lowered.targets.items[i]);
            }
            if (!reaches || seen++ < span.first || seen > span.last) continue;
            dense_index_[a] = static_cast<std::uint32_t>(kept_.size());
            kept_.push_back(a);
        }
        count_ = static_cast<std::uint32_t>(kept_.size());
    }
}

}  // namespace loom::compiler
