// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "traces/array.hpp"

namespace loom::traces {

/// Writes recorded signals as NIRData (HDF5): nodes/<layer>/observables/<key>/data, [sample, step,
/// neuron], deflated, same input same bytes. Samples are appended one by one, so memory stays small.
/// Every error is an IoError.
class NirDataWriter {
  public:
    /// dt in seconds.
    NirDataWriter(const std::string& path, std::size_t samples, std::size_t steps, double dt);
    ~NirDataWriter();
    NirDataWriter(const NirDataWriter&) = delete;
    NirDataWriter& operator=(const NirDataWriter&) = delete;

    /// Declares a signal of a layer; wide: int32 instead of uint8 for spikes.
    enum class Kind { Spikes, WideSpikes, Real };
    /// Returns the number to append() with.
    std::size_t add(const std::string& layer, const std::string& key, std::size_t neurons, Kind kind);
    /// One sample of a signal, [steps][neurons].
    void append(std::size_t signal, std::size_t sample, std::span<const std::uint8_t> spikes);
    void append(std::size_t signal, std::size_t sample, std::span<const std::int32_t> spikes);
    void append(std::size_t signal, std::size_t sample, std::span<const double> values);
    /// Finishes the file.
    void close();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// A recorded or prepared signal of a node as [sample, step, neuron]: time-gridded `data`, or events (`idx`,
/// `time` in seconds, optionally `value`), which are put on the grid of `dt` seconds. An attribute `dt` must
/// be the same. What is lost on the grid is said in `notes`. Throws IoError, InputError.
Array read_nir_data(const std::string& path, const std::string& node, double dt,
                    std::vector<std::string>& notes, const std::string& key = "spikes");

}  // namespace loom::traces
