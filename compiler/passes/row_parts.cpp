// SPDX-License-Identifier: Apache-2.0
#include "compiler/passes/row_parts.hpp"

#include <algorithm>

namespace loom::compiler {

std::vector<RowSpan> row_chunks(const std::vector<LoweredProjection>& lowered,
                                const std::vector<std::uint32_t>& into, const Slice& slice,
                                std::uint64_t array_rows, std::uint64_t at_least) {
    std::vector<RowSpan> chunks;
    for (const std::uint32_t p : into) {
        const LoweredProjection& l = lowered[p];
        const AxonMap map(l, slice, p);
        std::uint64_t units = map.count(), rows = 1;  // rows of a unit
        if (l.form == LoweredProjection::Form::Conv) {
            units = map.window().c1 - map.window().c0;
            rows = l.conv.window.taps();
        }
        const std::uint64_t fill = std::max<std::uint64_t>(array_rows / rows, 1);
        const std::uint64_t wanted = std::max<std::uint64_t>((units + at_least - 1) / at_least, 1);
        const std::uint64_t run = std::min(fill, wanted);
        for (std::uint64_t u = 0; u < units; u += run) {
            chunks.push_back(
                {p, static_cast<std::uint32_t>(u), static_cast<std::uint32_t>(std::min(u + run, units))});
        }
    }
    return chunks;
}

std::vector<Slice> row_parts(const Slice& slice, const std::vector<RowSpan>& chunks, std::size_t n) {
    std::vector<Slice> parts(n, slice);
    if (n == 1) return parts;
    for (std::size_t i = 0; i < n; ++i) {
        parts[i].has_neurons = i == 0;
        for (std::size_t c = chunks.size() * i / n; c < chunks.size() * (i + 1) / n; ++c) {
            auto& rows = parts[i].rows;
            if (!rows.empty() && rows.back().projection == chunks[c].projection) {
                rows.back().last = chunks[c].last;
            } else {
                rows.push_back(chunks[c]);
            }
        }
    }
    return parts;
}

}  // namespace loom::compiler
