// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "cores/cim/shape.hpp"
#include "arch/cim_spec.hpp"

namespace loom::cores {

/// Rows that fire together in one row block: active[begin, end).
struct CimRowSet {
    std::uint32_t block, begin, end;
    std::uint64_t row_sum;  ///< of their cells, nS or levels
};

/// The row sets of a vector, block by block, as rows.row_select says. active: driven rows of
/// cells, ascending.
inline void select_row_sets(const arch::CimSpec& spec, const CimShape& shape,
                            std::span<const std::uint32_t> active, std::vector<CimRowSet>& sets) {
    sets.clear();
    const std::size_t parallel = spec.rows.rows_parallel;
    const auto n = static_cast<std::uint32_t>(active.size());
    std::uint32_t at = 0;
    for (std::uint32_t b = 0; b < shape.row_blocks; ++b) {
        const std::size_t first = b * spec.array.rows;
        const std::size_t end = std::min<std::size_t>(first + spec.array.rows, shape.cell_rows);
        if (spec.rows.row_select == arch::CimRowSelect::Packed) {
            while (at < n && active[at] < end) {
                const std::uint32_t begin = at;
                while (at < n && at - begin < parallel && active[at] < end) ++at;
                sets.push_back({b, begin, at, 0});
            }
            continue;
        }
        for (std::size_t group = first; group < end; group += parallel) {
            const std::size_t group_end = std::min(group + parallel, end);
            const std::uint32_t begin = at;
            while (at < n && active[at] < group_end) ++at;
            if (begin != at || spec.rows.row_select == arch::CimRowSelect::All)
                sets.push_back({b, begin, at, 0});
        }
    }
}

}  // namespace loom::cores
