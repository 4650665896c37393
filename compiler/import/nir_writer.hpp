// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "compiler/ir/nir_graph.hpp"

namespace loom::compiler {

/// Writes a flat graph as a NIR 1.x file (HDF5): the keys of each node's type in the number types that NIR
/// uses (weights float32), per-element values for every element. '/' in names becomes '.'. The same model
/// gives the same bytes. Throws IoError.
void write_nir(const NirModel& model, const std::string& path);

}  // namespace loom::compiler
