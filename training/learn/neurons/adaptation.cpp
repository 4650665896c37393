// SPDX-License-Identifier: Apache-2.0
#include "training/learn/neurons/adaptation.hpp"

namespace loom::learn {

void Adaptation::begin(const Pass& pass, NeuronConstants& constants) {
    if (pass.first == 0) level_.resize(1, pass.batch, constants.threshold.size());
}

void Adaptation::forward(const NeuronRow& row) {
    const auto a = level_.at(0, row.b);
    for (std::size_t i = 0; i < a.size(); ++i) {
        a[i] = spec_.decay * a[i] + spec_.jump * row.spikes_before[i];
        row.threshold[i] += spec_.strength * a[i];
    }
}

void Adaptation::begin_backward(const Pass& pass) {
    error_.resize(1, pass.batch, level_.count());
}

void Adaptation::spike_error(const NeuronErrorRow& row) {
    if (!row.joined) return;
    const auto error = error_.at(0, row.b);
    for (std::size_t i = 0; i < error.size(); ++i) row.z[i] += spec_.jump * error[i];
}

void Adaptation::backward(const NeuronErrorRow& row) {
    const auto error = error_.at(0, row.b);
    for (std::size_t i = 0; i < error.size(); ++i) {
        const float kept = row.joined ? spec_.decay * error[i] : 0.0F;
        error[i] = kept - spec_.strength * row.h[i] * row.z[i];
    }
}

}  // namespace loom::learn
