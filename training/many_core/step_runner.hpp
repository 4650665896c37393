// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "sim/wiring/wiring.hpp"
#include "training/many_core/arrivals.hpp"
#include "training/many_core/training_core.hpp"

namespace loom::training {

/// The cores of a chip on its network, and the work of one step of them: jobs and packets are collected,
/// run() lets time pass until all is drained and the barrier has passed. Cycles of a step are booked on the
/// items of the work for which the core that finished last worked.
class StepRunner final : public PacketWork {
  public:
    /// `beside`: packets are taken while a job is under way. `shuffle` != 0: components of a cycle in another
    /// order.
    StepRunner(TrainingView& view, Arrivals& arrivals, bool beside, std::uint64_t shuffle);

    noc::Network& network() { return wiring_.network(); }
    /// Events of the network since it was made, whatever for.
    noc::NocCounters network_counters() const;
    /// Before the first step of a round: as if nothing had happened before.
    void begin_round(const Round& round);

    /// Local work of a core in this step. What it has to send leaves after it.
    void add_job(std::uint32_t core, CoreJob job, std::uint32_t item);
    /// A packet that leaves core `from` in this step, for `copies` cores at `to`; it carries `payload_bits`
    /// beside its address.
    void send(std::uint32_t from, Destination to, std::uint32_t copies, Packet packet,
              std::uint64_t payload_bits);
    /// Values of so many bits that fit into one packet; at least one.
    std::uint64_t values_that_fit(std::uint64_t value_bits) const;
    /// Executes the step. ModelError when packets are left over.
    void run();

    Cycles arrive(std::uint32_t core, const Packet& packet) override;

  private:
    void add_core(std::uint32_t endpoint);
    std::span<Cycles> spent(std::size_t core);
    void book(std::uint64_t cycles, std::size_t core);

    TrainingView& view_;
    Arrivals& arrivals_;
    bool beside_;
    Scheduler scheduler_;
    Activity activity_;
    chip::Wiring wiring_;
    std::vector<std::unique_ptr<TrainingCore>> cores_;    ///< the last one: the host port
    std::vector<std::vector<CoreJob>> jobs_;              ///< [core]
    std::vector<std::vector<TrainingCore::Send>> sends_;  ///< [core]
    std::vector<Cycles> spent_;  ///< [core][item]: cycles of this step that a core worked for an item
    Cycle start_ = 1;
};

}  // namespace loom::training
