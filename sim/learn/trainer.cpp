// SPDX-License-Identifier: Apache-2.0
#include "sim/learn/trainer.hpp"

#include <algorithm>

namespace loom::learn {
namespace {

std::size_t count_correct(const Signal& out, std::span<const std::int64_t> labels) {
    const std::vector<float> rate = mean_over_time(out);
    std::size_t correct = 0;
    for (std::size_t b = 0; b < out.batch(); ++b) {
        const auto first = rate.begin() + static_cast<std::ptrdiff_t>(b * out.count());
        const auto best = std::max_element(first, first + static_cast<std::ptrdiff_t>(out.count())) - first;
        if (best == labels[b]) ++correct;
    }
    return correct;
}

}  // namespace

TimeRules time_rules(Algorithm algorithm, bool detach_reset, std::size_t truncate) {
    return {.temporal = algorithm == Algorithm::Bptt,
            .detach_reset = detach_reset,
            .traces = algorithm == Algorithm::Ottt,
            .truncate = truncate};
}

Trainer::Trainer(std::unique_ptr<Network> network, std::unique_ptr<Loss> loss,
                 std::unique_ptr<Optimiser> optimiser, TimeRules rules)
    : network_(std::move(network)), loss_(std::move(loss)), optimiser_(std::move(optimiser)), rules_(rules) {}

Pass Trainer::pass_for(const Signal& input, bool training) const {
    Pass pass;
    pass.steps = input.steps();
    pass.batch = input.batch();
    pass.training = training;
    pass.iteration = iteration_;
    pass.rules = rules_;
    pass.sum_group = sum_group;
    pass.formats = formats;
    return pass;
}

StepResult Trainer::gradients(const Signal& input, std::span<const std::int64_t> labels) {
    const Pass pass = last_pass_ = pass_for(input, true);
    network_->clear_gradients();
    network_->forward(pass, input);
    StepResult result;
    result.loss = loss_->evaluate(network_->output(), labels, network_->output_gradient());
    result.correct = count_correct(network_->output(), labels);
    network_->backward(pass);
    return result;
}

StepResult Trainer::step(const Signal& input, std::span<const std::int64_t> labels) {
    const StepResult result = gradients(input, labels);
    update();
    return result;
}

void Trainer::update() {
    ++iteration_;
    std::size_t key = 0;
    for (auto& [layer, p] : network_->parameters())
        optimiser_->update(layer->parameters()[p], key++, iteration_);
    network_->updated();
}

StepResult Trainer::evaluate(const Signal& input, std::span<const std::int64_t> labels) {
    network_->forward(pass_for(input, false), input);
    StepResult result;
    Signal unused;
    unused.resize(input.steps(), input.batch(), network_->output().count());
    result.loss = loss_->evaluate(network_->output(), labels, unused);
    result.correct = count_correct(network_->output(), labels);
    return result;
}

}  // namespace loom::learn
