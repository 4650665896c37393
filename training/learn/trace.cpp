// SPDX-License-Identifier: Apache-2.0
#include "training/learn/trace.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace loom::learn {
namespace {

float common_leak(const NeuronLayer& neurons) {
    const auto leaks = neurons.leaks();
    if (std::ranges::any_of(leaks, [&](float l) { return l != leaks[0]; }))
        throw ConfigError(
            fmt::format("train.algorithm: ottt needs one leak for all neurons of layer {}", neurons.name));
    return leaks[0];
}

/// Leaks of the neurons that node i reaches without passing another matrix.
void collect_leaks(Network& network, std::uint32_t i, std::vector<float>& leaks) {
    for (std::uint32_t k = i + 1; k < network.nodes().size(); ++k) {
        const Network::Node& node = network.nodes()[k];
        if (std::ranges::find(node.sources, i) == node.sources.end()) continue;
        if (const auto* neurons = dynamic_cast<const NeuronLayer*>(node.layer.get()))
            leaks.push_back(common_leak(*neurons));
        else if (dynamic_cast<const LinearLayer*>(node.layer.get()) == nullptr)
            collect_leaks(network, k, leaks);
    }
}

}  // namespace

void set_trace_leaks(Network& network) {
    for (std::uint32_t i = 0; i < network.nodes().size(); ++i) {
        auto* linear = dynamic_cast<LinearLayer*>(network.nodes()[i].layer.get());
        if (linear == nullptr) continue;
        std::vector<float> leaks;
        collect_leaks(network, i, leaks);
        if (leaks.empty() || std::ranges::any_of(leaks, [&](float l) { return l != leaks[0]; }))
            throw ConfigError(fmt::format("train.algorithm: ottt needs layer {} to feed neurons of one leak",
                                          linear->name));
        linear->trace_leak = leaks[0];
    }
}

const Signal& presynaptic(const Pass& pass, const Signal& in, float leak, Signal& trace) {
    if (!pass.rules.traces) return in;
    std::vector<float> last(pass.batch * in.count());
    if (pass.first > 0 && trace.steps() > 0)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const auto row = trace.at(trace.steps() - 1, b);
            std::copy(row.begin(), row.end(), last.begin() + static_cast<std::ptrdiff_t>(b * in.count()));
        }
    trace.resize(pass.steps, pass.batch, in.count());
    for (std::size_t t = 0; t < pass.steps; ++t)
        for (std::size_t b = 0; b < pass.batch; ++b) {
            const std::span<const float> x = in.at(t, b);
            const std::span<float> a = trace.at(t, b);
            float* carried = last.data() + b * in.count();
            for (std::size_t i = 0; i < x.size(); ++i) carried[i] = a[i] = leak * carried[i] + x[i];
        }
    return trace;
}

}  // namespace loom::learn
