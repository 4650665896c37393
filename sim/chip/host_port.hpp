// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "arch/chip_spec.hpp"
#include "arch/program.hpp"
#include "base/clocking/link.hpp"
#include "base/clocking/packet.hpp"
#include "sim/chip/sample_input.hpp"

namespace loom::chip {

/// Injects the input spikes of a timestep into the network, one packet per `io.interval` cycles.
class HostPort final : public Clocked {
  public:
    HostPort(const arch::ChipSpec& spec, const arch::Program& program, Activity& activity, Link<Packet>& out);
    void connect(Scheduler& scheduler, Scheduler::ComponentId id) {
        scheduler_ = &scheduler;
        id_ = id;
    }

    /// Queues the packets of these values; the first leaves at now + 1.
    void begin(Cycle now, const SparseVector& values);
    Cycle evaluate(Cycle now) override;

    std::uint64_t packets() const { return packets_; }
    /// Graded values that were rounded to the chip's integers.
    std::uint64_t rounded() const { return rounded_; }

  private:
    std::int64_t to_payload(double value);

    const arch::Program& program_;
    Activity& activity_;
    Link<Packet>& out_;
    Scheduler* scheduler_ = nullptr;
    Scheduler::ComponentId id_ = 0;
    std::uint64_t interval_;
    std::uint16_t flits_plain_, flits_graded_;
    EndpointId self_{};
    std::vector<Packet> queue_;
    std::size_t next_ = 0;
    Cycle free_at_ = 0;
    std::uint64_t packets_ = 0, rounded_ = 0;
};

}  // namespace loom::chip
