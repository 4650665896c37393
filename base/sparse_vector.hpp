// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

namespace loom {

/// (element, value) pairs of a vector that is mostly zero: the input of a timestep, the values on an edge of a
/// network, one row of a linear map. Elements ascend unless a function says otherwise.
using SparseVector = std::vector<std::pair<std::uint32_t, double>>;

}  // namespace loom
