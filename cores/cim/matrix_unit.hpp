// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <vector>

#include "arch/cim_core_spec.hpp"
#include "arch/program.hpp"
#include "cores/cim/array.hpp"
#include "cores/cim/input_register.hpp"

namespace loom::cores {

/// One axon group of a core in arrays: a matrix of its own, or the kernel matrix [kernel positions x input
/// channels, output channels] that is read once per output position with the rows of its window. Copies share
/// the positions. Inputs of several bits are read bit by bit. Event-row arrays do not read vectors: spikes
/// add their rows one by one to membranes, each position's in one of the copies.
class MatrixUnit {
  public:
    /// neurons: of the group's slice. context.core: number of the first array; the copies take the next ones.
    /// depth: timesteps whose spikes may be there at once.
    MatrixUnit(const arch::CimCoreSpec& spec, const arch::AxonGroup& group, std::uint32_t neurons,
               const CimContext& context, std::uint32_t depth);

    /// Reads a timestep's inputs (axons of the group) from `now` on and adds to sums[neurons of the slice].
    /// first_key: of the reads' random draws. Returns when the last vector has left the input register.
    Cycle read(std::span<const std::pair<std::uint32_t, std::int64_t>> inputs, Cycle now,
               std::uint64_t first_key, std::int64_t* sums);
    /// Event row: a spike (axon of the group) for a timestep is there at `at`. Returns when its last row
    /// starts to be added, and when all are.
    CimArray::RowAdd add(std::uint32_t axon, std::int64_t payload, Step step, Cycle at);
    /// Event row: sweeps that timestep's membranes from `now` on and adds to sums[neurons of the slice];
    /// null: nobody wants them, and there is no sweep. Returns whether there was a spike.
    bool sweep(Step step, Cycle now, std::int64_t* sums);
    bool event_row() const { return spec_.array.event_row(); }
    /// When the sums of each output position are complete.
    std::span<const Cycle> ready() const { return ready_; }
    /// Vectors that a timestep can have at most: keys it uses.
    std::uint64_t vectors() const { return ready_.size() * 2 * spec_.input_bits; }
    std::size_t copies() const { return arrays_.size(); }
    const CimShape& shape() const { return arrays_.front().shape(); }

    /// Erases all copies and programs them again; returns the end.
    Cycle program(Cycle now);
    bool writing(Cycle now) const { return arrays_.front().writing(now); }
    void reset_stages();
    /// A read that had to wait for the end of a write.
    void count_refusal();
    /// Adds the events since the last call.
    void collect(CimCounters& to);

  private:
    struct Input {
        std::uint32_t row;
        std::int64_t value;
    };
    CimWeights matrix() const;
    /// f(position, row) for every window that an axon is in; ascending axons give ascending rows in each.
    template <class F>
    void for_each_window(std::uint32_t axon, F f) const;
    /// Vectors of one position, one per bit and sign that occurs. Returns {start, done}.
    std::pair<Cycle, Cycle> read_position(std::size_t position, Cycle now, std::uint64_t key,
                                          std::int64_t* sums);
    Cycle read_vector(std::size_t copy, Cycle now, std::uint64_t key, std::int64_t factor,
                      std::int64_t* sums);

    arch::CimCoreSpec spec_;
    const arch::AxonGroup& group_;
    arch::MatrixSize size_;
    std::vector<CimArray> arrays_;             ///< [copies]
    std::vector<Cycle> free_;                  ///< [copies] next vector may be fetched
    std::vector<std::vector<Input>> windows_;  ///< [positions] active rows, ascending
    std::vector<Cycle> ready_;                 ///< [positions]
    std::vector<std::uint32_t> active_;
    std::vector<std::vector<std::int64_t>> added_;  ///< [timesteps][neurons of the slice] event row
    std::vector<std::uint8_t> touched_;             ///< [timesteps]
    std::uint64_t further_bits_ = 0;                ///< vectors that were not the first of their position
};

}  // namespace loom::cores
