// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "cores/cim/cells.hpp"
#include "cores/cim/counters.hpp"
#include "cores/cim/shape.hpp"
#include "base/ids.hpp"
#include "base/pulse_curve.hpp"

namespace loom::cores {

/// Of the description's cells, in uS.
inline PulseDevice pulse_device(const arch::CimSpec& s) {
    return {s.write.NL_plus,   s.write.NL_minus, static_cast<double>(s.write.Pmax),
            s.write.sigma_c2c, s.device.Gmin,    s.device.Gmax};
}

/// Programs cells in time. Each array writes row by row (or page by page), SET phase then RESET phase;
/// arrays write side by side.
class CimWriter {
  public:
    CimWriter(const arch::CimSpec& spec, const CimShape& shape, std::uint64_t seed, std::uint32_t core);

    /// Brings the cells to these levels. Returns the cycles it takes. Draws are keyed by cell and pulse.
    Cycles write(CimCells& cells, std::vector<std::uint8_t> target, CimCounters& counters);

  private:
    struct Cell {
        double g = 0;
        std::uint64_t pulses = 0;  ///< of this write
    };
    /// Pulses of one phase until the cell is there. Returns how many.
    std::uint64_t phase(bool up, Cell& cell, double goal, std::size_t row, std::size_t column,
                        CimCounters& counters);
    bool apply(bool up, Cell& cell, std::size_t row, std::size_t column, double count, CimCounters& counters);
    Cycles write_page(CimCells& cells, const std::vector<std::uint8_t>& target, std::vector<double>& g,
                      std::size_t first_row, std::size_t last_row, std::size_t first_column,
                      std::size_t last_column, CimCounters& counters);
    void sum_neighbours(const CimCells& cells);
    Cycles write_bits(CimCells& cells, std::vector<std::uint8_t> target, CimCounters& counters);

    const arch::CimSpec* spec_;
    const CimShape* shape_;
    std::uint64_t seed_;
    std::uint32_t core_;
    PulseDevice device_;
    const CimCells* cells_ = nullptr;
    std::vector<std::uint64_t> life_;         ///< pulses so far, per cell
    std::vector<double> row_nS_, column_nS_;  ///< per array: half-selected neighbours (row-driven)
};

}  // namespace loom::cores
