// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <vector>

#include "cores/cim/array.hpp"
#include "training/many_core/training_view.hpp"

namespace loom::training {

/// A block's part of a matrix in arrays, a weight in a pair of neighbouring cells of a row: the kernel matrix
/// [taps x input channels][channels of the block], read once per output position. Counts and times, no
/// values.
class CimMatrix {
  public:
    CimMatrix(const TrainingView& view, const Block& block, const Feed& feed);

    struct Input {
        std::uint32_t element;
        std::uint64_t value;  ///< its bits are read one after the other
    };
    /// Forward: reads the inputs of a timestep (elements ascend) from cycle 0 on. Raises ready [positions] to
    /// the cycles in which their sums are complete.
    void forward(std::span<const Input> inputs, std::vector<Cycle>& ready, cores::CimCounters& counters);

    /// Backward: the errors of each output position drive the columns, + cells and - cells one after the
    /// other (unipolar reads), in every plane of error_bits; wanted rows are converted. Without a second set
    /// of converters wanted rows are read one by one and multiplied on the lanes. Returns cycles.
    Cycles backward(TrainingView& view, std::size_t t, cores::CimCounters& counters);

    /// The pulses of an update in place. Returns cycles.
    Cycles update(cores::CimCounters& counters);

  private:
    void take_cells();
    Cycles read(cores::CimArray& array, std::span<const std::uint32_t> active, Cycle now);
    Cycles read_position(std::size_t position, Cycle& issue, std::uint64_t& further);
    void find_wanted(const TrainingView& view, std::size_t q, std::span<const std::uint64_t> wanted);
    void find_lines(const TrainingView& view, std::size_t q, std::span<const std::uint64_t> errors);
    std::uint64_t conversion_steps() const;
    Cycles read_transposed(const TrainingView& view, Cycle& issue, cores::CimCounters& counters);
    Cycles read_rows();
    void collect(cores::CimArray& array, cores::CimCounters& counters);

    const arch::CimCoreSpec* spec_;
    const arch::LinearWork* linear_;
    const Block* block_;
    std::size_t rows_, outputs_;
    cores::CimArray forward_;
    cores::CimArray backward_;                 ///< the same cells: transposed, or row by row
    std::vector<double> cells_;                ///< nS [row][column]
    std::vector<std::int32_t> pulses_;         ///< [row][column]
    std::vector<std::vector<Input>> windows_;  ///< [positions]: rows in `element`
    std::vector<std::uint32_t> active_, lines_, wanted_;
    std::vector<bool> read_rows_;  ///< rows that some position wants
    Cycle free_ = 0;               ///< when the array takes its next vector
};

}  // namespace loom::training
