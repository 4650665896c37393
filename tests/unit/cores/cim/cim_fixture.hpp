// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "cores/cim/array.hpp"
#include "base/rng.hpp"

namespace loom::cores {

/// The golden file's timing: t_wl 1, t_rd 2, t_sh 0, t_adc 1, t_sa 1.
inline arch::CimSpec golden_spec() {
    arch::CimSpec s;
    s.timing.t_wl = "1";
    s.timing.t_rd = "2";
    s.timing.t_sh = "0";
    s.timing.t_adc = "1";
    s.timing.t_sa = "1";
    return s;
}

inline CimWeights random_weights(std::size_t rows, std::size_t outputs, int bits, std::uint64_t seed) {
    CimWeights w{rows, outputs, {}};
    const CounterRng rng(seed, 1);
    const std::uint32_t span = (1u << bits) - 1;  // -top ... top
    for (std::size_t i = 0; i < rows * outputs; ++i) {
        w.values.push_back(static_cast<std::int32_t>(rng.word(i, 0) % span) - (1 << (bits - 1)) + 1);
    }
    return w;
}

inline std::vector<std::uint32_t> random_rows(std::size_t rows, double density, std::uint64_t seed) {
    std::vector<std::uint32_t> active;
    const CounterRng rng(seed, 2);
    for (std::uint32_t i = 0; i < rows; ++i) {
        if (rng.bernoulli(density, i, 0)) active.push_back(i);
    }
    return active;
}

/// x W
inline std::vector<std::int64_t> product(const CimWeights& w, const std::vector<std::uint32_t>& active) {
    std::vector<std::int64_t> y(w.outputs, 0);
    for (const std::uint32_t r : active) {
        for (std::size_t j = 0; j < w.outputs; ++j) y[j] += w.values[r * w.outputs + j];
    }
    return y;
}

}  // namespace loom::cores
