// SPDX-License-Identifier: Apache-2.0
#include "training/learn/work_recorder.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "training/learn/pulse_update.hpp"

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

/// Row t is row t - 1 of `bits`, row 0 is empty.
BitSignal a_timestep_late(const BitSignal& bits) {
    BitSignal late(bits.steps(), bits.batch(), bits.count());
    for (std::size_t t = 1; t < bits.steps(); ++t)
        for (std::size_t b = 0; b < bits.batch(); ++b)
            std::ranges::copy(bits.row(t - 1, b), late.row(t, b).begin());
    return late;
}

/// Walks a network once; items are its nodes, and before a recurrent population its recurrent weights.
class Collector {
  public:
    Collector(Trainer& trainer, const Pass& pass, arch::TrainingWork& work)
        : network_(trainer.network()),
          pass_(pass),
          work_(work),
          online_(trainer.schedule().online),
          useful_(network_.nodes().size()) {}

    void run() {
        for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
            const Network::Node& node = network_.nodes()[i];
            arch::WorkItem item{arch::WorkKind::Element, 0, {}};
            for (const std::uint32_t s : node.sources)
                item.sources.push_back(s == Network::kInput ? s : item_of_node_[s]);
            if (auto* linear = dynamic_cast<const LinearLayer*>(node.layer.get())) {
                item.kind = arch::WorkKind::Linear, item.index = add_linear(i, *linear);
            } else if (auto* neurons = dynamic_cast<const NeuronLayer*>(node.layer.get())) {
                if (neurons->recurrence() != nullptr) item.sources.push_back(add_recurrent(*neurons));
                item.kind = arch::WorkKind::Neuron, item.index = add_neurons(i, *neurons);
            } else {
                item.index = add_element(i);
            }
            item_of_node_.push_back(static_cast<std::uint32_t>(work_.items.size()));
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
        w.constant_input = in.constant && !online_;
        w.binary_input = !w.constant_input && is_binary(in);
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
    /// Returns the item; the population that it belongs to comes next and is its source, a timestep late.
    std::uint32_t add_recurrent(const NeuronLayer& layer) {
        const Recurrence& r = *layer.recurrence();
        arch::LinearWork w;
        w.name = layer.name + ".recurrent";
        w.shape.in_c = w.shape.out_c = layer.out.count();
        w.sends_error = pass_.rules.temporal;
        w.input = nonzero(r.input);
        if (pass_.rules.traces) w.trace = nonzero(r.trace);
        w.error = nonzero(r.error);
        w.wanted = a_timestep_late(derivative_bits(layer, r.input));
        work_.linear.push_back(std::move(w));
        const auto item = static_cast<std::uint32_t>(work_.items.size());
        work_.items.push_back(
            {arch::WorkKind::Linear, static_cast<std::uint32_t>(work_.linear.size() - 1), {item + 1}});
        return item;
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
    bool online_;
    std::vector<std::uint32_t> item_of_node_;
    std::vector<BitSignal> useful_;  ///< by node: outputs whose error somebody below can use
};

arch::TrainingWork collect_pass(Trainer& trainer, const Pass& pass) {
    arch::TrainingWork work;
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

/// One after the other in time.
BitSignal joined(const std::vector<arch::TrainingWork>& passes, auto signal) {
    const BitSignal& first = signal(passes.front());
    BitSignal all(first.empty() ? 0 : first.steps() * passes.size(), first.batch(), first.count());
    if (first.empty()) return all;
    for (std::size_t t = 0; t < passes.size(); ++t)
        for (std::size_t b = 0; b < first.batch(); ++b)
            std::ranges::copy(signal(passes[t]).row(0, b), all.row(t, b).begin());
    return all;
}

/// Of passes of one timestep.
arch::TrainingWork merged(const std::vector<arch::TrainingWork>& passes) {
    using Work = arch::TrainingWork;
    Work all = passes.front();
    all.steps = passes.size();
    for (std::size_t i = 0; i < all.linear.size(); ++i) {
        const auto join = [&](BitSignal arch::LinearWork::*m) {
            all.linear[i].*m =
                joined(passes, [&](const Work& w) -> const BitSignal& { return w.linear[i].*m; });
        };
        join(&arch::LinearWork::input), join(&arch::LinearWork::trace);
        join(&arch::LinearWork::error), join(&arch::LinearWork::wanted);
        for (std::size_t t = 1; t < passes.size(); ++t) {
            all.linear[i].binary_input &= passes[t].linear[i].binary_input;
            all.linear[i].spikes_before_pool += passes[t].linear[i].spikes_before_pool;
        }
    }
    for (std::size_t i = 0; i < all.neurons.size(); ++i) {
        const auto join = [&](BitSignal arch::NeuronWork::*m) {
            all.neurons[i].*m =
                joined(passes, [&](const Work& w) -> const BitSignal& { return w.neurons[i].*m; });
        };
        join(&arch::NeuronWork::spikes), join(&arch::NeuronWork::error), join(&arch::NeuronWork::derivative);
    }
    for (std::size_t i = 0; i < all.elements.size(); ++i)
        for (std::size_t t = 1; t < passes.size(); ++t) all.elements[i].add(passes[t].elements[i]);
    return all;
}

/// Cells and pulses of the update that ended a step.
void add_cells(Trainer& trainer, arch::TrainingWork& work) {
    const auto* cells = dynamic_cast<const PulseUpdate*>(&trainer.optimiser());
    if (cells == nullptr) return;
    if (trainer.schedule().updates_each_step)
        throw UnsupportedError(
            "train.algorithm: updates in cells come once per minibatch, not at every timestep");
    cells->describe(trainer.network(), work);
}

}  // namespace

arch::TrainingWork collect_work(Trainer& trainer) {
    if (trainer.schedule().online) throw InternalError("work of passes of one timestep needs a WorkRecorder");
    arch::TrainingWork work = collect_pass(trainer, trainer.last_pass());
    add_cells(trainer, work);
    return work;
}

WorkRecorder::WorkRecorder(Trainer& trainer, bool needed)
    : trainer_(trainer), needed_(needed), before_(std::exchange(trainer.after_pass, nullptr)) {
    trainer.after_pass = [this](const Pass& pass) {
        if (before_) before_(pass);
        known([&] { passes_.push_back(collect_pass(trainer_, pass)); });
    };
}

/// f(); whether it told all. A layer that no engine knows ends a step only when its work is needed.
template <class F>
bool WorkRecorder::known(F f) {
    try {
        if (!unknown_) f();
    } catch (const UnsupportedError&) {
        if (needed_) throw;
        unknown_ = true;
    }
    return !unknown_;
}

WorkRecorder::~WorkRecorder() {
    trainer_.after_pass = std::move(before_);
}

arch::TrainingWork WorkRecorder::take() {
    if (unknown_) return {};
    if (passes_.empty()) throw InternalError("no training step was recorded");
    arch::TrainingWork work = trainer_.schedule().online ? merged(passes_) : std::move(passes_.back());
    if (trainer_.schedule().updates_each_step) work.updates = passes_.size();
    passes_.clear();
    return known([&] { add_cells(trainer_, work); }) ? std::move(work) : arch::TrainingWork{};
}

}  // namespace loom::learn
