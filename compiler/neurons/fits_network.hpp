// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "compiler/ir/nir_graph.hpp"
#include "compiler/profile.hpp"

namespace loom::compiler {

/// A profile against the network it is to execute (docs/concepts/profiles.md). Returns what the user is to be
/// told; throws KeyError for what cannot be meant.
std::vector<std::string> check_fits(const Profile& profile, const NirModel& model);

}  // namespace loom::compiler
