// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/hdf5/hdf5_file.hpp"
#include "compiler/nodes/node_catalogue.hpp"

namespace loom::compiler {

/// Reads and checks one primitive against the catalogue; defaults filled in, `name` is kept.
NirNode parse_node(const hdf5::Group& group, const NodeCatalogue& types, const std::string& name,
                   const std::string& type);

}  // namespace loom::compiler
