// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/json/json.hpp"
#include <span>

#include "sim/report/fail_if.hpp"

namespace loom::app {

/// Names the --fail-if conditions that a report meets on stderr; the exit code of the command: 0 or
/// CheckFailed.
int failed_checks(std::span<const stats::FailIf> checks, const Json& report);

}  // namespace loom::app
