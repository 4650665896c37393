// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/config/quantity.hpp"

namespace loom::config {

/// "3" (cycles) or "10 ns" (a time, rounded up to whole periods) in cycles. Throws ConfigError.
inline std::uint64_t parse_duration(const std::string& text, double period_ps) {
    try {
        return parse_whole_quantity(text, Unit::CycleCount);
    } catch (const ConfigError&) {
        // a hair below a whole number of periods is that number
        return static_cast<std::uint64_t>(std::ceil(parse_quantity(text, Unit::Time) / period_ps - 1e-9));
    }
}

}  // namespace loom::config
