// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "app/run/run_spec.hpp"
#include "sim/chip/chip_model.hpp"
#include "traces/nirdata.hpp"

namespace loom::app {

/// One recorded quantity of a layer in one sample, [timesteps][neurons].
struct Signal {
    LayerId layer{};
    Record what = Record::Spikes;
    std::variant<std::vector<std::uint8_t>, std::vector<std::int32_t>, std::vector<double>> values;
};

/// Keeps what a sample's layers did, in their own time (the pipeline's skew removed).
class Recorder {
  public:
    Recorder(const RunSpec& spec, const chip::ChipModel& model);
    void begin_sample();
    void after_step(Step chip_step);
    const std::vector<Signal>& signals() const { return signals_; }

  private:
    const chip::ChipModel& model_;
    std::vector<Signal> signals_;
    std::vector<int> spikes_of_;  ///< [layers] -> signal or -1
    std::vector<double> scratch_;
};

/// The signals that a run records, empty: used to lay out the file and to size buffers.
std::vector<Signal> recorded_signals(const RunSpec& spec, const arch::Program& program, Step steps);

/// spikes.h5: signals of all samples, appended one sample after the other.
class RecordFile {
  public:
    RecordFile(const std::string& path, const std::vector<Signal>& layout, const arch::Program& program,
               std::size_t samples, Step steps, double dt_seconds);
    void append(std::size_t sample, const std::vector<Signal>& signals);
    void close() { writer_.close(); }

  private:
    traces::NirDataWriter writer_;
    std::vector<std::size_t> number_;
};

}  // namespace loom::app
