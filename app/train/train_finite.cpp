// SPDX-License-Identifier: Apache-2.0
#include "app/train/train_loop.hpp"

#include <bit>
#include <cstdint>

namespace loom::app {
namespace {

/// By bits, several at a time: every value of every step is looked at.
bool finite(std::span<const float> v) {
    constexpr std::uint32_t exponent = 0x7f800000;
    std::uint32_t bad = 0;
    for (const float x : v) bad |= (std::bit_cast<std::uint32_t>(x) & exponent) == exponent ? 1U : 0U;
    return bad == 0;
}

std::string at(const learn::Layer& layer, const std::string& what) {
    return "layer '" + layer.name + "': its " + what;
}

}  // namespace

bool all_finite(learn::Network& network) {
    for (const learn::Network::Node& node : network.nodes()) {
        const auto* neurons = dynamic_cast<const learn::NeuronLayer*>(node.layer.get());
        if (neurons != nullptr && !finite(neurons->membranes().all())) return false;
        for (const learn::Parameter& p : node.layer->parameters())
            if (!finite(p.value)) return false;
    }
    return true;
}

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
