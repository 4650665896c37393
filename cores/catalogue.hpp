// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "cores/core.hpp"

namespace loom::cores {

/// Throws ConfigError for unknown or badly placed kinds.
void check_kinds(const arch::ChipSpec& spec);

/// Builds a core of the image's kind. Throws ConfigError for unknown kinds.
std::unique_ptr<Core> make_core(const arch::ChipSpec& spec, std::shared_ptr<const arch::CoreImage> image,
                                const arch::Program& program, CoreContext context, CoreSchedule schedule);

}  // namespace loom::cores
