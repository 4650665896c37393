// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "base/config/located_yaml.hpp"
#include "base/config/schema.hpp"

namespace loom::app {

/// A sweep file: a base run or training and lists of values over key paths.
struct SweepSpec {
    std::string folder;            ///< where the sweep file is
    std::string command = "run";   ///< run or train
    std::string base;              ///< path of the run or training file
    std::string mode = "product";  ///< product (all combinations) or zip (side by side)
    std::vector<std::pair<std::string, std::vector<std::string>>> axes;  ///< key path -> YAML texts
    /// Values of every point, in the order of the axes.
    std::vector<std::vector<std::string>> points() const;
    /// What a point sets: the value, or for a key that ends in `file` its path from the sweep file's folder.
    std::string set_value(std::size_t axis, const std::string& value) const;
};
/// Reads a sweep file. Throws ConfigError with file:line:column, IoError.
SweepSpec load_sweep(const std::string& path);

/// JSON schema of a sweep file.
std::string sweep_schema(const config::SchemaOptions& options);

}  // namespace loom::app
