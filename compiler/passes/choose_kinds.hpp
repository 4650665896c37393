// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "compiler/compile.hpp"

namespace loom::compiler {

/// Gives every population its kind of core (mapping.kind_of): what map.kinds says, else the kind with the
/// least estimated energy per inference of those that can run it (mapping.estimates). Needs the graph only.
/// Throws ConfigError for layers and kinds that do not exist.
void choose_kinds(Mapping& mapping, const arch::ChipSpec& chip, const MapSpec& map, const InputFormat& input,
                  double dt);

/// "lif1 cim, lif2 near".
std::string describe_kinds(const Mapping& mapping, const arch::ChipSpec& chip);
/// A line per layer with the estimate for each kind.
std::string dump_kinds(const Mapping& mapping, const arch::ChipSpec& chip);

}  // namespace loom::compiler
