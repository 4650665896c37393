// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "training/learn/algorithm.hpp"
#include "training/learn/loss.hpp"
#include "training/learn/network.hpp"
#include "training/learn/optimiser.hpp"
#include "training/learn/surrogate.hpp"

namespace loom::learn {

/// What one minibatch gave.
struct StepResult {
    double loss = 0;
    std::size_t correct = 0;
    std::size_t undecided = 0;  ///< samples without an output; the first class stands for them, as in frameworks
};

/// One minibatch after the other: forward, loss, backward, update. Owns network, loss and optimiser.
/// Every call throws InputError for empty minibatches, wrong shapes and labels that the network has no output
/// for, ModelError when the loss is not finite.
class Trainer {
  public:
    /// Throws ConfigError when the network cannot work with the schedule.
    Trainer(std::unique_ptr<Network> network, std::unique_ptr<Loss> loss,
            std::unique_ptr<Optimiser> optimiser, const Schedule& schedule);
    /// input: [timestep][sample][element]. Gradients and signals of the last pass stay readable in network().
    StepResult step(const Signal& input, std::span<const std::int64_t> labels);
    /// step() without the update. ottt_o updates at every timestep: its gradients are the sum over timesteps
    /// at the same weights, as in ottt_a.
    StepResult gradients(const Signal& input, std::span<const std::int64_t> labels);
    /// Forward only; predictions are the largest mean output. Online schedules: timestep by timestep, the
    /// loss that of the timesteps' mean.
    StepResult evaluate(const Signal& input, std::span<const std::int64_t> labels);

    Network& network() { return *network_; }
    Optimiser& optimiser() { return *optimiser_; }
    const Schedule& schedule() const { return schedule_; }
    /// Updates done.
    std::uint64_t iteration() const { return iteration_; }
    /// Of the last step() or gradients().
    const Pass& last_pass() const { return last_pass_; }
    void set_iteration(std::uint64_t i) { iteration_ = i; }

    std::size_t sum_group = 1;         ///< Pass::sum_group
    const Formats* formats = nullptr;  ///< Pass::formats
    double progress = 0;               ///< Pass::progress
    std::uint64_t first_sample = 0;    ///< Pass::first_sample
    /// Called when a training pass has its errors (or none: SLTT-K), before the update.
    std::function<void(const Pass&)> after_pass;

  private:
    Pass pass_for(std::size_t first, std::size_t steps, std::size_t batch, bool training) const;
    void check(const Signal& input, std::span<const std::int64_t> labels) const;
    void check_loss(double loss) const;
    void check_gradients();
    StepResult run(const Signal& input, std::span<const std::int64_t> labels, bool updates);
    StepResult whole_sample(const Signal& input, std::span<const std::int64_t> labels);
    StepResult by_timestep(const Signal& input, std::span<const std::int64_t> labels, bool updates);
    void backward(const Pass& pass, bool errors = true);
    void store_weights(const Pass& pass);
    const Signal& stored(const Signal& input);
    void update();

    std::unique_ptr<Network> network_;
    std::unique_ptr<Loss> loss_;
    std::unique_ptr<Optimiser> optimiser_;
    Schedule schedule_;
    std::uint64_t iteration_ = 0;
    Pass last_pass_;
    Signal stored_input_;
};

}  // namespace loom::learn
