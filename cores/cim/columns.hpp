// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "cores/cim/cells.hpp"
#include "cores/cim/shape.hpp"
#include "cores/cim/wires.hpp"

namespace loom::cores {

/// What the columns of a row block deliver for one row set, in cell levels, with everything that is not
/// ideal about cells, wires and reads. Cost: driven rows x columns.
class CimColumns {
  public:
    CimColumns(const arch::CimSpec& spec, const CimShape& shape, const CimCells& cells, std::uint64_t seed,
               std::uint32_t core);

    /// Nothing but exact cells: the integer sums are the truth.
    bool ideal() const { return ideal_ && cells_->exact(); }
    /// Noise of reads (not the columns' own gain) is keyed by this seed from now on.
    void reseed(std::uint64_t seed) { seed_ = seed; }

    /// rows: driven rows of the matrix, ascending, of one row block. set: number of the row set in the
    /// vector. Result valid until the next call; [columns].
    std::span<const double> read(std::span<const std::uint32_t> rows, std::uint64_t set, std::uint64_t step);

  private:
    void sum_currents(std::span<const std::uint32_t> rows);
    void add_two_level_noise(std::span<const std::uint32_t> rows, std::uint64_t step);
    double two_level(std::uint64_t row, std::uint64_t column, std::uint64_t step) const;
    void add_read_noise(std::span<const std::uint32_t> rows, std::uint64_t set, std::uint64_t step);

    const arch::CimSpec* spec_;
    const CimShape* shape_;
    const CimCells* cells_;
    std::uint64_t seed_;
    std::uint32_t core_;
    bool ideal_;
    std::vector<double> y_, squares_, column_gain_, exact_rows_, patch_;
    std::vector<const double*> row_pointers_;
    std::vector<std::uint32_t> positions_;
    std::vector<std::uint8_t> driven_;
    ColumnDrop column_drop_;
    LineRelaxation relaxation_;
};

}  // namespace loom::cores
