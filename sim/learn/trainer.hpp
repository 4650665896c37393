// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "sim/learn/loss.hpp"
#include "sim/learn/network.hpp"
#include "sim/learn/optimiser.hpp"
#include "sim/learn/surrogate.hpp"

namespace loom::learn {

/// bptt: errors through time. sltt: no temporal terms. ottt: no temporal terms, presynaptic traces.
enum class Algorithm { Bptt, Sltt, Ottt };

/// What one minibatch gave.
struct StepResult {
    double loss = 0;
    std::size_t correct = 0;
};

/// One optimiser step: forward over all timesteps, loss, backward, update. Owns network, loss and optimiser.
class Trainer {
  public:
    Trainer(std::unique_ptr<Network> network, std::unique_ptr<Loss> loss,
            std::unique_ptr<Optimiser> optimiser, TimeRules rules);
    /// input: [timestep][sample][element]. Gradients and signals of the step stay readable in network().
    StepResult step(const Signal& input, std::span<const std::int64_t> labels);
    /// step() without the update.
    StepResult gradients(const Signal& input, std::span<const std::int64_t> labels);
    /// Forward only; predictions are the largest mean output.
    StepResult evaluate(const Signal& input, std::span<const std::int64_t> labels);

    Network& network() { return *network_; }
    Optimiser& optimiser() { return *optimiser_; }
    std::uint64_t iteration() const { return iteration_; }
    /// Of the last step() or gradients().
    const Pass& last_pass() const { return last_pass_; }
    void set_iteration(std::uint64_t i) { iteration_ = i; }

    std::size_t sum_group = 1;         ///< Pass::sum_group
    const Formats* formats = nullptr;  ///< Pass::formats

  private:
    Pass pass_for(const Signal& input, bool training) const;
    void update();

    std::unique_ptr<Network> network_;
    std::unique_ptr<Loss> loss_;
    std::unique_ptr<Optimiser> optimiser_;
    TimeRules rules_;
    std::uint64_t iteration_ = 0;
    Pass last_pass_;
};

/// Rules of an algorithm.
TimeRules time_rules(Algorithm algorithm, bool detach_reset, std::size_t truncate);

}  // namespace loom::learn
