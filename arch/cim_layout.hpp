// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "arch/cim_spec.hpp"
#include "base/counter_math.hpp"

namespace loom::arch {

/// How a rows x outputs matrix lies in arrays.
struct CimLayout {
    std::uint64_t rows = 0, outputs = 0;
    std::uint64_t slices = 0;              ///< cells that hold a weight's bits
    std::uint64_t columns_per_weight = 0;  ///< slices x (2 if differential)
    std::uint64_t rows_per_weight = 1;     ///< 2 with pairs of rows
    std::uint64_t row_blocks = 0, column_blocks = 0;
    std::uint64_t columns() const { return outputs * columns_per_weight; }
    std::uint64_t arrays() const { return row_blocks * column_blocks; }
    std::uint64_t cell_rows() const { return rows * rows_per_weight; }
    std::uint64_t cells() const { return cell_rows() * columns(); }
};

/// Rows of an array for weights, beside the membranes of `positions` output positions (event_row); 0: none
/// left.
inline std::uint64_t weight_rows(const CimArraySpec& a, std::uint64_t positions) {
    const std::uint64_t membranes = a.membrane_rows * positions;
    return membranes < a.rows ? a.rows - membranes : 0;
}

/// positions: output positions that a copy of the matrix serves.
inline CimLayout cim_layout(const CimSpec& s, std::uint64_t rows, std::uint64_t outputs,
                            std::uint64_t positions = 1) {
    constexpr std::uint64_t kTooMany = std::uint64_t{1} << 32;  // of row blocks
    const std::uint64_t cb = s.array.cell_bits, bits = s.weights.weight_bits;
    CimLayout l;
    l.rows = rows;
    l.outputs = outputs;
    switch (s.weights.encoding) {
        case CimEncoding::DifferentialRows:
            l.rows_per_weight = 2;
            [[fallthrough]];
        case CimEncoding::Differential:
            l.slices = ceil_div(bits - 1, cb);
            break;
        case CimEncoding::Offset:
            l.slices = ceil_div(bits, cb);
            break;
        case CimEncoding::TwosComplement:
            l.slices = 1 + ceil_div(bits - 1, cb);  // the sign bit has a cell of its own
            break;
    }
    l.columns_per_weight = l.slices * (s.weights.encoding == CimEncoding::Differential ? 2 : 1);
    const std::uint64_t of_array = weight_rows(s.array, positions);
    l.row_blocks = of_array != 0 ? ceil_div(l.cell_rows(), of_array) : kTooMany;
    l.column_blocks = ceil_div(l.columns(), s.array.cols);
    return l;
}

}  // namespace loom::arch
