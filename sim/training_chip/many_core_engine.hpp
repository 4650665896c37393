// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "cores/training/engine.hpp"
#include "noc/network.hpp"
#include "sim/training_chip/core_arithmetic.hpp"
#include "sim/training_chip/training_core.hpp"

namespace loom::training {

/// Training on a many-core chip: weights stay in their cores, spikes travel forward and errors backward as
/// packets on the chip's network. One sample after another: forward and backward in steps that end when all
/// is drained and the barrier has passed, all populations at work on timesteps of their own (one of depth d
/// is d steps behind the first); then every core multiplies its stored inputs with its errors (weight
/// gradient); after the minibatch every core updates its weights. What multiplies in a core is its
/// arithmetic's. Cycles of a step are booked on the layer whose core finished last.
class ManyCoreEngine final : public Engine, public PacketWork {
  public:
    /// Near-memory cores.
    ManyCoreEngine(const arch::ChipSpec& chip, const arch::SparsityRules& sparsity);
    ManyCoreEngine(const arch::ChipSpec& chip, const arch::SparsityRules& sparsity,
                   std::unique_ptr<CoreArithmetic> arithmetic);
    ~ManyCoreEngine() override;
    void execute(const arch::TrainingWork& work) override;
    const EngineRecord& record() const override { return view_.record; }
    void resume(const EngineRecord& record) override;
    const CoreArithmetic& arithmetic() const { return *arithmetic_; }
    const arch::ChipSpec& chip() const { return view_.chip; }
    /// Counters of the network, over all steps executed.
    noc::NocCounters network_counters() const;
    const noc::NocCounters& network_counters(Phase phase) const {
        return noc_counters_[static_cast<std::size_t>(phase)];
    }
    /// Evaluates each cycle's components in another order (self-check).
    void shuffle(std::uint64_t seed) override { shuffle_ = seed; }

  private:
    /// Jobs and packets of every core (the last one: the host port) in one step.
    struct StepWork {
        explicit StepWork(std::size_t cores) : jobs(cores), sends(cores) {}
        std::vector<std::vector<CoreJob>> jobs;
        std::vector<std::vector<TrainingCore::Send>> sends;
    };

    Cycles arrive(std::uint32_t core, const Packet& packet) override;
    Cycles arrive_error(const Block& block, std::uint32_t feed, std::size_t element, std::size_t t);

    void save_counters();
    void build(const arch::TrainingWork& work);
    void connect_cores();
    void prepare_destinations();
    void enter(Phase phase);
    void forward();
    void backward();
    void weight_gradient();
    void weight_update();
    void element_work();
    /// Gradients of copies of kernels to the owner, or its new weights back.
    void exchange(bool gradients);
    Cycles arrive_exchange(const Packet& packet);
    void prepare_exchange();

    void forward_block(std::uint32_t block, std::size_t t, StepWork& step);
    void send_input(std::size_t t, StepWork& step);
    void backward_block(std::uint32_t block, std::size_t t, StepWork& step);
    void count_error_recursion(const Block& block, std::size_t t);
    void send_errors(const Block& block, std::uint32_t feed, std::size_t t, StepWork& step);
    Cycles gradient_of(const Block& block, const Feed& feed, std::size_t t);
    void run_step(StepWork& step);
    void send(StepWork& step, std::uint32_t from, std::uint32_t set, std::uint32_t feed, std::size_t element,
              std::size_t t, std::uint64_t payload_bits);

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

    TrainingView view_;
    std::unique_ptr<CoreArithmetic> arithmetic_;
    std::array<noc::NocCounters, kPhases> noc_counters_{};
    noc::NocCounters noc_seen_{};  ///< of this execute(), in finished phases
    std::uint64_t shuffle_ = 0;
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
