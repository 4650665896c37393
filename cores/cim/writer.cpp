// SPDX-License-Identifier: Apache-2.0
#include "cores/cim/writer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cores/cim/random.hpp"
#include "base/portable_math.hpp"

namespace loom::cores {

CimWriter::CimWriter(const arch::CimSpec& spec, const CimShape& shape, std::uint64_t seed, std::uint32_t core)
    : spec_(&spec), shape_(&shape), seed_(seed), core_(core), device_(pulse_device(spec)) {}

/// `count` pulses in one direction. False when the cell no longer answers (stuck or worn).
bool CimWriter::apply(bool up, Cell& cell, std::size_t row, std::size_t column, double count,
                      CimCounters& counters) {
    const auto& w = spec_->write;
    const std::size_t at = row * shape_->columns + column;
    const auto n = static_cast<std::uint64_t>(count);
    const auto energy = static_cast<std::uint64_t>(cell.g * 1000.0 * count + 0.5);
    (up ? counters.set_energy : counters.reset_energy) += energy;
    counters.write_pulses += n;
    counters.write_lines += n;
    if (!row_nS_.empty()) {
        const std::size_t array_row = row * shape_->column_blocks + column / spec_->array.cols;
        const std::size_t array_column = (row / spec_->array.rows) * shape_->columns + column;
        const double others = row_nS_[array_row] + column_nS_[array_column] - 2000.0 * cell.g;
        counters.half_select += static_cast<std::uint64_t>(std::max(0.0, others) * count + 0.5);
    }
    cell.pulses += n;
    const std::uint64_t before = life_[at];
    life_[at] += n;
    if (cells_->is_stuck(row, column)) return false;
    if (w.endurance > 0) {
        const CounterRng rng(seed_, cim_stream(CimDraw::Endurance));
        const double limit =
            w.endurance * portable_exp(w.endurance_sigma * rng.normal(cim_cell(row, column), core_));
        if (static_cast<double>(life_[at]) > limit) {
            if (static_cast<double>(before) <= limit) ++counters.worn_cells;
            return false;
        }
    }
    double normal = 0;
    if (device_.noisy()) {
        const CounterRng rng(seed_, cim_stream(CimDraw::WritePulse));
        const auto k = static_cast<std::uint32_t>(life_[at] & 0xffff),
                   high = static_cast<std::uint32_t>(life_[at] >> 16);
        normal = rng.normal(cim_cell(row, column), core_ ^ (high << 16), k);
    }
    cell.g = device_.after(cell.g, up, count, normal);
    return true;
}

std::uint64_t CimWriter::phase(bool up, Cell& cell, double goal, std::size_t row, std::size_t column,
                               CimCounters& counters) {
    const auto& w = spec_->write;
    const double range = spec_->device.Gmax - spec_->device.Gmin;
    if (!w.verify) {
        const PulseCurve& curve = device_.curve(up);
        const double distance = curve.pulses(goal) - curve.pulses(cell.g);
        const double n =
            std::min(std::floor((up ? distance : -distance) + 0.5), static_cast<double>(w.n_max));
        if (n < 1) return 0;
        apply(up, cell, row, column, n, counters);
        return static_cast<std::uint64_t>(n);
    }
    std::uint64_t n = 0;
    const double tolerance = std::max(w.tolerance * range, 1e-9 * range);
    while (cell.pulses < w.n_max && (up ? cell.g < goal - tolerance : cell.g > goal + tolerance)) {
        apply(up, cell, row, column, 1, counters);
        ++counters.verify_reads;
        ++n;
    }
    return n;
}

Cycles CimWriter::write_page(CimCells& cells, const std::vector<std::uint8_t>& target, std::vector<double>& g,
                             std::size_t first_row, std::size_t last_row, std::size_t first_column,
                             std::size_t last_column, CimCounters& counters) {
    const auto& w = spec_->write;
    const double tolerance = w.tolerance * (spec_->device.Gmax - spec_->device.Gmin);
    const std::size_t width = last_column - first_column;
    std::vector<Cell> page((last_row - first_row) * width);
    Cycles cycles = 0;
    const auto visit = [&](auto f) {
        for (std::size_t r = first_row; r < last_row; ++r) {
            for (std::size_t c = first_column; c < last_column; ++c) {
                const std::size_t at = r * shape_->columns + c;
                f(page[(r - first_row) * width + (c - first_column)], cells.target(target[at]), r, c, at);
            }
        }
    };
    visit([&](Cell& cell, double, std::size_t, std::size_t, std::size_t at) { cell.g = g[at]; });
    constexpr int kRounds = 16;  // SET and RESET again for what overshot
    for (int round = 0; round < (w.verify ? kRounds : 1); ++round) {
        std::uint64_t sets = 0, resets = 0;
        visit([&](Cell& cell, double goal, std::size_t r, std::size_t c, std::size_t) {
            sets = std::max(sets, phase(true, cell, goal, r, c, counters));
        });
        visit([&](Cell& cell, double goal, std::size_t r, std::size_t c, std::size_t) {
            resets = std::max(resets, phase(false, cell, goal, r, c, counters));
        });
        if (sets + resets == 0) break;
        cycles += (sets + resets) * (shape_->t_pulse + (w.verify ? shape_->t_verify : 0));
    }
    visit([&](Cell& cell, double goal, std::size_t, std::size_t, std::size_t at) {
        // within tolerance by its verify read; the level is what the cell stands for
        if (w.verify && std::abs(cell.g - goal) > std::max(tolerance, 1e-9 * goal)) ++counters.unverified;
        g[at] = cell.g;
    });
    return cycles;
}

void CimWriter::sum_neighbours(const CimCells& cells) {
    row_nS_.assign(shape_->cell_rows * shape_->column_blocks, 0.0);
    column_nS_.assign(shape_->columns * shape_->row_blocks, 0.0);
    for (std::size_t r = 0; r < shape_->cell_rows; ++r) {
        for (std::size_t c = 0; c < shape_->columns; ++c) {
            const double nS = cells.at(r, c) * 1000.0;
            row_nS_[r * shape_->column_blocks + c / spec_->array.cols] += nS;
            column_nS_[(r / spec_->array.rows) * shape_->columns + c] += nS;
        }
    }
}

/// SRAM and DRAM: a row in a cycle.
Cycles CimWriter::write_bits(CimCells& cells, std::vector<std::uint8_t> target, CimCounters& counters) {
    Cycles longest = 0;
    for (std::size_t first = 0; first < shape_->cell_rows; first += spec_->array.rows) {
        Cycles cycles = 0;
        for (std::size_t r = first; r < std::min<std::size_t>(first + spec_->array.rows, shape_->cell_rows);
             ++r) {
            const std::uint8_t* to = &target[r * shape_->columns];
            if (std::equal(to, to + shape_->columns, cells.levels(r))) continue;
            counters.cells_written += shape_->columns;
            ++cycles;
        }
        longest = std::max(longest, cycles);
    }
    cells.program(std::move(target));
    return longest;
}

Cycles CimWriter::write(CimCells& cells, std::vector<std::uint8_t> target, CimCounters& counters) {
    const auto type = spec_->array.type;
    if (type == arch::CimType::SramAnalog || type == arch::CimType::Dram ||
        type == arch::CimType::SramDigital) {
        return write_bits(cells, std::move(target), counters);
    }
    cells_ = &cells;
    life_.resize(shape_->cell_rows * shape_->columns);
    row_nS_.clear();
    if (type == arch::CimType::RramXbar) sum_neighbours(cells);
    std::vector<double> g(target.size());
    for (std::size_t i = 0; i < g.size(); ++i) g[i] = cells.at(i / shape_->columns, i % shape_->columns);
    const std::size_t rows = spec_->array.rows, cols = spec_->array.cols;
    Cycles longest = 0;
    for (std::size_t row = 0; row < shape_->cell_rows; row += rows) {
        const std::size_t row_end = std::min<std::size_t>(row + rows, shape_->cell_rows);
        for (std::size_t column = 0; column < shape_->columns; column += cols) {
            const std::size_t column_end = std::min<std::size_t>(column + cols, shape_->columns);
            Cycles cycles = 0;
            for (std::size_t page = row; page < row_end; page += spec_->write.page_rows) {
                const std::size_t page_end = std::min<std::size_t>(page + spec_->write.page_rows, row_end);
                cycles += write_page(cells, target, g, page, page_end, column, column_end, counters);
            }
            longest = std::max(longest, cycles);
        }
    }
    cells.set_written(std::move(target), std::move(g));
    cells_ = nullptr;
    return longest;
}

}  // namespace loom::cores
