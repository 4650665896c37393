// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "arch/core_kind.hpp"
#include "compiler/compile.hpp"

namespace loom::compiler {

/// What a layer is expected to do in one inference.
struct LayerLoad {
    std::vector<arch::ExpectedInput> in;
    double neurons = 0, steps = 0, spikes = 0;
    double active = 0;  ///< share of updates with input
    double fanout = 0;  ///< fan-out entries read per spike
};

/// Hidden layers fire at `rate` spikes per neuron and timestep; the input's rate is that of the data.
LayerLoad load_of(const Graph& graph, std::uint32_t population, const InputFormat& input, double rate,
                  double dt);

/// Expected events times prices of a kind of core, pJ per inference. Graded input that it does not take is
/// the host's work.
double estimate_energy(const LayerLoad& load, const arch::ChipSpec& chip, std::size_t kind);

}  // namespace loom::compiler
