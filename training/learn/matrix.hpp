// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "training/learn/axpy.hpp"

namespace loom::learn {

/// y += x W, W [x.size()][y.size()]; work follows the x that are not zero.
inline void add_product(std::span<float> y, std::span<const float> x, const float* w) {
    const std::size_t n = y.size();
    for (std::size_t j = 0; j < x.size(); ++j)
        if (x[j] != 0) axpy(y.data(), w + j * n, x[j], n);
}

/// W += x g^T, W [x.size()][g.size()].
inline void add_outer(float* w, std::span<const float> x, std::span<const float> g) {
    const std::size_t n = g.size();
    for (std::size_t j = 0; j < x.size(); ++j)
        if (x[j] != 0) axpy(w + j * n, g.data(), x[j], n);
}

/// [rows][columns] to [columns][rows].
inline std::vector<float> transpose(std::span<const float> from, std::size_t rows, std::size_t columns) {
    std::vector<float> to(from.size());
    for (std::size_t j = 0; j < rows; ++j)
        for (std::size_t k = 0; k < columns; ++k) to[k * rows + j] = from[j * columns + k];
    return to;
}

inline bool any_nonzero(std::span<const float> v) {
    return std::ranges::any_of(v, [](float x) { return x != 0; });
}

inline bool all_finite(std::span<const float> v) {
    constexpr std::uint32_t exponent = 0x7F800000;
    std::uint32_t n = 0;
    for (const float x : v) n += (std::bit_cast<std::uint32_t>(x) & exponent) == exponent ? 1U : 0U;
    return n == 0;
}

}  // namespace loom::learn
