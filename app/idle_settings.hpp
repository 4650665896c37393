// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "arch/chip_spec.hpp"
#include "base/config/located_yaml.hpp"

namespace loom::app {

/// Warns of every key that is given and that this chip does not look at: most often somebody meant something by it.
/// section: where `root` has the chip, "chip" or "" (a file of a chip or a network).
void warn_of_idle_keys(const config::Node& root, const std::string& section, const arch::ChipSpec& chip);

/// The same for keys of a chip that a compiled network does not look at.
void warn_of_keys_of_traffic(const config::Node& root, const std::string& section, const arch::ChipSpec& chip);

}  // namespace loom::app
