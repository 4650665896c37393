// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "compiler/ir/nir_graph.hpp"
#include "base/hdf5/hdf5_file.hpp"

namespace loom::compiler {

/// Reads and checks one primitive against the catalogue; defaults filled in, `name` is kept.
NirNode parse_node(const hdf5::Group& group, const std::string& name, const std::string& type);

}  // namespace loom::compiler
