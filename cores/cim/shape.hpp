// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>

#include "arch/cim_spec.hpp"

namespace loom::cores {

/// How a matrix lies in arrays, and the durations of the stages in cycles.
struct CimShape {
    std::uint64_t rows = 0, outputs = 0;   ///< of the matrix
    std::uint64_t slices = 0;              ///< cells that hold a weight's bits
    std::uint64_t columns_per_weight = 0;  ///< slices x (2 if differential)
    std::uint64_t columns = 0;             ///< physical columns in all
    std::uint64_t cell_rows = 0;           ///< physical rows in all: `rows`, or twice that
    bool row_pairs = false;                ///< rows 2i and 2i + 1 are driven with +V and -V
    std::uint64_t row_blocks = 0, column_blocks = 0;
    std::uint64_t adcs = 0;       ///< converters of an array
    std::uint64_t mux_steps = 0;  ///< conversion steps per row set
    std::uint64_t converted = 0;  ///< conversions per row set: columns, or pairs (analog subtraction)
    std::uint64_t t_wl = 0, t_rd = 0, t_sh = 0, t_adc = 0, t_sa = 0, t_restore = 0;
    std::uint64_t t_pulse = 0, t_verify = 0;
    std::uint64_t tree = 0;        ///< levels of the tree that joins row blocks
    std::uint64_t fetch = 0;       ///< cycles to fetch a vector
    std::uint64_t adder_pipe = 0;  ///< adder tree: cycles from the last row set to its sums
    std::uint64_t clocked = 0;     ///< adder tree: columns that are clocked
    double period_ps = 1000;
    std::uint64_t arrays() const { return row_blocks * column_blocks; }
    /// Used cells / cells of the arrays, in [0, 1].
    double utilisation(const arch::CimSpec& spec) const;
};

/// Throws ConfigError (keys below `path`) for what a reader cannot see: more rows in parallel than rows,
/// cells wider than weights, packed rows without a latch per row, ...
void check_cim(const arch::CimSpec& spec, const std::string& path = "");
/// The array as its weights see it: without the rows that hold the membranes of so many output positions.
/// Throws ConfigError when none is left.
arch::CimSpec beside_membranes(arch::CimSpec spec, std::uint64_t positions, const std::string& path = "");
/// The layout of a rows x outputs matrix. period_ps: clock when timing.f_clk is 0;
/// 0: the fastest that the adders allow (t_add), or 1 GHz.
CimShape cim_shape(const arch::CimSpec& spec, std::uint64_t rows, std::uint64_t outputs, double period_ps,
                   const std::string& path = "");

}  // namespace loom::cores
