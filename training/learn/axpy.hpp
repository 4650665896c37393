// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

namespace loom::learn {

/// y[i] += a * x[i]. Every element keeps its own order of additions, so vectors of any width give the same
/// bits.
inline void axpy(float* __restrict y, const float* __restrict x, float a, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) y[i] += a * x[i];
}
/// y[i] += x[i].
inline void add(float* __restrict y, const float* __restrict x, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) y[i] += x[i];
}

}  // namespace loom::learn
