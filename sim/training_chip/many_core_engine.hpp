// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "cores/training/engine.hpp"
#include "noc/network.hpp"
#include "sim/arch/chip_spec.hpp"
#include "sim/training_chip/placement.hpp"
#include "sim/training_chip/training_core.hpp"

namespace loom::training {

/// Training on a near-memory many-core chip: weights stay in their cores, spikes travel forward and errors
/// backward as packets on the chip's network. One sample after another: forward and backward in steps that
/// end when all is drained and the barrier has passed, all populations at work on timesteps of their own (one
/// of depth d is d steps behind the first); then every core multiplies its stored inputs with its errors
/// (weight gradient); after the minibatch every core updates its weights. Cycles of a step are booked on the
/// layer whose core finished last.
class ManyCoreEngine final : public Engine, public PacketWork {
  public:
    ManyCoreEngine(const arch::ChipSpec& chip, const arch::SparsityRules& sparsity);
    ~ManyCoreEngine() override;
    void execute(const arch::TrainingWork& work) override;
    const EngineRecord& record() const override { return record_; }
    void resume(const EngineRecord& record) override {
        if (record.steps != 0) record_ = record;
    }
    /// Counters of the network, over all steps executed.
    const noc::NocCounters& network_counters() const { return noc_counters_; }
    /// Evaluates each cycle's components in another order (self-check).
    void shuffle(std::uint64_t seed) { shuffle_ = seed; }

  private:
    /// Job and packets of every core (the last one: the host port) in one step.
    struct StepWork {
        explicit StepWork(std::size_t cores) : jobs(cores), sends(cores) {}
        std::vector<Cycles> jobs;
        std::vector<std::vector<TrainingCore::Send>> sends;
    };

    Cycles arrive(std::uint32_t core, const Packet& packet) override;
    Cycles arrive_spike(const Block& block, std::uint32_t feed, std::size_t element);
    Cycles arrive_error(const Block& block, std::uint32_t feed, std::size_t element, std::size_t t);

    void build(const arch::TrainingWork& work);
    void connect_cores();
    void prepare_destinations();
    void forward(std::size_t sample);
    void backward(std::size_t sample);
    void weight_gradient(std::size_t sample);
    void weight_update();
    void element_work();

    void forward_block(const Block& block, std::size_t t, StepWork& step);
    void send_input(std::size_t t, StepWork& step);
    void backward_block(const Block& block, std::size_t t, StepWork& step);
    Cycles errors_back(const Block& block, std::uint32_t feed, std::size_t t, StepWork& step);
    Cycles gradient_of(const Block& block, const Feed& feed, std::size_t t);
    void run_step(StepWork& step);
    void send(StepWork& step, std::uint32_t from, std::uint32_t set, std::uint32_t feed, std::size_t element,
              std::size_t t, std::uint64_t payload_bits);

    Cycles on_lanes(std::uint64_t operations) const;
    std::uint64_t words(std::uint64_t weights) const;
    PhaseRecord& of_linear(std::uint32_t linear) { return of_item(linear_items_[linear]); }
    PhaseRecord& of_neurons(std::uint32_t neurons) { return of_item(neuron_items_[neurons]); }
    PhaseRecord& of_item(std::uint32_t item) {
        return record_.layers[item].phases[static_cast<std::size_t>(phase_)];
    }

    /// A set of cores as one core reaches it.
    struct Way {
        Destination to;
        std::uint32_t copies = 0;
    };
    using Cores = std::set<std::uint32_t>;
    static constexpr std::uint32_t kNowhere = UINT32_MAX;
    std::uint32_t number_of(const Cores& cores);
    void add_way(std::uint32_t from, std::uint32_t set);
    const Way& way(std::uint32_t from, std::uint32_t set) const {
        return ways_.at(std::uint64_t{from} << 32 | set);
    }

    const arch::ChipSpec chip_;
    arch::SparsityRules sparsity_;
    CoreRoom room_;
    EngineRecord record_;
    noc::NocCounters noc_counters_;
    std::uint64_t shuffle_ = 0;

    const arch::TrainingWork* work_ = nullptr;
    std::size_t sample_ = 0;
    Phase phase_ = Phase::Forward;
    Placement placement_;
    std::vector<std::uint32_t> linear_items_, neuron_items_;  ///< items of matrices and populations
    std::vector<std::vector<std::uint32_t>> blocks_of_core_;

    std::unique_ptr<Scheduler> scheduler_;
    Activity activity_;
    std::unique_ptr<noc::Network> network_;
    std::vector<std::unique_ptr<Link<Packet>>> links_;
    std::vector<std::unique_ptr<TrainingCore>> cores_;  ///< the last one: the host port
    std::map<Cores, std::uint32_t> set_numbers_;
    std::vector<Cores> sets_;
    std::unordered_map<std::uint64_t, Way> ways_;  ///< (core that sends, set)
    /// [feed][input position]: cores with outputs of it. [feed][input element]: cores with its source
    /// neurons.
    std::vector<std::vector<std::uint32_t>> forward_set_, backward_set_;
    Cycle start_ = 1;
};

}  // namespace loom::training
