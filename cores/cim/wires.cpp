// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/wires.hpp"

#include <algorithm>

namespace loom::cores {
namespace {

constexpr std::size_t kTile = 32;  // columns at a time: what a pass touches stays in the L1 cache
constexpr double kWide = 1e9;      // a wire without resistance, as a conductance in uS

}  // namespace

void ColumnDrop::currents(std::span<const double* const> rows, std::span<const std::uint32_t> positions,
                          std::size_t n_rows, std::size_t n_columns, double r_ohm, std::size_t passes,
                          double* out) {
    const std::size_t n = rows.size();
    const double r = r_ohm * 1e-6;  // ohm * uS
    v_.resize(std::max(v_.size(), n * kTile));
    for (std::size_t first = 0; first < n_columns; first += kTile) {
        const std::size_t width = std::min(kTile, n_columns - first);
        double total[kTile], start[kTile], below[kTile], drop[kTile];
        for (std::size_t pass = 0; pass < passes; ++pass) {
            std::fill_n(total, width, 0.0);
            std::fill_n(start, width, 0.0);
            for (std::size_t k = 0; k < n; ++k) {
                const double* g = rows[k] + first;
                const double* v = &v_[k * kTile];
                const auto under = static_cast<double>(n_rows - positions[k]);  // source-line segments
                for (std::size_t c = 0; c < width; ++c) {
                    const double i = pass == 0 ? g[c] : g[c] * v[c];
                    total[c] += i;
                    start[c] += i * under;
                }
            }
            if (n == 0) break;
            // drop at the first driven row, then row by row: a segment further down the bitline carries what
            // lies below, a segment less of the source line what lies above
            const auto above = static_cast<double>(positions[0] + 1);
            for (std::size_t c = 0; c < width; ++c) {
                drop[c] = r * (above * total[c] + start[c]);
                below[c] = total[c];
            }
            for (std::size_t k = 0; k < n; ++k) {
                const double* g = rows[k] + first;
                double* v = &v_[k * kTile];
                const double segments =
                    k + 1 < n ? r * static_cast<double>(positions[k + 1] - positions[k]) : 0.0;
                for (std::size_t c = 0; c < width; ++c) {
                    const double old = pass == 0 ? 1.0 : v[c];
                    below[c] -= g[c] * old;
                    v[c] = old / (old + drop[c]);
                    drop[c] += segments * (below[c] + below[c] - total[c]);
                }
            }
        }
        for (std::size_t c = 0; c < width; ++c) total[c] = 0;
        for (std::size_t k = 0; k < n; ++k) {
            for (std::size_t c = 0; c < width; ++c) total[c] += rows[k][first + c] * v_[k * kTile + c];
        }
        std::copy_n(total, width, out + first);
    }
}

void LineRelaxation::currents(const double* g, std::size_t stride, std::span<const std::uint8_t> driven,
                              std::size_t n_columns, double r_row_ohm, double r_col_ohm, std::size_t sweeps,
                              double* out) {
    const std::size_t n_rows = driven.size();
    row_v_.assign(n_rows * n_columns, 0.0);
    column_v_.assign(n_rows * n_columns, 0.0);
    factor_.resize(std::max(n_columns, n_rows * n_columns));
    const double row_wire = r_row_ohm > 0 ? 1e6 / r_row_ohm : kWide;
    const double column_wire = r_col_ohm > 0 ? 1e6 / r_col_ohm : kWide;
    before_.assign(n_columns, 0.0);
    change_.assign(n_columns, 0.0);
    double left = 0;  // the part of an error that the last sweep left
    for (std::size_t s = 0; s < sweeps; ++s) {
        solve_rows(g, stride, driven, n_columns, row_wire);
        solve_columns(g, stride, n_rows, n_columns, column_wire);
        double now_before = 0, before_before = 0;
        for (std::size_t c = 0; c < n_columns; ++c) {
            const double current = column_v_[(n_rows - 1) * n_columns + c] * column_wire;
            const double change = current - before_[c];
            now_before += change * change_[c];
            before_before += change_[c] * change_[c];
            before_[c] = current;
            change_[c] = change;
        }
        left = s < 2 || before_before <= 0 ? 0 : std::clamp(now_before / before_before, -0.9, 0.9);
    }
    for (std::size_t c = 0; c < n_columns; ++c) out[c] = before_[c] + change_[c] * left / (1 - left);
}

/// Each row with the column voltages as they are: driven at the left, open at the right.
void LineRelaxation::solve_rows(const double* g, std::size_t stride, std::span<const std::uint8_t> driven,
                                std::size_t n_columns, double wire) {
    for (std::size_t i = 0; i < driven.size(); ++i) {
        double* v = &row_v_[i * n_columns];
        const double* cv = &column_v_[i * n_columns];
        double factor = 0, left = driven[i] != 0 ? 1.0 : 0.0;
        for (std::size_t j = 0; j < n_columns; ++j) {
            const double here = g[i * stride + j];
            const double sum = here + wire * (j + 1 < n_columns ? 2.0 : 1.0);
            const double pivot = 1.0 / (sum - wire * factor);
            left = (here * cv[j] + wire * left) * pivot;
            factor = wire * pivot;
            factor_[j] = factor;
            v[j] = left;
        }
        for (std::size_t j = n_columns - 1; j-- > 0;) v[j] += factor_[j] * v[j + 1];
    }
}

/// Each column with the row voltages as they are: open at the top, grounded at the bottom. Row by row
/// through all columns, so that memory is read in order.
void LineRelaxation::solve_columns(const double* g, std::size_t stride, std::size_t n_rows,
                                   std::size_t n_columns, double wire) {
    for (std::size_t i = 0; i < n_rows; ++i) {
        for (std::size_t j = 0; j < n_columns; ++j) {
            const std::size_t at = i * n_columns + j;
            const double here = g[i * stride + j];
            const double up = i == 0 ? 0.0 : wire;
            const double factor = i == 0 ? 0.0 : factor_[at - n_columns];
            const double above = i == 0 ? 0.0 : column_v_[at - n_columns];
            const double pivot = 1.0 / (here + up + wire - up * factor);
            column_v_[at] = (here * row_v_[at] + up * above) * pivot;
            factor_[at] = wire * pivot;
        }
    }
    for (std::size_t i = n_rows - 1; i-- > 0;) {
        for (std::size_t j = 0; j < n_columns; ++j) {
            const std::size_t at = i * n_columns + j;
            column_v_[at] += factor_[at] * column_v_[at + n_columns];
        }
    }
}

}  // namespace loom::cores
