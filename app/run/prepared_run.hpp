// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "app/run/run_spec.hpp"
#include "compiler/compile.hpp"
#include "traces/stimulus.hpp"

namespace loom::app {

/// A run file with its data and its network, read and not yet compiled.
struct PreparedRun {
    LoadedRun run;
    traces::Stimulus stimulus;
    std::shared_ptr<const compiler::NirModel> model;
};

/// Reads network and data of a run; says what was mended in the network (log::note). Throws what reading
/// throws.
PreparedRun prepare(LoadedRun run);

/// Compiles the network onto the chip and says what each pass took (log::info). The mapping owns the network
/// from here on: who keeps only its program gives the compiler's working sets free. Throws what compile()
/// throws, with the places of keys. Shows how far a long check of the mapping is, unless `quiet`.
compiler::Mapping compile(PreparedRun& prepared, bool quiet = false);

}  // namespace loom::app
