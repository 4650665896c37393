// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

/// Files that are parts of others (chips, their networks, their prices), checked alone. Each function reads a
/// file with its includes and the --set values; it throws ConfigError with places, IoError, and Error(Usage)
/// for a malformed --set.
namespace loom::app {

void check_chip_file(const std::string& file, const std::vector<std::string>& sets);
void check_training_chip_file(const std::string& file, const std::vector<std::string>& sets);
/// The `noc` section of a chip. A network of its own is built from it.
void check_fabric_file(const std::string& file, const std::vector<std::string>& sets);
/// A price list of a chip, or of an engine that trains: whose events it names tells which.
void check_energy_file(const std::string& file, const std::vector<std::string>& sets);

}  // namespace loom::app
