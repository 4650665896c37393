// SPDX-License-Identifier: Apache-2.0
#include "sim/learn/activity.hpp"

namespace loom::learn {
namespace {

using arch::BitSignal;

BitSignal nonzero(const Signal& s) {
    BitSignal bits(s.steps(), s.batch(), s.count());
    for (std::size_t t = 0; t < s.steps(); ++t)
        for (std::size_t b = 0; b < s.batch(); ++b) {
            const auto row = s.at(t, b);
            const auto words = bits.row(t, b);
            for (std::size_t i = 0; i < row.size(); ++i)
                words[i / 64] |= static_cast<std::uint64_t>(row[i] != 0) << i % 64;
        }
    return bits;
}

BitSignal all_ones(std::size_t steps, std::size_t batch, std::size_t count) {
    BitSignal bits(steps, batch, count);
    for (std::size_t t = 0; t < steps; ++t)
        for (std::size_t b = 0; b < batch; ++b)
            for (std::size_t i = 0; i < count; ++i) bits.set(t, b, i);
    return bits;
}

BitSignal derivative_bits(const NeuronLayer& neurons, const Signal& out) {
    BitSignal bits(out.steps(), out.batch(), out.count());
    std::vector<float> h(out.count());
    for (std::size_t t = 0; t < out.steps(); ++t)
        for (std::size_t b = 0; b < out.batch(); ++b) {
            neurons.derivative(t, b, h);
            for (std::size_t i = 0; i < h.size(); ++i)
                if (h[i] != 0) bits.set(t, b, i);
        }
    return bits;
}

/// Walks a network once; items have the numbers of its nodes.
class Collector {
  public:
    Collector(Trainer& trainer, const Pass& pass, arch::TrainingWork& work)
        : network_(trainer.network()), pass_(pass), work_(work), useful_(network_.nodes().size()) {}

    void run() {
        for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
            const Network::Node& node = network_.nodes()[i];
            arch::WorkItem item{arch::WorkKind::Element, 0, node.sources};
            if (auto* linear = dynamic_cast<const LinearLayer*>(node.layer.get()))
                item.kind = arch::WorkKind::Linear, item.index = add_linear(i, *linear);
            else if (auto* neurons = dynamic_cast<const NeuronLayer*>(node.layer.get()))
                item.kind = arch::WorkKind::Neuron, item.index = add_neurons(i, *neurons);
            else
                item.index = add_element(i);
            work_.items.push_back(std::move(item));
        }
    }

  private:
    /// Union over the sources of a node of what they can use; every element where a source is linear.
    BitSignal wanted_below(const Network::Node& node) const {
        BitSignal all;
        for (const std::uint32_t s : node.sources) {
            if (s == Network::kInput) continue;
            const BitSignal& one = useful_[s];
            if (all.empty()) {
                all = one;
                continue;
            }
            for (std::size_t t = 0; t < all.steps(); ++t)
                for (std::size_t b = 0; b < all.batch(); ++b)
                    for (std::size_t w = 0; w < all.row(t, b).size(); ++w)
                        all.row(t, b)[w] |= one.row(t, b)[w];
        }
        return all;
    }
    std::uint64_t spikes_of(const Network::Node& node) const {
        std::uint64_t n = 0;
        for (const std::uint32_t s : node.sources) {
            if (s == Network::kInput) continue;
            const Network::Node& below = network_.nodes()[s];
            if (dynamic_cast<const NeuronLayer*>(below.layer.get()) != nullptr)
                n += nonzero(below.out).ones();
            else if (dynamic_cast<const LinearLayer*>(below.layer.get()) == nullptr)
                n += spikes_of(below);
        }
        return n;
    }
    static bool is_binary(const Signal& s) {
        for (const float v : s.all())
            if (v != 0 && v != 1) return false;
        return true;
    }

    std::uint32_t add_linear(std::size_t i, const LinearLayer& layer) {
        const Network::Node& node = network_.nodes()[i];
        const Signal& in = network_.input_of(node);
        arch::LinearWork w;
        w.name = layer.name;
        w.shape = layer.linear_shape();
        w.bias = layer.has_bias();
        w.constant_input = in.constant;
        w.binary_input = !in.constant && is_binary(in);
        w.sends_error = node.trains_below;
        w.spikes_before_pool = spikes_of(node);
        w.input = nonzero(in);
        if (pass_.rules.traces) w.trace = nonzero(layer.trace());
        w.error = nonzero(node.grad);
        w.wanted = wanted_below(node);
        useful_[i] = all_ones(pass_.steps, pass_.batch, layer.out.count());
        work_.linear.push_back(std::move(w));
        return static_cast<std::uint32_t>(work_.linear.size() - 1);
    }
    std::uint32_t add_neurons(std::size_t i, const NeuronLayer& layer) {
        const Network::Node& node = network_.nodes()[i];
        arch::NeuronWork w;
        layer.describe_neurons(w);
        w.name = layer.name;
        w.count = layer.out.count();
        w.spikes = w.fires ? nonzero(node.out) : BitSignal(pass_.steps, pass_.batch, w.count);
        w.error = nonzero(layer.membrane_gradients());
        w.derivative =
            w.fires ? derivative_bits(layer, node.out) : all_ones(pass_.steps, pass_.batch, w.count);
        useful_[i] = w.derivative;
        work_.neurons.push_back(std::move(w));
        return static_cast<std::uint32_t>(work_.neurons.size() - 1);
    }
    std::uint32_t add_element(std::size_t i) {
        const Network::Node& node = network_.nodes()[i];
        arch::ElementWork w;
        w.name = node.layer->name;
        w.outputs = node.layer->out.count();
        node.layer->describe(pass_, w);
        for (const Parameter& p : node.layer->parameters()) w.parameters += p.value.size();
        const BitSignal below = wanted_below(node);
        if (!below.empty()) useful_[i] = node.layer->pass_wanted(below);
        work_.elements.push_back(std::move(w));
        return static_cast<std::uint32_t>(work_.elements.size() - 1);
    }

    Network& network_;
    const Pass& pass_;
    arch::TrainingWork& work_;
    std::vector<BitSignal> useful_;  ///< by node: outputs whose error somebody below can use
};

}  // namespace

arch::TrainingWork collect_work(Trainer& trainer) {
    arch::TrainingWork work;
    const Pass& pass = trainer.last_pass();
    work.steps = pass.steps;
    work.batch = pass.batch;
    work.temporal = pass.rules.temporal;
    work.detach_reset = pass.rules.detach_reset;
    work.traces = pass.rules.traces;
    work.truncate = pass.rules.truncate;
    const OptimiserCost cost = trainer.optimiser().cost();
    work.update_multiply = cost.multiply, work.update_add = cost.add;
    work.update_sqrt = cost.sqrt, work.update_divide = cost.divide, work.state_words = cost.state_words;
    work.parameters = trainer.network().weights();
    Collector(trainer, pass, work).run();
    return work;
}

}  // namespace loom::learn
