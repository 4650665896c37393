// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

namespace loom {

/// A configuration value that may be one value or a list of them: `kernel: 3`, `kernel: [3, 5]`.
template <class T>
struct ShortList {
    std::vector<T> values;
};

}  // namespace loom
