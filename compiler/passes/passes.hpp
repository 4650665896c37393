// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "arch/chip_spec.hpp"
#include "arch/program.hpp"
#include "compiler/ir/graph.hpp"
#include "compiler/profile.hpp"

namespace loom::compiler {

/// Populations and projections of a NIR model; chains of linear nodes stay chains.
/// dt in seconds (Delay nodes). Throws UnsupportedError.
Graph build_graph(const NirModel& model, double dt);

/// A spatial chip adds a timestep per hop: gives each population its skew and each projection the
/// delay that makes all paths agree. Throws MappingError when a loop is too short for the chip.
void balance_delays(Graph& graph, std::uint64_t max_delay);

}  // namespace loom::compiler
