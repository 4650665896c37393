// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "compiler/compile.hpp"

namespace loom::compiler {

/// Fills mapping.program (memory images, fan-out tables, layer lists) from everything before it.
void emit_program(Mapping& mapping, const std::vector<LoweredNeurons>& neurons, const arch::ChipSpec& chip,
                  const InputFormat& input, double dt);

}  // namespace loom::compiler
