// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/counter_math.hpp"
#include "base/error.hpp"
#include "cores/cim/array.hpp"
#include "cores/cim/array_time.hpp"
#include "cores/cim/cells.hpp"
#include "cores/cim/columns.hpp"
#include "cores/cim/converter.hpp"
#include "cores/cim/psum_width.hpp"
#include "cores/cim/row_sets.hpp"
#include "cores/cim/writer.hpp"

namespace loom::cores {

/// What is behind a CimArray: values and events; its time is ArrayTime's. For array.cpp only.
struct CimArray::Impl {
    using CimEncoding = arch::CimEncoding;
    using CimRowSelect = arch::CimRowSelect;
    using CimType = arch::CimType;

    Impl(const arch::CimSpec& s, CimWeights w, const CimContext& c)
        : spec(beside_membranes(s, c.positions, c.path)),
          context(c),
          shape(cim_shape(spec, w.rows, w.outputs, c.period_ps, c.path)),
          cells(spec, shape, c.seed, c.core),
          columns(spec, shape, cells, c.seed, c.core),
          converter(spec, c.seed, c.core, shape.arrays() * shape.adcs),
          writer(spec, shape, c.seed, c.core),
          time(spec, shape),
          width(s.psum) {
        if (w.rows == 0 || w.outputs == 0) throw InputError("weights: empty");
        digital = spec.array.type == CimType::SramDigital;
        event_row = spec.array.event_row();
        voltage = spec.array.readout == arch::CimReadout::Voltage;
        charge = spec.array.type == CimType::Dram || spec.array.readout == arch::CimReadout::Charge;
        make_terms();
        number_converters();
        std::vector<std::uint8_t> levels = cells.levels_of(w);
        weights = std::move(w);
        cells.program(std::move(levels));
        levels_changed();
        sums.resize(shape.outputs);
        block_sums.resize(shape.outputs);
        row_sums.resize(shape.outputs);
        column_sums.resize(shape.columns);
        reset_stages();
    }

    /// A column of a weight: what one level counts.
    void make_terms() {
        const auto cb = static_cast<int>(spec.array.cell_bits);
        for (std::uint64_t i = 0; i < shape.slices; ++i) {
            std::int64_t value = std::int64_t{1} << (cb * static_cast<int>(i));
            if (spec.weights.encoding == CimEncoding::TwosComplement && i + 1 == shape.slices) {
                value = -(std::int64_t{1} << (spec.weights.weight_bits - 1));
            }
            terms.push_back(value);
            if (spec.weights.encoding == CimEncoding::Differential && !analog()) terms.push_back(-value);
        }
    }
    bool analog() const { return spec.weights.sub_position == arch::CimSubtraction::Analog; }
    std::int64_t offset() const {
        return spec.weights.encoding == CimEncoding::Offset
                   ? std::int64_t{1} << (spec.weights.weight_bits - 1)
                   : 0;
    }

    /// A converter serves adc_share neighbours.
    void number_converters() {
        if (digital) return;
        for (std::size_t c = 0; c < shape.columns; ++c) {
            const std::size_t inside = c % spec.array.cols / spec.adc.adc_share;
            adc_of_column.push_back(c / spec.array.cols * shape.adcs +
                                    std::min<std::size_t>(inside, shape.adcs - 1));
        }
    }
    /// What the matrix is when all cells are at level 0.
    void erased() {
        std::fill(weights.values.begin(), weights.values.end(), static_cast<std::int32_t>(-offset()));
        levels_changed();
    }

    void levels_changed() { weights_exact = columns.ideal() && (digital || converter.exact()); }
    void reset_stages() { time.reset(); }

    // ---- values ---------------------------------------------------------------------------------

    /// The row sets of a vector. Returns the rows of cells that it drives.
    std::span<const std::uint32_t> select(std::span<const std::uint32_t> active) {
        check_rows(active);
        const auto driven = cell_rows(active);
        select_row_sets(spec, shape, driven, sets);
        n_active = active.size();
        ++counters.vectors;
        for (CimRowSet& s : sets) {
            for (std::uint32_t i = s.begin; i < s.end; ++i) s.row_sum += cells.row_sum(driven[i]);
        }
        return driven;
    }

    void evaluate(std::span<const std::uint32_t> active, std::uint64_t step) {
        const auto driven = select(active);
        const auto bits = static_cast<int>(spec.weights.weight_bits);
        // a sum within the width whatever the order of additions
        const bool fits = static_cast<std::int64_t>(active.size()) <= (width.top() >> bits);
        values_valid = integers_valid = false;
        if (weights_exact && fits) {
            add_weight_rows(active);
        } else {
            convert_sets(driven, step);
        }
        count(driven);
    }

    /// The rows of cells that active rows of the matrix drive: themselves, or a pair each.
    std::span<const std::uint32_t> cell_rows(std::span<const std::uint32_t> active) {
        if (!shape.row_pairs) return active;
        paired.clear();
        for (const std::uint32_t r : active) {
            paired.push_back(2 * r);
            paired.push_back(2 * r + 1);
        }
        return paired;
    }

    void check_rows(std::span<const std::uint32_t> active) const {
        for (std::size_t i = 0; i < active.size(); ++i) {
            if (active[i] >= shape.rows || (i > 0 && active[i] <= active[i - 1])) {
                throw ModelError(fmt::format("cim: active rows must ascend and be below {} (got {})",
                                             shape.rows, active[i]));
            }
        }
    }

    /// Converters that neither round nor clip: sums of weights.
    void add_weight_rows(std::span<const std::uint32_t> active) {
        std::fill(sums.begin(), sums.end(), 0);
        constexpr std::size_t kChunk = 32768;  // so many weights of 16 bits fit 32 bits
        for (std::size_t first = 0; first < active.size(); first += kChunk) {
            std::fill(row_sums.begin(), row_sums.end(), 0);
            std::int32_t* to = row_sums.data();
            const std::size_t n = shape.outputs;
            for (const std::uint32_t r : active.subspan(first, std::min(kChunk, active.size() - first))) {
                const std::int32_t* w = &weights.values[r * n];
                for (std::size_t j = 0; j < n; ++j) to[j] += w[j];
            }
            for (std::size_t j = 0; j < n; ++j) sums[j] += to[j];
        }
    }

    void convert_sets(std::span<const std::uint32_t> active, std::uint64_t step) {
        std::fill(sums.begin(), sums.end(), 0);
        std::size_t next = 0;
        for (std::uint32_t b = 0; b < shape.row_blocks; ++b) {
            std::fill(block_sums.begin(), block_sums.end(), 0);
            std::uint64_t number = 0;
            for (; next < sets.size() && sets[next].block == b; ++next, ++number) {
                const auto rows = active.subspan(sets[next].begin, sets[next].end - sets[next].begin);
                if (digital) {
                    add_digital(rows);
                } else if (columns.ideal() && converter.ideal()) {
                    sum_levels(rows);
                    add_codes([&](std::size_t c) { return converter.of(column_sums[c]); },
                              [&](std::size_t c) {
                                  return converter.of(std::int64_t{column_sums[c]} - column_sums[c + 1]);
                              });
                } else {
                    const std::uint64_t set = (std::uint64_t{b} << 16) + number;
                    const auto y = columns.read(rows, set, step);
                    add_codes([&](std::size_t c) { return converter.of(y[c], adc(b, c)); },
                              [&](std::size_t c) { return converter.of(y[c] - y[c + 1], adc(b, c)); });
                }
                if (offset() != 0 && (digital || converter.step() == 1.0)) {
                    const auto rest = static_cast<std::int64_t>(rows.size()) * offset();
                    for (std::int64_t& s : block_sums) s = kept(s - rest);
                }
            }
            for (std::size_t j = 0; j < sums.size(); ++j) sums[j] = kept(sums[j] + block_sums[j]);
        }
    }

    /// Integer sums of cell levels, one per column.
    void sum_levels(std::span<const std::uint32_t> rows) {
        std::fill(column_sums.begin(), column_sums.end(), 0);
        std::int32_t* to = column_sums.data();
        for (const std::uint32_t r : rows) {
            const std::uint8_t* level = cells.levels(r);
            if (shape.row_pairs && r % 2 != 0) {
                for (std::size_t c = 0; c < shape.columns; ++c) to[c] -= level[c];
            } else {
                for (std::size_t c = 0; c < shape.columns; ++c) to[c] += level[c];
            }
        }
    }

    /// An adder tree is exact whatever its cells hold (stuck ones included).
    void add_digital(std::span<const std::uint32_t> rows) {
        if (cells.exact()) {
            sum_levels(rows);
        } else {
            for (std::size_t c = 0; c < shape.columns; ++c) {
                double sum = 0;
                for (const std::uint32_t r : rows) sum += cells.row(r)[c];
                column_sums[c] = static_cast<std::int32_t>(sum + 0.5);
            }
        }
        std::size_t c = 0;
        for (std::int64_t& s : block_sums) {
            for (const std::int64_t term : terms) s = kept(s + term * column_sums[c++]);
        }
    }

    /// single(c): the code of column c; pair(c): of column c minus its neighbour.
    template <class Single, class Pair>
    void add_codes(Single single, Pair pair) {
        const bool pairs = analog();
        std::size_t c = 0;
        std::uint64_t clips = 0;
        for (std::int64_t& sum : block_sums) {
            std::int64_t s = sum;
            for (const std::int64_t term : terms) {
                const CimConverter::Code code = pairs ? pair(c) : single(c);
                c += pairs ? 2 : 1;
                clips += code.clipped ? 1 : 0;
                s = kept(s + term * code.value);
            }
            sum = s;
        }
        counters.clips += clips;
    }

    std::size_t adc(std::uint32_t block, std::size_t column) const {
        return block * shape.column_blocks * shape.adcs + adc_of_column[column];
    }

    std::int64_t kept(std::int64_t s) { return width.kept(s, counters.psum_overflows); }

    double scale() const { return digital ? 1.0 : converter.step(); }
    void make_values() {
        if (values_valid) return;
        values.resize(shape.outputs);
        const double rest =
            scale() == 1.0 ? 0.0 : static_cast<double>(n_active) * static_cast<double>(offset());
        for (std::size_t j = 0; j < values.size(); ++j) {
            values[j] = static_cast<double>(sums[j]) * scale() - rest;
        }
        values_valid = true;
    }
    void make_integers() {
        if (integers_valid) return;
        if (scale() == 1.0) {
            integers = sums;
        } else {
            make_values();
            integers.resize(values.size());
            for (std::size_t j = 0; j < values.size(); ++j) {
                integers[j] = static_cast<std::int64_t>(std::floor(values[j] + 0.5));
            }
        }
        integers_valid = true;
    }

    /// A row of its own, without the tree and the fetch of a vector.
    void add_row(std::uint32_t row, std::int64_t factor, std::int64_t* to) {
        ++counters.sets;
        counters.cell_operations += shape.columns;
        counters.row_adds += shape.columns;
        if (weights_exact) {
            const std::int32_t* w = &weights.values[row * shape.outputs];
            for (std::size_t j = 0; j < shape.outputs; ++j) to[j] += w[j] * factor;
            return;
        }
        const std::span<const std::uint32_t> one(&row, 1);
        select_row_sets(spec, shape, one, sets);
        values_valid = integers_valid = false;
        n_active = 1;
        convert_sets(one, 0);
        make_integers();
        for (std::size_t j = 0; j < shape.outputs; ++j) to[j] += integers[j] * factor;
    }

    // ---- events -----------------------------------------------------------------------------------

    void count(std::span<const std::uint32_t> active) {
        CimCounters& c = counters;
        const std::uint64_t n = active.size(), n_sets = sets.size();
        c.fetch_beats += shape.fetch * shape.row_blocks;
        c.sets += n_sets;
        c.cell_operations += n * shape.columns;
        if (event_row) {
            c.row_adds += n * shape.columns;
            return;
        }
        c.rows_driven += n * shape.column_blocks;
        if (spec.rows.row_select != CimRowSelect::All) c.select_cycles += n_sets;
        if (shape.row_blocks > 1 && n_sets != 0) c.tree_adds += shape.outputs * (shape.row_blocks - 1);
        if (digital) {
            c.digital_active += n * shape.clocked;
            c.digital_rows +=
                n_sets * std::min<std::uint64_t>(spec.rows.rows_parallel, shape.rows) * shape.clocked;
            c.shift_adds += n_sets * shape.columns;
            return;
        }
        c.columns_charged += n_sets * shape.columns;
        if (spec.timing.sample_hold) c.samples += n_sets * shape.converted;
        if (spec.adc.adc_share > 1) c.mux_switches += n_sets * shape.converted;
        c.conversions += n_sets * shape.converted;
        c.shift_adds += n_sets * shape.converted;
        if (spec.array.type == CimType::Dram) c.restores += n * shape.columns;
        if (voltage) {
            c.cell_charges += n * shape.columns;
            return;
        }
        for (const CimRowSet& s : sets) (charge ? c.cell_charges : c.column_current) += s.row_sum;
    }

    arch::CimSpec spec;
    CimContext context;
    CimShape shape;
    CimCells cells;
    CimColumns columns;
    CimConverter converter;
    CimWriter writer;
    ArrayTime time;
    PsumWidth width;
    CimWeights weights;
    CimCounters counters;
    bool digital = false, event_row = false, charge = false, voltage = false, weights_exact = false;
    bool values_valid = false, integers_valid = false;
    std::size_t n_active = 0;
    Cycle write_end = 0;
    std::vector<std::size_t> adc_of_column;
    std::vector<std::int64_t> terms;  ///< weight of a code, per column (or pair) of a weight
    std::vector<CimRowSet> sets;
    std::vector<std::uint32_t> paired;  ///< driven rows of cells, with pairs of rows
    std::vector<std::int64_t> sums, block_sums, integers;
    std::vector<std::int32_t> row_sums, column_sums;
    std::vector<double> values;
};

}  // namespace loom::cores
