// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

namespace loom::testing {

/// Calls of the global operator new so far, and bytes asked for. Link counted_new.cpp.
std::size_t allocations();
std::size_t allocated_bytes();

}  // namespace loom::testing
