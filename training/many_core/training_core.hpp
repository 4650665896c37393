// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "base/clocking/link.hpp"
#include "base/clocking/packet.hpp"

namespace loom::training {

/// What a packet means to the core that takes it.
class PacketWork {
  public:
    virtual ~PacketWork() = default;
    /// Counts the work that `packet` causes at `core`; returns the cycles that it holds the core's lanes,
    /// >= 1.
    virtual Cycles arrive(std::uint32_t core, const Packet& packet) = 0;
};

/// A core during training: it does the local job of the step and what packets ask for, in order of arrival,
/// after the job (one set of lanes) or beside it; its output sends the job's packets, one per
/// `send_interval`.
class TrainingCore final : public Clocked {
  public:
    TrainingCore(std::uint32_t number, Scheduler& scheduler, Activity& activity, PacketWork& work,
                 Link<Packet>* in, Link<Packet>& out, Cycles send_interval)
        : number_(number),
          scheduler_(scheduler),
          activity_(activity),
          work_(work),
          in_(in),
          out_(out),
          interval_(send_interval) {}
    void set_component(Scheduler::ComponentId id) { id_ = id; }

    struct Send {
        Packet packet;
        std::uint32_t copies = 1;  ///< cores that will take it
    };
    /// Local work of `job` cycles from `start` on, after it the packets leave. `beside`: packets are taken
    /// meanwhile.
    /// `sends` comes back empty.
    void begin(Cycle start, Cycles job, std::vector<Send>& sends, bool beside);
    Cycle evaluate(Cycle now) override;
    /// Cycles in which job and packets held the core, in all.
    std::uint64_t busy() const { return busy_; }
    /// Cycle in which the core finished its last piece of work.
    Cycle last_done() const { return last_done_; }

  private:
    /// What holds the core until a cycle.
    struct Hold {
        Cycle until = 0;
        bool on = false;
    };
    void finish(Hold& hold, Cycle now);
    void take_packet(Cycle now);

    std::uint32_t number_;
    Scheduler& scheduler_;
    Activity& activity_;
    PacketWork& work_;
    Link<Packet>* in_;
    Link<Packet>& out_;
    Cycles interval_;
    Scheduler::ComponentId id_ = 0;
    std::vector<Send> sends_;
    std::size_t sent_ = 0;
    Cycle next_send_ = 0, last_done_ = 0;
    Hold job_, packet_;
    bool beside_ = false;
    std::uint64_t busy_ = 0;
};

}  // namespace loom::training
