// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cores/cim/counters.hpp"
#include "cores/cim/shape.hpp"
#include "arch/cim_spec.hpp"
#include "base/ids.hpp"

namespace loom::cores {

/// Integer weights [rows, outputs], row-major.
struct CimWeights {
    std::size_t rows = 0, outputs = 0;
    std::vector<std::int32_t> values;
};

/// What keys the random draws and scales times.
struct CimContext {
    std::uint64_t seed = 1;
    std::uint32_t core = 0;
    double period_ps = 1000;      ///< clock of the chip; used when timing.f_clk is 0; 0: there is no chip
    std::string path = "";        ///< prefix of keys in messages: "chip.cores[1]."
    std::uint64_t positions = 1;  ///< event_row: output positions with membranes in the array
};

/// How many sets a vector needed and when the array was done with it.
struct CimTimes {
    Cycle fetched = 0;       ///< the spike register is free for the next vector from here on
    Cycle done = 0;          ///< sums are complete (shift-add and tree behind them)
    std::uint64_t sets = 0;  ///< of the row block with most of them
};

/// One weight matrix in as many physical arrays as it needs (row blocks x column blocks, which work side
/// by side). Values and time are separate: evaluate() computes what the converters deliver, schedule()
/// lets the same row sets pass through the stages. Values are a pure function of (weights, spec, seed,
/// core, active rows, step): never of what was evaluated before, but for write().
class CimArray {
  public:
    /// Throws ConfigError for an impossible spec, InputError for weights beyond weight_bits or a bad shape.
    /// The cells are programmed (without time); write() models programming in time.
    CimArray(const arch::CimSpec& spec, CimWeights weights, const CimContext& context);
    ~CimArray();
    CimArray(CimArray&&) noexcept;

    const CimShape& shape() const;

    /// active: rows with a spike, ascending, each once. step: keys the read noise (and ages two-level noise).
    /// Afterwards sums() and values() are the outcome. Cost: active rows x used columns at most.
    void evaluate(std::span<const std::uint32_t> active, std::uint64_t step);
    /// The row sets and events of a vector without its values, for numbers that are computed elsewhere.
    void drive(std::span<const std::uint32_t> active);
    /// From now on a row set converts so many columns (outputs) in so many steps: the others are not of use.
    void convert_only(std::uint64_t columns, std::uint64_t steps);
    /// Partial sums [outputs], in codes; value = sum * scale() + correction. Exact integers.
    std::span<const std::int64_t> sums() const;
    /// What the sums stand for, in weight units [outputs]. Integers when scale() is 1.
    std::span<const double> values() const;
    /// The same rounded to integers (half up): what a core with integer membranes adds.
    std::span<const std::int64_t> integers() const;
    /// Weight units per code.
    double scale() const;

    /// The evaluated vector enters the stages at `now`; each stage is a resource, held by vectors and row
    /// sets in order. Returns when it is out. Throws ModelError during a write (ask writing() first).
    CimTimes schedule(Cycle now);
    /// All stages empty: start of a sample or measurement.
    void reset_stages();

    /// Event-row arrays: a spike on a row adds it `factor` times to `to` [outputs], at `at` or when the array
    /// is free. Apart from evaluate() and schedule(), which take a vector at once. Returns start and end.
    struct RowAdd {
        Cycle begin, end;
    };
    RowAdd add_row(std::uint32_t row, Cycle at, std::int64_t factor, std::int64_t* to);
    /// A sum in the width of a partial sum; counted when it does not fit.
    std::int64_t kept(std::int64_t sum);
    /// Event-row arrays: the sweep that ends a timestep. Returns its end; `now` for other arrays.
    Cycle sweep(Cycle now);

    /// Starts to program a matrix of the same shape at `now`: pulses, verify reads, wear. Returns the end.
    /// Reads before it are refused.
    Cycle write(const CimWeights& target, Cycle now);
    /// All cells to Gmin, without time: what a matrix is loaded into for the first time.
    void erase();
    /// Cells hold these conductances (uS) [rows of the matrix][physical columns], without time: what pulses
    /// left.
    void set_conductances(std::vector<double> conductances);
    /// Read noise and two-level noise are drawn with another seed from now on; cells and converters stay.
    void reseed_reads(std::uint64_t seed);
    bool writing(Cycle now) const;
    Cycle write_end() const;
    /// A read asked for during a write: counted.
    void count_refusal();

    /// Cells at another time after programming: the same draws, another point of the trajectory. Seconds.
    void set_age(double seconds);
    /// fs calibrated: the range from the sums of these vectors (lists of active rows). Without a call, the
    /// range is lossless.
    void calibrate(std::span<const std::vector<std::uint32_t>> vectors);

    const CimCounters& counters() const;
    void clear_counters();
    /// Conductance of a cell in uS: row of cells, physical column.
    double conductance(std::size_t row, std::size_t column) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace loom::cores
