// SPDX-License-Identifier: Apache-2.0
#include "training/learn/signal_recorder.hpp"

#include <algorithm>
#include <utility>

#include "training/learn/axpy.hpp"

namespace loom::learn {

SignalRecorder::SignalRecorder(Trainer& trainer)
    : trainer_(trainer), before_(std::exchange(trainer.after_pass, nullptr)) {
    clear();
    trainer.after_pass = [this](const Pass& pass) {
        if (before_) before_(pass);
        record(pass);
    };
}

SignalRecorder::~SignalRecorder() {
    trainer_.after_pass = std::move(before_);
}

void SignalRecorder::clear() {
    nodes_.assign(trainer_.network().nodes().size(), {});
}

void SignalRecorder::record(const Pass&) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        const Network::Node& node = trainer_.network().nodes()[i];
        Parts& parts = nodes_[i];
        if (const auto* neurons = dynamic_cast<const NeuronLayer*>(node.layer.get())) {
            parts.spikes.push_back(node.out);
            parts.membranes.push_back(neurons->membranes());
            parts.gradients.push_back(neurons->membrane_gradients());
        }
        if (!trainer_.schedule().updates_each_step) continue;
        const std::span<const Parameter> parameters = node.layer->parameters();
        parts.parameters.resize(parameters.size());
        for (std::size_t p = 0; p < parameters.size(); ++p) {
            parts.parameters[p].resize(parameters[p].grad.size());
            add(parts.parameters[p].data(), parameters[p].grad.data(), parameters[p].grad.size());
        }
    }
}

Signal SignalRecorder::joined(std::size_t node, std::vector<Signal> Parts::*what) const {
    const std::vector<Signal>& parts = nodes_[node].*what;
    if (parts.empty()) return {};
    std::size_t steps = 0;
    for (const Signal& s : parts) steps += s.steps();
    Signal all(steps, parts[0].batch(), parts[0].count());
    auto to = all.all().begin();
    for (const Signal& s : parts) to = std::ranges::copy(s.all(), to).out;
    return all;
}

std::span<const float> SignalRecorder::gradient(std::size_t node, std::size_t p) const {
    const auto& all = nodes_[node].parameters;
    return p < all.size() ? std::span<const float>(all[p]) : std::span<const float>{};
}

}  // namespace loom::learn
