// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "arch/core_kind.hpp"

namespace loom::cores {

/// Row sets, conversions and conduction of a layer in arrays; see arch::CoreKind::expect.
void expect_array_events(const arch::ChipSpec& chip, std::size_t kind, const arch::ExpectedInput& in,
                         double steps, const arch::CoreKind::AddEvent& add);

}  // namespace loom::cores
