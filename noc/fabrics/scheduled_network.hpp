// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <unordered_map>

#include "noc/fabrics/event_queue.hpp"
#include "noc/fabrics/packet_fabric.hpp"

namespace loom::noc {

/// A statically scheduled fabric: every flow, a source and a destination, owns a slot of a table of `slots`
/// cycles on every link of its way, so that nothing is ever arbitrated or buffered. A packet waits at its
/// source for its flow's next slot. A flow for which no slot is free on all of its links does not fit:
/// MappingError with the two flows that are in conflict. slots: 0 makes the table longer as needed.
///
/// NorthPole's typed networks (partial sums, activations, weights, instructions) are `classes`: every message
/// class has links and a table of its own. Circuit-switched lanes (BrainScaleS) are slots: 1: a flow owns its
/// links all the time.
///
/// Flows get their slots in the order of their first packets since the last reset. There is no flow control:
/// a core that does not take a packet in time, one per class and cycle, is a ModelError.
class ScheduledNetwork final : public PacketFabric {
  public:
    ScheduledNetwork(const arch::ChipSpec& spec, Topology topology);
    void reset() override;
    std::string describe_stuck(std::size_t limit) const override;
    /// Without the wait for the slot.
    Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const override;
    std::string describe_tables() const override;

  protected:
    Cycle step(Cycle now) override;

  private:
    struct Hop {
        std::uint32_t router;
        unsigned port;
        Cycles after;   ///< cycles from the start
        Cycles cycles;  ///< that a flit takes it
    };
    struct Flow {
        std::uint32_t from = 0, to = 0;
        std::uint8_t message_class = 0;
        std::uint16_t flits = 1;
        std::vector<Hop> way;  ///< the first one is the core's own link; empty: there is none
        Cycles length = 0;     ///< to the core
        Cycles per_flit = 1;   ///< from flit to flit: the slowest link
        Cycle slot = 0, next = 0;
    };
    struct Conflict {
        std::uint32_t flow = kNone;
        Hop hop{};
    };
    /// A packet on its way.
    struct Booked {
        Packet packet;
        std::uint32_t flow = 0;
    };
    Flow& flow_of(std::uint32_t from, const Packet& p);
    void lay(Flow& f) const;
    void place(std::uint32_t flow);
    Conflict conflict(const Flow& f, Cycle slot) const;
    void take(std::uint32_t flow);
    void send(std::uint32_t endpoint, Packet p, Cycle now);
    bool account(const Flow& f, Packet& p);
    std::size_t lane(const Flow& f, const Hop& h) const {
        return (std::size_t{f.message_class} * topology_.n_routers() + h.router) * n_lanes_ + h.port;
    }
    template <class F>
    void each_slot(const Flow& f, const Hop& h, Cycle slot, F use) const;
    bool is_lane() const { return slots_ == 1; }
    [[noreturn]] void fail(const Flow& f, const Conflict& c) const;

    bool grows_;
    Cycles slots_;
    unsigned n_lanes_;  ///< of a router: output ports, then input ports of its cores
    std::vector<Flow> flows_;
    std::unordered_map<std::uint64_t, std::uint32_t> known_;
    std::vector<std::vector<std::uint32_t>>
        owner_;             ///< [class, router, lane][slot]: flow + 1, or 0; may be shorter
    Cycle busy_until_ = 0;  ///< the last slot that a packet has been given
    Cycle hold_until_ = 0;  ///< the same when the table grew: new flows come after it
    EventQueue<Booked> arriving_;
};

}  // namespace loom::noc
