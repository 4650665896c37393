// SPDX-License-Identifier: Apache-2.0
#include "training/learn/neurons/recurrent_weights.hpp"

#include "training/learn/matrix.hpp"

namespace loom::learn {

void RecurrentWeights::attach(const Shape& shape, NeuronConstants& constants,
                              std::vector<Parameter>& parameters) {
    n_ = shape.count();
    constants_ = &constants;
    parameters_ = &parameters;
    index_ = parameters.size();
    parameters.push_back({"recurrent", std::vector<float>(n_ * n_), std::vector<float>(n_ * n_)});
}

void RecurrentWeights::begin(const Pass& pass, NeuronConstants&) {
    traces_ = pass.rules.traces;
    activity_.input.resize(pass.steps, pass.batch, n_);
    if (!traces_) return;
    activity_.trace.resize(pass.steps, pass.batch, n_);
    if (pass.first == 0) last_trace_.resize(1, pass.batch, n_);
}

void RecurrentWeights::forward(const NeuronRow& row) {
    const auto input = activity_.input.at(row.t, row.b);
    std::ranges::copy(row.spikes_before, input.begin());
    add_product(row.current, input, parameter().used().data());
    if (!traces_) return;
    const auto trace = activity_.trace.at(row.t, row.b), last = last_trace_.at(0, row.b);
    const float* leak = constants_->leak.data();
    for (std::size_t i = 0; i < n_; ++i) last[i] = trace[i] = leak[i] * last[i] + input[i];
}

void RecurrentWeights::begin_backward(const Pass& pass) {
    activity_.error.resize(pass.steps, pass.batch, n_);
    transposed_ = transpose(parameter().used(), n_, n_);
}

void RecurrentWeights::spike_error(const NeuronErrorRow& row) {
    if (row.joined) add_product(row.z, activity_.error.at(row.t + 1, row.b), transposed_.data());
}

void RecurrentWeights::backward(const NeuronErrorRow& row) {
    const auto error = activity_.error.at(row.t, row.b);
    std::ranges::copy(row.grad_current, error.begin());
    if (!any_nonzero(error)) return;
    const Signal& from = traces_ ? activity_.trace : activity_.input;
    add_outer(parameter().grad.data(), from.at(row.t, row.b), error);
}

}  // namespace loom::learn
