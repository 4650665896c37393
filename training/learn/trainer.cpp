// SPDX-License-Identifier: Apache-2.0
#include "training/learn/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "training/learn/matrix.hpp"
#include "training/learn/trace.hpp"

namespace loom::learn {
namespace {

/// `sum`: outputs summed over time, [sample][class]. The largest wins, the first of equal ones, as in frameworks.
void count_answers(std::span<const float> sum, std::span<const std::int64_t> labels, StepResult& result) {
    const std::size_t n = sum.size() / labels.size();
    result.correct = result.undecided = 0;
    for (std::size_t b = 0; b < labels.size(); ++b) {
        const auto row = sum.subspan(b * n, n);
        if (std::ranges::all_of(row, [](float x) { return x == 0; })) ++result.undecided;
        if (std::ranges::max_element(row) - row.begin() == labels[b]) ++result.correct;
    }
}

/// Timestep t of `all`.
void copy_timestep(const Signal& all, std::size_t t, Signal& one) {
    one.resize(1, all.batch(), all.count());
    one.constant = all.constant;
    std::ranges::copy(all.all().subspan(t * one.all().size(), one.all().size()), one.all().begin());
}

std::vector<NeuronLayer*> hidden_neurons(Network& network) {
    std::vector<NeuronLayer*> all;
    for (Network::Node& node : network.nodes())
        if (auto* neurons = dynamic_cast<NeuronLayer*>(node.layer.get());
            neurons != nullptr && neurons->fires())
            all.push_back(neurons);
    return all;
}

}  // namespace

Trainer::Trainer(std::unique_ptr<Network> network, std::unique_ptr<Loss> loss,
                 std::unique_ptr<Optimiser> optimiser, const Schedule& schedule)
    : network_(std::move(network)),
      loss_(std::move(loss)),
      optimiser_(std::move(optimiser)),
      schedule_(schedule) {
    for (const Network::Node& node : network_->nodes())
        if (schedule_.online && node.layer->needs_all_timesteps())
            throw ConfigError(
                fmt::format("train.algorithm: layer {} needs all timesteps of a sample at once, this "
                            "algorithm goes timestep by "
                            "timestep (online: false, or another norm or surrogate)",
                            node.layer->name));
    if (schedule_.rules.traces) set_trace_leaks(*network_);
}

Pass Trainer::pass_for(std::size_t first, std::size_t steps, std::size_t batch, bool training) const {
    Pass pass;
    pass.first = first;
    pass.steps = steps;
    pass.batch = batch;
    pass.first_sample = first_sample;
    pass.training = training;
    pass.iteration = iteration_;
    pass.progress = progress;
    pass.rules = schedule_.rules;
    pass.sum_group = sum_group;
    pass.formats = formats;
    return pass;
}

void Trainer::check(const Signal& input, std::span<const std::int64_t> labels) const {
    const std::size_t n = network_->nodes().back().layer->out.count();
    if (input.steps() == 0 || input.batch() == 0)
        throw InputError(
            fmt::format("data: empty minibatch ({} timesteps, {} samples)", input.steps(), input.batch()));
    if (input.count() != network_->input_shape().count())
        throw InputError(fmt::format("data.x: samples have {} elements, the network's input {}",
                                     input.count(), network_->input_shape().count()));
    for (std::size_t i = 0; i < input.steps() * input.batch(); ++i)
        if (!all_finite(input.at(i / input.batch(), i % input.batch())))
            throw InputError(fmt::format("data.x: sample {} of the minibatch is not finite at timestep {}",
                                         i % input.batch(), i / input.batch()));
    if (labels.size() != input.batch())
        throw InputError(fmt::format("data.y: {} labels for {} samples", labels.size(), input.batch()));
    for (std::size_t b = 0; b < labels.size(); ++b)
        if (labels[b] < 0 || static_cast<std::size_t>(labels[b]) >= n)
            throw InputError(fmt::format("data.y: label {} of sample {} of the minibatch, expected 0 to {}",
                                         labels[b], b, n - 1));
}

void Trainer::check_loss(double loss) const {
    if (!std::isfinite(loss))
        throw ModelError(fmt::format(
            "the loss is {} after {} updates: the training diverged (smaller train.optimizer.lr?)", loss,
            iteration_));
}

/// Weights in their number format; the optimiser works on the float32 master copies.
void Trainer::store_weights(const Pass& pass) {
    const bool stored = pass.formats != nullptr && pass.formats->master_weights();
    std::uint64_t entity = 0;
    for (auto& [layer, p] : network_->parameters()) {
        Parameter& parameter = layer->parameters()[p];
        if (!stored && parameter.stored.empty()) continue;
        parameter.stored.clear();
        if (stored) {
            parameter.stored = parameter.value;
            pass.formats->round(Role::Weight, parameter.stored, entity++, pass.iteration, 0);
        }
        layer->updated();
    }
}

/// The samples in their number format, which spikes do not need. A constant one is stored once.
const Signal& Trainer::stored(const Signal& input) {
    const auto binary = [](float v) { return v == 0 || v == 1; };
    if (formats == nullptr || !formats->rounds(Role::Input) || std::ranges::all_of(input.all(), binary))
        return input;
    stored_input_ = input;
    for (std::size_t t = 0; t < input.steps(); ++t)
        for (std::size_t b = 0; b < input.batch(); ++b) {
            const auto row = stored_input_.at(t, b);
            if (input.constant && t > 0)
                std::ranges::copy(stored_input_.at(0, b), row.begin());
            else
                formats->round(Role::Input, row, 0, iteration_, (t * input.batch() + b) * row.size());
        }
    return stored_input_;
}

void Trainer::backward(const Pass& pass, bool errors) {
    if (schedule_.rules.traces) set_trace_leaks(*network_);  // a trained leak (PLIF) has moved
    if (errors)
        network_->backward(pass);
    else
        network_->no_errors(pass);
    last_pass_ = pass;
    if (after_pass) after_pass(pass);
}

StepResult Trainer::whole_sample(const Signal& input, std::span<const std::int64_t> labels) {
    const Pass pass = pass_for(0, input.steps(), input.batch(), true);
    network_->forward(pass, input);
    StepResult result;
    result.loss = loss_->evaluate(network_->output(), labels, network_->output_gradient());
    result.loss += loss_->on_membranes(hidden_neurons(*network_), 1);
    count_answers(mean_over_time(network_->output()), labels, result);
    check_loss(result.loss);
    backward(pass);
    return result;
}

StepResult Trainer::by_timestep(const Signal& input, std::span<const std::int64_t> labels, bool updates) {
    StepResult result;
    Signal now;
    std::vector<float> sum;
    const auto share = static_cast<float>(1.0 / static_cast<double>(input.steps()));
    const std::uint64_t started = iteration_;
    for (std::size_t t = 0; t < input.steps(); ++t) {
        const Pass pass = pass_for(t, 1, input.batch(), true);
        copy_timestep(input, t, now);
        network_->forward(pass, now);
        const Signal& out = network_->output();
        Signal& grad = network_->output_gradient();
        double loss = loss_->evaluate(out, labels, grad) * static_cast<double>(share);
        for (float& g : grad.all()) g *= share;
        loss += loss_->on_membranes(hidden_neurons(*network_), share);
        result.loss += loss;
        check_loss(loss);
        sum.resize(out.all().size());
        learn::add(sum.data(), out.all().data(), sum.size());
        backward(pass, schedule_.picks(started, t, input.steps()));
        if (!updates || !schedule_.updates_each_step) continue;
        update();
        network_->clear_gradients();
    }
    count_answers(sum, labels, result);
    return result;
}

StepResult Trainer::run(const Signal& input, std::span<const std::int64_t> labels, bool updates) {
    check(input, labels);
    store_weights(pass_for(0, 0, 0, true));
    network_->clear_gradients();
    const Signal& x = stored(input);
    const StepResult result = schedule_.online ? by_timestep(x, labels, updates) : whole_sample(x, labels);
    if (updates && !schedule_.updates_each_step) update();
    return result;
}

StepResult Trainer::gradients(const Signal& input, std::span<const std::int64_t> labels) {
    return run(input, labels, false);
}

StepResult Trainer::step(const Signal& input, std::span<const std::int64_t> labels) {
    return run(input, labels, true);
}

void Trainer::check_gradients() {
    for (auto& [layer, p] : network_->parameters())
        if (!all_finite(layer->parameters()[p].grad))
            throw ModelError(
                fmt::format("the gradient of {}.{} is not finite after {} updates: the training diverged",
                            layer->name, layer->parameters()[p].name, iteration_));
}

void Trainer::update() {
    check_gradients();
    std::size_t key = 0;
    for (auto& [layer, p] : network_->parameters()) {
        Parameter& parameter = layer->parameters()[p];
        if (formats != nullptr) formats->round(Role::WeightGradient, parameter.grad, key, iteration_, 0);
        optimiser_->update(parameter, key, iteration_ + 1);
        if (formats != nullptr && !formats->master_weights())
            formats->round(Role::Weight, parameter.value, key, iteration_, 0);
        ++key;
    }
    ++iteration_;
    network_->updated();
    store_weights(pass_for(0, 0, 0, true));
}

StepResult Trainer::evaluate(const Signal& input, std::span<const std::int64_t> labels) {
    check(input, labels);
    store_weights(pass_for(0, 0, 0, false));
    const Signal& x = stored(input);
    const std::size_t steps = schedule_.online ? 1 : input.steps();
    StepResult result;
    Signal part, unused;
    std::vector<float> sum;
    for (std::size_t t = 0; t < input.steps(); t += steps) {
        if (schedule_.online) copy_timestep(x, t, part);
        network_->forward(pass_for(t, steps, input.batch(), false), schedule_.online ? part : x);
        const Signal& out = network_->output();
        unused.resize(steps, out.batch(), out.count());
        result.loss += loss_->evaluate(out, labels, unused) * static_cast<double>(steps);
        const std::vector<float> mean = mean_over_time(out);
        sum.resize(mean.size());
        learn::add(sum.data(), mean.data(), sum.size());
    }
    result.loss /= static_cast<double>(input.steps());
    count_answers(sum, labels, result);
    return result;
}

}  // namespace loom::learn
