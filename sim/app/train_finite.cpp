// SPDX-License-Identifier: Apache-2.0
#include "sim/app/train_loop.hpp"

namespace loom::app {
namespace {

bool finite(std::span<const float> v) {
    float sum = 0;
    for (const float x : v) sum += x - x;  // NaN for what is not finite
    return sum == 0;
}

std::string at(const learn::Layer& layer, const std::string& what) {
    return "layer '" + layer.name + "': its " + what;
}

}  // namespace

std::string first_not_finite(learn::Network& network) {
    for (const learn::Network::Node& node : network.nodes()) {
        const auto* neurons = dynamic_cast<const learn::NeuronLayer*>(node.layer.get());
        if (neurons != nullptr && !finite(neurons->membranes().all())) return at(*node.layer, "membranes");
        if (!finite(node.out.all())) return at(*node.layer, "output");
    }
    for (std::size_t i = network.nodes().size(); i-- > 0;) {
        const learn::Network::Node& node = network.nodes()[i];
        if (!finite(node.grad.all())) return at(*node.layer, "output's error");
        const auto* neurons = dynamic_cast<const learn::NeuronLayer*>(node.layer.get());
        if (neurons != nullptr && !finite(neurons->membrane_gradients().all()))
            return at(*node.layer, "membranes' error");
        for (const learn::Parameter& p : node.layer->parameters())
            if (!finite(p.grad)) return at(*node.layer, p.name + "'s gradient");
    }
    for (const learn::Network::Node& node : network.nodes())
        for (const learn::Parameter& p : node.layer->parameters())
            if (!finite(p.value)) return at(*node.layer, p.name + " after the update");
    return "";
}

}  // namespace loom::app
