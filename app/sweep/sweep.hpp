// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "app/sweep/sweep_spec.hpp"

namespace loom::app {

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
