// SPDX-License-Identifier: Apache-2.0
#include "app/failed_checks.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/log.hpp"

namespace loom::app {

int failed_checks(std::span<const stats::FailIf> checks, const Json& report) {
    int code = 0;
    for (const stats::FailIf& check : checks) {
        if (!check.fails(report)) continue;
        const std::optional<double> value = check.value(report);
        log::raw(fmt::format("spikeloom: check failed: {} ({})\n", check.text(),
                   value ? fmt::format("is {}", *value)
                         : std::string("is none: it is not defined in this run, so that nothing can be said of it")));
        code = static_cast<int>(ExitCode::CheckFailed);
    }
    return code;
}

}  // namespace loom::app
