// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "cores/cim/shape.hpp"
#include "arch/cim_spec.hpp"

namespace loom::cores {

struct CimWeights;

/// The cells of a matrix: target levels, and conductances where they are not ideal.
class CimCells {
  public:
    /// Throws InputError for weights beyond weight_bits.
    CimCells(const arch::CimSpec& spec, const CimShape& shape, std::uint64_t seed, std::uint32_t core);

    /// Weights as target levels [rows, columns]. Throws InputError.
    std::vector<std::uint8_t> levels_of(const CimWeights& weights) const;
    /// Cells are programmed to these levels: one programming draw per cell, stuck cells.
    void program(std::vector<std::uint8_t> levels);
    /// Cells hold these conductances (uS) from now on, with these targets.
    void set_written(std::vector<std::uint8_t> levels, std::vector<double> conductances);
    /// Another point of the trajectory of each cell.
    void set_age(double seconds);

    /// All cells are exactly at their level.
    bool exact() const { return exact_; }
    const std::uint8_t* levels(std::size_t row) const { return &levels_[row * columns_]; }
    const std::vector<std::uint8_t>& all_levels() const { return levels_; }
    /// Conductances of a row, uS (levels themselves for cells that are no conductances).
    const double* row(std::size_t row) const { return &now_[row * columns_]; }
    double at(std::size_t row, std::size_t column) const;
    /// Conductance of level 0 and of one level more, in the unit of row().
    double base() const { return base_; }
    double unit() const { return unit_; }
    double target(std::uint8_t level) const { return base_ + unit_ * level; }
    /// Sum over a row: nS (conducting cells) or levels (charge).
    std::uint64_t row_sum(std::size_t row) const { return row_sum_[row]; }
    bool is_stuck(std::size_t row, std::size_t column) const;

  private:
    double programmed(std::size_t row, std::size_t column) const;
    double aged(double start, std::size_t row, std::size_t column) const;
    void refresh();

    const arch::CimSpec* spec_;
    std::size_t rows_, columns_;
    std::uint64_t seed_;
    std::uint32_t core_;
    bool conductances_, charge_, noisy_, written_ = false, exact_ = true;
    double base_ = 0, unit_ = 1, age_ = 0;
    std::uint64_t top_level_;
    std::vector<std::uint8_t> levels_;
    std::vector<double> start_, now_;  ///< right after programming, and at `age_`; empty when exact
    std::vector<std::uint64_t> row_sum_;
};

}  // namespace loom::cores
