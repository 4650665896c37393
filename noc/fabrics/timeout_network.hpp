// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "noc/fabrics/event_queue.hpp"
#include "noc/fabrics/packet_fabric.hpp"
#include "noc/flits.hpp"

namespace loom::noc {

/// Routers that drop what stays blocked (SpiNNaker; Furber et al., IEEE TC 62:2454): one packet at a time
/// is routed; copies go out by every port that is free, the others wait. After wait1 cycles a blocked
/// link is tried by the two other sides of its triangle (emergency route, wait2 cycles more), then the
/// copy is dropped, or injected again later. Packets are single flits; there are no virtual channels, what
/// would be a deadlock is dropped.
class TimeoutNetwork final : public PacketFabric {
  public:
    TimeoutNetwork(const arch::ChipSpec& spec, Topology topology);
    void reset() override;
    std::string describe_stuck(std::size_t limit) const override;
    Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const override;

  protected:
    Cycle step(Cycle now) override;

  private:
    /// A packet, or one of its copies.
    struct Item {
        PacketRecord record;
        std::uint8_t in_port = kNoPort;   ///< it has come, as far as routing goes, by this port
        std::uint8_t place = kNoPort;     ///< takes a place of this input; kNoPort: injected again
        std::uint8_t straight = kNoPort;  ///< round a blocked link: the port at its end
        bool is_damaged = false;
        std::uint64_t ports = 0;  ///< only by these; 0: as routing says
        Cycle arrived = 0;
        std::uint32_t next = kNone;  ///< in its queue
        const Packet& packet() const { return record.packet; }
    };
    struct Queue {
        std::uint32_t front = kNone, back = kNone;
    };
    struct Router {
        std::uint64_t occupied = 0;  ///< inputs with packets
        std::uint32_t item = kNone;  ///< the packet that it works on
        std::uint64_t ports = 0;     ///< where copies of it still have to go
        Cycle since = 0;
        unsigned next_input = 0;
    };
    struct Arriving {
        std::uint32_t router, item;
    };
    void arrive(const Arriving& a, Cycle now);
    bool inject(std::uint32_t endpoint, Cycle now);
    void take(std::uint32_t r, Cycle now);
    std::uint64_t route(std::uint32_t r, Item& item);
    bool try_core(std::uint32_t r, unsigned port, Cycle now);
    bool try_link(std::uint32_t r, unsigned port, unsigned instead_of, Cycle now);
    void work(std::uint32_t r, Cycle now);
    void give_up(std::uint32_t r, Cycle now);
    std::uint64_t deliveries_behind(const Item& item, std::uint32_t r, unsigned port) const;
    std::uint32_t core_at(std::uint32_t r, unsigned port) const;
    bool is_stray(const Packet& p, std::uint32_t endpoint) const;

    Pool<Item> items_;
    std::vector<Router> routers_;
    std::vector<Queue> queues_;           ///< [router][input]
    std::vector<std::uint16_t> room_;     ///< [router][input]: free places
    std::vector<std::uint64_t> free_ps_;  ///< [router][output]: time when the link is free
    ActiveList active_;                   ///< routers with packets
    EventQueue<Arriving> arriving_;
};

}  // namespace loom::noc
