// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "sim/config/located_yaml.hpp"

namespace loom::app {

/// A sweep file: a base run and lists of values over key paths.
struct SweepSpec {
    std::string folder;            ///< of the sweep file
    std::string run;               ///< path of the base run file
    std::string mode = "product";  ///< product (all combinations) or zip (side by side)
    std::vector<std::pair<std::string, std::vector<std::string>>> axes;  ///< key path -> YAML texts
    /// Values of every point, in the order of the axes.
    std::vector<std::vector<std::string>> points() const;
    /// What a point sets: the value, or for a key that ends in `file` its path from the sweep file's folder.
    std::string set_value(std::size_t axis, const std::string& value) const;
};
/// Throws ConfigError with file:line:column.
SweepSpec load_sweep(const std::string& path);

struct SweepOptions {
    std::string program;    ///< the executable to run points with
    std::string directory;  ///< results
    unsigned jobs = 1;
    bool quiet = false;
};
/// Runs every point that has no result yet, each in a process of its own; writes results.csv and
/// results.json. A failed point is a row with its error. Returns the number of failed points.
std::size_t run_sweep(const SweepSpec& sweep, const SweepOptions& options);

}  // namespace loom::app
