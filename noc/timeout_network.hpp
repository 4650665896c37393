// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <queue>

#include "noc/packet_fabric.hpp"

namespace loom::noc {

/// Routers that drop what stays blocked (SpiNNaker; Furber et al., IEEE TC 62:2454): one packet at a time
/// is routed; copies go out by every port that is free, the others wait. After wait1 cycles a blocked
/// link is tried by the two other sides of its triangle (emergency route, wait2 cycles more), then the
/// copy is dropped, or injected again later. Packets are single flits.
class TimeoutNetwork final : public PacketFabric {
  public:
    TimeoutNetwork(const arch::ChipSpec& spec, Topology topology);
    void reset() override;
    std::string describe_stuck(std::size_t limit) const override;
    Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const override;

  protected:
    bool step(Cycle now) override;

  private:
    struct Queued {
        Packet packet;
        std::uint8_t in_port = 0;
        std::uint8_t emergency = kNoPort;  ///< second leg of an emergency route: leave by this port
        std::uint64_t ports = 0;           ///< injected again: only these
        Cycle arrived = 0;
    };
    /// The packet that a router works on.
    struct Stage {
        bool busy = false;
        Queued item;
        std::uint64_t ports = 0;  ///< where copies still have to go
        Cycle since = 0;
    };
    struct Router {
        std::vector<std::deque<Queued>> inputs;
        std::vector<std::uint64_t> free_ps;  ///< [port]: the link is free
        Stage stage;
        unsigned next_input = 0;
        bool active = false;
    };
    struct Arriving {
        Cycle at;
        std::uint64_t order;
        std::uint32_t router;
        Queued item;
        bool operator>(const Arriving& o) const { return at != o.at ? at > o.at : order > o.order; }
    };
    void activate(std::uint32_t r);
    std::uint64_t route(std::uint32_t r, const Queued& q);
    bool try_link(std::uint32_t r, unsigned port, const Queued& item, std::uint8_t emergency, Cycle now);
    void work(std::uint32_t r, Cycle now);
    void give_up(std::uint32_t r, Cycle now);
    std::uint64_t deliveries_behind(const Packet& p, std::uint32_t r, unsigned port) const;

    std::vector<Router> routers_;
    std::vector<std::vector<std::uint16_t>> room_;  ///< [router][port]: free places of an input
    std::vector<std::uint32_t> active_;
    std::priority_queue<Arriving, std::vector<Arriving>, std::greater<>> arriving_;
    std::uint64_t order_ = 0;
};

}  // namespace loom::noc
