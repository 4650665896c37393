// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "training/accelerator/engine.hpp"
#include "noc/network.hpp"
#include "training/many_core/bits.hpp"
#include "training/many_core/core_arithmetic.hpp"
#include "training/many_core/training_core.hpp"

namespace loom::training {

/// Training on a many-core chip: weights stay in their cores, spikes travel forward and errors backward as
/// packets on the chip's network. One sample after another (with statistics of the minibatch: all together):
/// forward and backward in steps that end when all is drained and the barrier has passed, all populations at
/// work on pairs (timestep, sample) of their own; then every core multiplies its stored inputs with its
/// errors (weight gradient); after the minibatch every core updates its weights. What multiplies in a core is
/// its arithmetic's. Cycles of a step are booked on the layers for which the core that finished last worked.
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
    /// Timesteps and samples that go forward, then backward, then into gradients. Pair i: samples inside.
    struct Round {
        std::size_t t0, t1, b0, b1;
        std::size_t samples() const { return b1 - b0; }
        std::size_t pairs() const { return (t1 - t0) * samples(); }
    };
    struct Pair {
        std::size_t t, sample;
    };
    Pair pair_at(std::size_t i) const {
        return {round_.t0 + i / round_.samples(), round_.b0 + i % round_.samples()};
    }
    std::size_t number(const Pair& p) const { return p.t * view_.work->batch + p.sample; }

    /// Calls f(element, zero) for every bit that is sent: the set ones, or all.
    template <class F>
    void each_sent(std::span<const std::uint64_t> bits, std::size_t first, std::size_t last, F f) const {
        if (view_.sparsity.spikes == arch::ZeroRule::Skip)
            each_one(bits, first, last, [&](std::size_t i) { f(i, false); });
        else
            for (std::size_t i = first; i < last; ++i) f(i, (bits[i / 64] >> i % 64 & 1) == 0);
    }

    Cycles arrive(std::uint32_t core, const Packet& packet) override;
    Cycles arrive_input(std::uint32_t core, const Packet& packet);
    Cycles arrive_error(const Block& block, std::uint32_t feed, std::size_t element, std::size_t t);
    /// Whether input `element` is known now at a core; `zero` then holds for all its packets together.
    bool complete(std::uint32_t core, std::uint32_t feed, std::size_t element, std::size_t pair, bool& zero);

    void save_counters();
    void build(const arch::TrainingWork& work);
    void connect_cores();
    void prepare_destinations();
    void prepare_arrivals();
    void enter(Phase phase);
    std::vector<Round> rounds() const;
    void forward();
    void backward();
    void weight_gradient();
    void weight_update();
    /// Gradients of copies of kernels to the owner, or its new weights back.
    void exchange(bool gradients);
    Cycles arrive_exchange(const Packet& packet);

    void add_job(std::uint32_t core, CoreJob job, std::uint32_t item);
    /// When sums_ are complete; a block's first matrix is given the time until then.
    Cycles await_sums(const Block& block);
    void send_input(const Pair& pair);
    void forward_block(std::uint32_t block, const Pair& pair);
    void count_update(const Block& block);
    void send_outputs(std::uint32_t block, const Pair& pair);
    void send_to(const Block& block, std::uint32_t feed, const SourceMap& source, const Pair& pair,
                 const Pair& to);
    void recursion(std::uint32_t block, const Pair& pair);
    void errors_out(std::uint32_t block, const Pair& pair, bool behind_norm);
    void count_error_recursion(const Block& block, std::size_t t);
    void send_errors(const Block& block, std::uint32_t feed, const Pair& pair);
    Cycles gradient_of(const Block& block, const Feed& feed, std::size_t t);
    /// Executes step_ and leaves it empty.
    void run_step();
    void book(std::uint64_t cycles, std::size_t core);
    void send(std::uint32_t from, std::uint32_t set, std::uint32_t tag, std::size_t element,
              std::size_t payload, std::uint64_t payload_bits);
    /// As many values to a packet as fit; packets tell their number (`axon`).
    void send_values(std::uint32_t from, std::uint32_t set, std::uint32_t tag, std::uint64_t values,
                     std::size_t payload, std::uint64_t value_bits);

    // Element-wise layers (element_execution.cpp).
    /// What of a norm's work is done: sums of its statistics as values come; the rest once they are known.
    enum class Part : std::uint8_t { Sums, Apply };
    enum class ValueKind : std::uint8_t { Sums, Results };
    /// Work of a population's layers on a pair at a block, after cycle `ready` of the step.
    void elements(std::uint32_t block, const Pair& pair, Part part, Cycles ready = 0);
    void statistics_sums(std::uint32_t block, const Pair& pair);
    void count_operations(PhaseRecord& r, const arch::ElementOperations& done);
    void count_norm_traffic(PhaseRecord& r, const Block& block, Part part);
    void count_pool_traffic(PhaseRecord& r, const PlacedElement& placed, std::uint64_t first, std::uint64_t n,
                            std::uint64_t parts);
    /// A step after the sums of `pair`: if it was the last one of a window, statistics are made of them.
    /// `travelled`: they came from several cores.
    void statistics(std::uint32_t population, const Pair& pair, bool travelled);
    bool ends_window(std::size_t window, const Pair& pair) const;
    void finish_statistics(const PlacedElement& placed, const SharedKernel& kernel, std::size_t t);
    void pass_values(std::uint32_t from, std::uint32_t set, std::uint32_t item, std::uint64_t values,
                     ValueKind kind);
    Cycles arrive_values(const Packet& packet);
    void update_parameters();
    void exchange_parameters(bool gradients);
    void prepare_parameters();

    /// A set of cores as one core reaches it.
    struct Way {
        Destination to;
        std::uint32_t copies = 0;
    };
    using Cores = std::set<std::uint32_t>;
    static constexpr std::uint32_t kNowhere = UINT32_MAX;
    /// Tags from here on: values of an item of the work that are no inputs and no errors.
    static constexpr std::uint32_t kValues = 0x8000;
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
    Round round_{};
    StepWork step_{0};
    std::vector<Cycles> spent_;  ///< [core][item]: cycles of this step that a core worked for an item
    std::vector<CoreSums> sums_;
    std::vector<std::uint8_t> reached_;   ///< [input position] of one call
    std::vector<std::uint64_t> nonzero_;  ///< [output position] of one call

    std::unique_ptr<Scheduler> scheduler_;
    Activity activity_;
    std::unique_ptr<noc::Network> network_;
    std::vector<std::unique_ptr<Link<Packet>>> links_;
    std::vector<std::unique_ptr<TrainingCore>> cores_;  ///< the last one: the host port
    std::map<Cores, std::uint32_t> set_numbers_;
    std::vector<Cores> sets_;
    std::unordered_map<std::uint64_t, Way> ways_;  ///< (core that sends, set)
    /// [feed][input position * groups + group]: cores with outputs of its channels in the group. [feed][input
    /// element]: cores with its source neurons.
    std::vector<std::vector<std::uint32_t>> forward_set_, backward_set_;
    /// Of feeds that join packets: [core][pair of the round][input element], packets so far and whether one
    /// was a spike.
    struct Arrivals {
        std::vector<std::uint32_t> place;  ///< [core]
        std::vector<std::uint32_t> seen;
    };
    std::vector<Arrivals> arrivals_;  ///< [feed]
    /// Cores with copies of a kernel, and the sets that reach owner and copies.
    struct Sharers {
        std::uint32_t owner = 0, to_owner = 0, to_copies = 0;
        std::vector<std::uint32_t> copies;
    };
    Sharers sharers(const Cores& copies, std::uint32_t owner);
    std::vector<Sharers> kernel_sharers_, leak_sharers_;  ///< [shared kernel], [population]
    Cycle start_ = 1;
};

}  // namespace loom::training
