// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <numbers>

#include "training/learn/surrogate.hpp"
#include "tests/unit/training/learn/reference/tape.hpp"

namespace loom::learn::reference {

struct Known {
    SurrogateSpec spec;
    Derivative h;
    double edge = -1;  ///< h jumps at |x| = edge: float32 may fall on the other side there
};

/// The formulas of the literature, written with the standard library.
inline std::vector<Known> known_surrogates() {
    using std::abs, std::exp, std::pow, std::numbers::pi;
    return {
        {{"sigmoid", 4.0}, [](double x) { return 4 * exp(-4 * x) / pow(1 + exp(-4 * x), 2); }},
        {{"tanh", 2.0}, [](double x) { return 1 - pow(std::tanh(2 * x), 2); }},
        {{"atan", 2.0}, [](double x) { return 1 / (1 + pow(pi * x, 2)); }},
        {{"fast_sigmoid", 10.0}, [](double x) { return pow(1 + 10 * abs(x), -2); }},
        {{"soft_sign", 3.0}, [](double x) { return 1.5 / pow(1 + abs(3 * x), 2); }},
        {{"piecewise_exponential", 1.5}, [](double x) { return 0.75 * exp(-1.5 * abs(x)); }},
        {{"piecewise_quadratic", 0.8}, [](double x) { return abs(x) > 1.25 ? 0 : 0.8 - 0.64 * abs(x); }},
        {{"erf", 2.0}, [](double x) { return 2 / std::sqrt(pi) * exp(-4 * x * x); }},
        {{"dspike", 3.0},
         [](double x) { return abs(x) <= 0.5 ? 3 / (2 * std::tanh(1.5)) / pow(std::cosh(3 * x), 2) : 0; },
         0.5},
        {{"evolving_tanh", 1.5}, [](double x) { return 0.75 * (1 - pow(std::tanh(1.5 * x), 2)); }},
        {{"rect", {}, 0.5}, [](double x) { return abs(x) < 0.5 ? 1 : 0; }, 0.5},
        {{"triangle", {}, 0.8}, [](double x) { return abs(x) < 0.8 ? (1 - abs(x) / 0.8) / 0.8 : 0; }},
        {{"leaky_rect", {}, 0.5, {}, 0.05}, [](double x) { return abs(x) < 0.5 ? 1 : 0.05; }, 0.5},
        {{"log_tailed"}, [](double x) { return x <= 0   ? 0
                                               : x <= 1 ? 1
                                                        : 1 / x; }, 0},
        {{"multi_level", {}, 0.75}, [](double x) { return x >= 0 && x <= 0.75 ? 1 : 0; }, 0.75},
    };
}

}  // namespace loom::learn::reference
