// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "cores/core.hpp"

namespace loom::cores {

/// Builds a core of the kind that spec.core.kind names. Throws ConfigError for unknown kinds.
std::unique_ptr<Core> make_core(const arch::ChipSpec& spec, std::shared_ptr<const arch::CoreImage> image,
                                const arch::Program& program, CoreContext context, CoreSchedule schedule);

}  // namespace loom::cores
