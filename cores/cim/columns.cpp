// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/columns.hpp"

#include <algorithm>
#include <cmath>

#include "cores/cim/random.hpp"
#include "base/portable_math.hpp"

namespace loom::cores {

CimColumns::CimColumns(const arch::CimSpec& s, const CimShape& shape, const CimCells& cells,
                       std::uint64_t seed, std::uint32_t core)
    : spec_(&s), shape_(&shape), cells_(&cells), seed_(seed), core_(core) {
    const auto& d = s.device;
    ideal_ = d.read_noise == 0 && d.rtn_amplitude == 0 && d.column_sigma == 0 && d.compression == 0 &&
             d.bitline_cap == 0 && d.r_col == 0 && d.r_row == 0;
    y_.resize(shape.columns);
    squares_.resize(d.read_noise > 0 ? shape.columns : 0);
    if (d.column_sigma > 0) {
        const CounterRng rng(seed, cim_stream(CimDraw::ColumnGain));
        for (std::uint64_t c = 0; c < shape.columns; ++c) {
            column_gain_.push_back(1.0 + d.column_sigma * rng.normal(c, core));
        }
    }
}

std::span<const double> CimColumns::read(std::span<const std::uint32_t> rows, std::uint64_t set,
                                         std::uint64_t step) {
    const auto& d = spec_->device;
    row_pointers_.clear();
    if (cells_->exact()) {
        // exact cells, but wires or noise: their conductances are formed row by row
        exact_rows_.resize(std::max(exact_rows_.size(), rows.size() * shape_->columns));
        for (std::size_t k = 0; k < rows.size(); ++k) {
            const std::uint8_t* levels = cells_->levels(rows[k]);
            double* g = &exact_rows_[k * shape_->columns];
            for (std::size_t c = 0; c < shape_->columns; ++c)
                g[c] = cells_->base() + cells_->unit() * levels[c];
            row_pointers_.push_back(g);
        }
    } else {
        for (const std::uint32_t r : rows) row_pointers_.push_back(cells_->row(r));
    }
    if (d.rtn_amplitude > 0) add_two_level_noise(rows, step);
    sum_currents(rows);
    if (d.read_noise > 0) add_read_noise(rows, set, step);

    const double base = shape_->row_pairs ? 0.0 : static_cast<double>(rows.size()) * cells_->base(),
                 unit = 1.0 / cells_->unit();
    for (double& y : y_) y = (y - base) * unit;
    if (!column_gain_.empty()) {
        for (std::size_t c = 0; c < y_.size(); ++c) y_[c] *= column_gain_[c];
    }
    if (d.compression > 0) {
        for (double& y : y_) y /= 1.0 + d.compression * std::abs(y);
    }
    if (d.bitline_cap > 0) {
        const double shared = (d.bitline_cap + 1.0) / (d.bitline_cap + static_cast<double>(rows.size()));
        for (double& y : y_) y *= shared;
    }
    return y_;
}

void CimColumns::sum_currents(std::span<const std::uint32_t> rows) {
    const auto& d = spec_->device;
    const std::size_t n = shape_->columns;
    if (rows.empty() || (d.r_col == 0 && d.r_row == 0)) {
        std::fill(y_.begin(), y_.end(), 0.0);
        for (std::size_t k = 0; k < rows.size(); ++k) {
            const double* g = row_pointers_[k];
            if (shape_->row_pairs && rows[k] % 2 != 0) {
                for (std::size_t c = 0; c < n; ++c) y_[c] -= g[c];
            } else {
                for (std::size_t c = 0; c < n; ++c) y_[c] += g[c];
            }
        }
        return;
    }
    const std::size_t block = rows[0] / spec_->array.rows * spec_->array.rows;
    if (spec_->array.type != arch::CimType::RramXbar) {
        positions_.clear();
        for (const std::uint32_t r : rows) positions_.push_back(static_cast<std::uint32_t>(r - block));
        column_drop_.currents(row_pointers_, positions_, spec_->array.rows, n, d.r_col, d.ir_passes,
                              y_.data());
        return;
    }
    // A passive array conducts through the rows that are not driven, too: all its rows take part.
    const std::size_t block_rows = std::min<std::size_t>(spec_->array.rows, shape_->cell_rows - block);
    driven_.assign(block_rows, 0);
    for (const std::uint32_t r : rows) driven_[r - block] = 1;
    patch_.resize(block_rows * n);
    for (std::size_t r = 0; r < block_rows; ++r) {
        for (std::size_t c = 0; c < n; ++c) patch_[r * n + c] = cells_->at(block + r, c);
    }
    for (std::size_t k = 0; k < rows.size(); ++k) {
        std::copy_n(row_pointers_[k], n, &patch_[(rows[k] - block) * n]);
    }
    for (std::size_t c = 0; c < n; c += spec_->array.cols) {
        relaxation_.currents(&patch_[c], n, driven_, std::min<std::size_t>(spec_->array.cols, n - c), d.r_row,
                             d.r_col, d.ir_sweeps, &y_[c]);
    }
}

void CimColumns::add_two_level_noise(std::span<const std::uint32_t> rows, std::uint64_t step) {
    const std::size_t n = shape_->columns;
    exact_rows_.resize(std::max(exact_rows_.size(), rows.size() * n));
    for (std::size_t k = 0; k < rows.size(); ++k) {
        double* g = &exact_rows_[k * n];
        if (row_pointers_[k] != g) std::copy_n(row_pointers_[k], n, g);
        for (std::size_t c = 0; c < n; ++c) g[c] *= two_level(rows[k], c, step);
        row_pointers_[k] = g;
    }
}

/// A cell chooses its level anew at one instant in each epoch; between the instants it stays. The epochs are
/// 1 / (1/high + 1/low) steps long, so that the mean stays are those asked for. No history is needed.
double CimColumns::two_level(std::uint64_t row, std::uint64_t column, std::uint64_t step) const {
    const auto& d = spec_->device;
    const double epoch = d.rtn_dwell_high * d.rtn_dwell_low / (d.rtn_dwell_high + d.rtn_dwell_low);
    const double at = static_cast<double>(step) / epoch + 1.0;
    auto number = static_cast<std::uint32_t>(at);
    const CounterRng rng(seed_, cim_stream(CimDraw::TwoLevelState));
    const std::uint32_t core = core_ & 0xffffu;
    auto block = rng.block(cim_cell(row, column), number, core);
    if (at - number < block[0] * 0x1p-32) block = rng.block(cim_cell(row, column), number - 1, core);
    const double high = d.rtn_dwell_high / (d.rtn_dwell_high + d.rtn_dwell_low);
    return block[1] * 0x1p-32 < high ? 1.0 + d.rtn_amplitude / 2 : 1.0 - d.rtn_amplitude / 2;
}

/// Independent noise of all cells is one draw per column: sigma^2 = sum of (read_noise G)^2.
void CimColumns::add_read_noise(std::span<const std::uint32_t> rows, std::uint64_t set, std::uint64_t step) {
    std::fill(squares_.begin(), squares_.end(), 0.0);
    const std::size_t n = shape_->columns;
    for (std::size_t k = 0; k < rows.size(); ++k) {
        const double* g = row_pointers_[k];
        for (std::size_t c = 0; c < n; ++c) squares_[c] += g[c] * g[c];
    }
    const CounterRng rng(seed_, cim_stream(CimDraw::Read));
    const auto time = static_cast<std::uint32_t>(step);
    for (std::size_t c = 0; c < n; c += 4) {
        const auto words =
            rng.block(cim_read(core_, set, c), time, static_cast<std::uint32_t>((c & 0xffffu) >> 2));
        for (std::size_t i = 0; i < std::min<std::size_t>(4, n - c); ++i) {
            y_[c + i] += spec_->device.read_noise * std::sqrt(squares_[c + i]) * normal_of_word(words[i]);
        }
    }
}

}  // namespace loom::cores
