// SPDX-License-Identifier: Apache-2.0
#include "training/learn/network.hpp"

#include "base/error.hpp"
#include "training/learn/axpy.hpp"

namespace loom::learn {
namespace {

void round_all(const Pass& pass, Role role, const Layer& layer, Signal& s) {
    if (pass.formats == nullptr) return;
    for (std::size_t t = 0; t < s.steps(); ++t)
        for (std::size_t b = 0; b < s.batch(); ++b) round_row(pass, role, layer, t, b, s.at(t, b));
}

}  // namespace

std::uint32_t Network::add(std::unique_ptr<Layer> layer, std::vector<std::uint32_t> sources) {
    Node node;
    for (const std::uint32_t s : sources) {
        const Shape& shape = s == kInput ? input_shape_ : nodes_.at(s).layer->out;
        if (!(shape == layer->in)) throw InternalError("layer " + layer->name + ": shape of its source");
        if (s == kInput) continue;
        const Node& source = nodes_[s];
        node.trains_below |= source.trains_below || !source.layer->parameters().empty();
    }
    node.layer = std::move(layer);
    node.layer->index = static_cast<std::uint32_t>(nodes_.size());
    node.sources = std::move(sources);
    nodes_.push_back(std::move(node));
    return static_cast<std::uint32_t>(nodes_.size() - 1);
}

const Signal& Network::input_of(const Node& node) const {
    if (node.sources.size() > 1) return node.sum;
    return node.sources[0] == kInput ? *input_ : nodes_[node.sources[0]].out;
}

void Network::forward(const Pass& pass, const Signal& input) {
    input_ = &input;
    for (Node& node : nodes_) {
        if (node.sources.size() > 1) {
            node.sum.resize(pass.steps, pass.batch, node.layer->in.count());
            for (const std::uint32_t s : node.sources) {
                const Signal& from = s == kInput ? input : nodes_[s].out;
                loom::learn::add(node.sum.all().data(), from.all().data(), from.all().size());
            }
        }
        node.out.resize(pass.steps, pass.batch, node.layer->out.count());
        node.layer->forward(pass, input_of(node), node.out);
        if (node.layer->makes_currents()) round_all(pass, Role::Current, *node.layer, node.out);
    }
}

Signal& Network::output_gradient() {
    Node& last = nodes_.back();
    last.grad.resize(last.out.steps(), last.out.batch(), last.out.count());
    return last.grad;
}

void Network::backward(const Pass& pass) {
    for (std::size_t i = 0; i + 1 < nodes_.size(); ++i)
        nodes_[i].grad.resize(pass.steps, pass.batch, nodes_[i].layer->out.count());
    Signal shared;
    for (std::size_t i = nodes_.size(); i-- > 0;) {
        Node& node = nodes_[i];
        Signal* below = nullptr;
        if (node.trains_below) {
            const bool single = node.sources.size() == 1;
            if (!single) shared.resize(pass.steps, pass.batch, node.layer->in.count());
            below = single ? &nodes_[node.sources[0]].grad : &shared;
        }
        round_all(pass, Role::Error, *node.layer, node.grad);
        node.layer->backward(pass, input_of(node), node.out, node.grad, below);
        if (below != &shared) continue;
        for (const std::uint32_t s : node.sources)
            if (s != kInput)
                loom::learn::add(nodes_[s].grad.all().data(), shared.all().data(), shared.all().size());
    }
}

void Network::no_errors(const Pass& pass) {
    for (Node& node : nodes_) {
        node.grad.resize(pass.steps, pass.batch, node.layer->out.count());
        node.layer->no_errors(pass);
    }
}

void Network::clear_gradients() {
    for (Node& node : nodes_)
        for (Parameter& p : node.layer->parameters()) std::ranges::fill(p.grad, 0.0F);
}

void Network::updated() {
    for (Node& node : nodes_) node.layer->updated();
}

Network::Node* Network::find(const std::string& name) {
    for (Node& node : nodes_)
        if (node.layer->name == name) return &node;
    return nullptr;
}

std::vector<std::pair<Layer*, std::size_t>> Network::parameters() {
    std::vector<std::pair<Layer*, std::size_t>> all;
    for (Node& node : nodes_)
        for (std::size_t p = 0; p < node.layer->parameters().size(); ++p)
            all.emplace_back(node.layer.get(), p);
    return all;
}

std::size_t Network::weights() const {
    std::size_t n = 0;
    for (const Node& node : nodes_)
        for (const Parameter& p : node.layer->parameters()) n += p.value.size();
    return n;
}

}  // namespace loom::learn
