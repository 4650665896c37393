// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "app/sweep/sweep_spec.hpp"

namespace loom::app {

/// One combination of a sweep's values.
struct SweepPoint {
    std::vector<std::string> values;
    std::vector<std::string> sets;
    std::string configuration;  ///< hash of what its result depends on
    std::string directory;
    std::string error;
    bool cached = false;
};

/// Makes sure that results.csv and results.json may be written here: they are a sweep's, or there are none. Ones that
/// were changed since stay under another name. Throws IoError.
void claim_table(const std::string& directory);

/// Writes results.csv and results.json: a row per point with the figures of its stats.json. Throws IoError.
void write_table(const SweepSpec& sweep, const std::vector<SweepPoint>& points, const std::string& directory);

}  // namespace loom::app
