// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/slices.hpp"

#include <algorithm>
#include <utility>

namespace loom::compiler {

using Form = LoweredProjection::Form;

namespace {

/// Rows that reach the slice and are of its part of the rows, and their entries there.
SliceMatrix sparse_matrix(const LoweredProjection& l, const Slice& s, std::uint32_t projection) {
    const RowSpan span = s.span(projection);
    SliceMatrix m;
    m.matrix.indexed = true;
    std::uint64_t reached = 0;
    for (std::uint32_t a = 0; a < l.n_axons; ++a) {
        std::uint64_t entries = 0;
        for (std::uint32_t i = l.targets.first[a]; i < l.targets.first[a + 1]; ++i)
            entries += s.contains(l.targets.items[i]) ? 1u : 0u;
        if (entries == 0 || reached++ < span.first || reached > span.last) continue;
        ++m.axons;
        m.matrix.weights += entries;
    }
    m.matrix.size = {m.axons, s.count(), 1};
    return m;
}

/// Input channels of the window; of each the kernels of the output channels that it reaches.
SliceMatrix conv_matrix(const LoweredProjection& l, const Slice& s, std::uint32_t projection) {
    const AxonMap map(l, s, projection);
    const ConvWindow& w = map.window();
    const std::uint64_t taps = l.conv.window.taps();
    SliceMatrix m;
    m.axons = map.count();
    for (std::uint32_t ci = w.c0; ci < w.c1; ++ci)
        m.matrix.weights += reached_channels(l.conv, s, ci).count * taps;
    m.matrix.size = {taps * (w.c1 - w.c0), s.c1 - s.c0, std::uint64_t{s.y1 - s.y0} * (s.x1 - s.x0)};
    return m;
}

SliceMatrix dense_matrix(const LoweredProjection& l, const Slice& s, std::uint32_t projection) {
    SliceMatrix m;
    m.axons = AxonMap(l, s, projection).count();
    m.matrix.weights = m.axons * s.count();
    m.matrix.size = {m.axons, s.count(), 1};
    return m;
}

}  // namespace

SliceMatrix slice_matrix(const LoweredProjection& l, const Slice& s, std::uint32_t projection,
                         std::uint64_t copies) {
    SliceMatrix m = l.form == Form::Dense  ? dense_matrix(l, s, projection)
                    : l.form == Form::Conv ? conv_matrix(l, s, projection)
                                           : sparse_matrix(l, s, projection);
    m.matrix.copies = copies;
    return m;
}

std::uint64_t matrix_copies(const LoweredProjection& l, const Slice& s, std::uint64_t duplicate) {
    return l.form == Form::Conv ? std::min(duplicate, std::uint64_t{s.y1 - s.y0} * (s.x1 - s.x0)) : 1;
}

ConvWindow conv_window(const arch::LinearShape& s, const Slice& slice) {
    const auto rows = s.window.rows.inputs_seen(slice.y0, slice.y1, s.in_h);
    const auto columns = s.window.columns.inputs_seen(slice.x0, slice.x1, s.in_w);
    const std::size_t c0 = slice.c0 / s.group_outputs() * s.group_inputs();
    const std::size_t c1 = ((slice.c1 - 1) / s.group_outputs() + 1) * s.group_inputs();
    const auto small = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
    return {small(c0),         small(c1), small(rows.first), small(rows.end), small(columns.first),
            small(columns.end)};
}

ChannelSpan reached_channels(const arch::LinearShape& s, const Slice& slice, std::uint32_t ci) {
    const std::size_t group = ci / s.group_inputs();
    const auto first = std::max<std::size_t>(slice.c0, group * s.group_outputs());
    const auto last = std::min<std::size_t>(slice.c1, (group + 1) * s.group_outputs());
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
