// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "cores/core_counters.hpp"
#include "cores/kind.hpp"
#include "noc/network.hpp"

namespace loom::stats {

/// Totals over the chip of one chip timestep, summed over samples.
struct StepRecord {
    std::uint64_t step = 0;
    std::uint64_t cycles = 0;
    std::vector<cores::CoreTotals> core;  ///< [kinds of cores]
    noc::NocCounters noc;
    std::uint64_t host_packets = 0;
    std::uint64_t barriers = 0;
    StepRecord& operator+=(const StepRecord& o);
};

/// Counters of one core on behalf of one layer.
struct CoreLayerRecord {
    std::uint32_t endpoint = 0;
    std::uint32_t layer = 0;
    cores::CoreTotals counters;
};

/// Of a run on a chip with other devices, per sample.
struct ChipFigures {
    double accuracy = 0;  ///< of the labelled samples
    double cycles = 0, seconds = 0, energy_pj = 0;
};

/// Prediction of a sample whose output did not fire.
inline constexpr std::int64_t kUndecided = -1;

/// Everything that was counted in a run: exact integers, no energy. Records of parts of the samples
/// add up to the record of the whole.
struct RunRecord {
    std::uint64_t samples = 0, timesteps = 0, chip_steps = 0;
    std::uint64_t labelled = 0, correct = 0;
    std::uint64_t undecided = 0;      ///< samples without a prediction
    std::uint64_t input_rounded = 0;  ///< values of the input that no integer of the chip is
    std::uint64_t total_cycles = 0, reset_cycles = 0, barrier_cycles = 0, barriers = 0;
    std::uint64_t host_packets = 0;
    std::uint64_t input_events = 0;  ///< values presented to the input layer
    std::uint64_t routers_in_use = 0;
    std::vector<std::uint64_t> cycles_per_sample;  ///< [samples]
    std::vector<std::int64_t> predictions;         ///< [samples]; kUndecided: none
    std::vector<std::uint64_t> offchip_mac;        ///< [layers]
    std::vector<CoreLayerRecord> cores;            ///< same order in every part
    std::vector<noc::NocCounters> noc;             ///< [source layers]
    std::vector<StepRecord> steps;                 ///< in which something was active, ascending
    StepRecord quiet;                              ///< all others; `barriers` is their number
    std::vector<ChipFigures> other_chips;          ///< with further device seeds; not part of add()
    std::vector<cores::WeightLoad> loads;          ///< [kinds of cores]; not part of add()

    /// The row of a timestep, which is made when it is not there.
    StepRecord& row(std::uint64_t step);
    /// Adds a part. The samples of `other` come at positions first, first + stride, ... of the whole,
    /// whose per-sample lists must have been sized.
    void add(const RunRecord& other, std::size_t first, std::size_t stride);
};

std::string serialise(const RunRecord& record);
/// Throws InternalError.
RunRecord deserialise(const std::string& bytes);

}  // namespace loom::stats
