// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "compiler/compile.hpp"

namespace loom::compiler {

/// Fills mapping.program (memory images, fan-out tables, layer lists) from everything before it.
/// duplicate: as in partition().
void emit_program(Mapping& mapping, const std::vector<LoweredNeurons>& neurons, const arch::ChipSpec& chip,
                  const InputFormat& input, std::uint64_t duplicate, double dt);

}  // namespace loom::compiler
