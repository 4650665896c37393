// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

#include <fmt/format.h>

namespace loom {

MappingError::MappingError(const std::string& resource, const std::string& where, double need, double have)
    : Error(ExitCode::DoesNotFit,
            fmt::format("does not fit: {}: need {:.15g}, have {:.15g} ({})", resource, need, have, where)),
      resource_(resource),
      need_(need),
      have_(have) {}

}  // namespace loom
