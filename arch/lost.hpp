// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace loom::arch {

/// What real numbers lose when they become integers. A number is counted as often as it is stored in the network's
/// file, not as often as cores hold it.
struct RoundingLoss {
    std::uint64_t values = 0;   ///< other than 0, which is kept as it is
    std::uint64_t zeroed = 0;   ///< of these: became 0
    std::uint64_t ties = 0;     ///< half way between two integers
    std::uint64_t clipped = 0;  ///< beyond the range of the integers
    double largest_error = 0;   ///< relative
    double sum_of_errors = 0;   ///< relative

    /// x: the number in steps of the integers; kept: what became of it; most: the largest integer.
    void add(double x, double kept, double most) {
        if (x == 0) return;
        const double error = std::abs((kept - x) / x);
        ++values;
        if (kept == 0) ++zeroed;
        if (std::abs(x - std::trunc(x)) == 0.5) ++ties;
        if (std::abs(x) > most + 1) ++clipped;
        largest_error = std::max(largest_error, error);
        sum_of_errors += error;
    }
    RoundingLoss& operator+=(const RoundingLoss& o) {
        values += o.values;
        zeroed += o.zeroed;
        ties += o.ties;
        clipped += o.clipped;
        largest_error = std::max(largest_error, o.largest_error);
        sum_of_errors += o.sum_of_errors;
        return *this;
    }
};

/// What lowering loses of a layer: weights of all its inputs, and its neurons' parameters by name.
struct LayerLoss {
    RoundingLoss weights;
    std::vector<std::pair<std::string, RoundingLoss>> parameters;

    RoundingLoss of_parameters() const {
        RoundingLoss all;
        for (const auto& [name, loss] : parameters) all += loss;
        return all;
    }
};

}  // namespace loom::arch
