// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/config/located_yaml.hpp"
#include "compiler/profile.hpp"

namespace loom::app {

/// Fills a profile with the values of the preset that a file names, before the file's own keys are read.
/// Throws KeyError for a preset that there is not, and where neither preset nor file gives a timestep.
void start_profile(const config::Node& root, compiler::Profile& profile);

}  // namespace loom::app
