// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "app/result_dir.hpp"
#include "app/run/run_spec.hpp"
#include "compiler/compile.hpp"
#include "sim/chip/systemc_chip.hpp"
#include "sim/report/run_record.hpp"
#include "traces/stimulus.hpp"

namespace loom::app {

struct SimulateOptions {
    unsigned threads = 1;            ///< processes that share the samples
    bool systemc = true;             ///< false: the plain loop
    std::uint64_t shuffle_seed = 0;  ///< != 0: evaluation order within a cycle is shuffled
    chip::WaveformSpec waveform;
    bool quiet = false;
};

/// What the compiler needs to know of the data: looks at every value once.
compiler::InputFormat input_format(const traces::Stimulus& stimulus);

/// Runs all samples on the chip. With spec.record, writes spikes.h5 into `directory`. Samples are
/// independent, so the record does not depend on `threads`. Throws ModelError.
stats::RunRecord simulate(const RunSpec& spec, const arch::Program& program, const traces::Stimulus& stimulus,
                          const SimulateOptions& options, const ResultDir& directory);

}  // namespace loom::app
