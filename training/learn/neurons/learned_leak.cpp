// SPDX-License-Identifier: Apache-2.0
#include "training/learn/neurons/learned_leak.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/portable_math.hpp"

namespace loom::learn {

void LearnedLeak::attach(const Shape&, NeuronConstants& constants, std::vector<Parameter>& parameters) {
    const float leak = constants.leak.front();
    if (leak <= 0 || leak >= 1 || std::ranges::any_of(constants.leak, [&](float l) { return l != leak; }))
        throw ConfigError(
            "train: a trained leak starts from one value between 0 and 1 for all neurons of a layer");
    const double start = static_cast<double>(leak);
    parameters_ = &parameters;
    index_ = parameters.size();
    parameters.push_back({"leak", {static_cast<float>(portable_log(start / (1 - start)))}, {0.0F}});
}

void LearnedLeak::begin(const Pass&, NeuronConstants& constants) {
    leak_ = static_cast<float>(1 / (1 + portable_exp(-static_cast<double>(parameter().used()[0]))));
    std::ranges::fill(constants.leak, leak_);
    if (scales_input_) std::ranges::fill(constants.gain, 1 - leak_);
}

void LearnedLeak::backward(const NeuronErrorRow& row) {
    for (std::size_t i = 0; i < row.g.size(); ++i) {
        const float factor = scales_input_ ? row.membrane_before[i] - row.current[i] : row.membrane_before[i];
        sum_ += static_cast<double>(row.g[i]) * static_cast<double>(factor);
    }
}

void LearnedLeak::end_backward() {
    const double slope = static_cast<double>(leak_) * (1 - static_cast<double>(leak_));
    parameter().grad[0] += static_cast<float>(sum_ * slope);
}

}  // namespace loom::learn
