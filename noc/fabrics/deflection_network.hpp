// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "noc/fabrics/event_queue.hpp"
#include "noc/fabrics/packet_fabric.hpp"

namespace loom::noc {

/// Bufferless deflection routing (BLESS; Moscibroda and Mutlu, ISCA 2009): a router sends on every flit
/// that has arrived in the same cycle, the oldest first by the ports that bring it nearer, the others by
/// whatever is free. Oldest first: no livelock. Flits of a packet travel alone and are put together
/// again. A hop takes a cycle and the link. A flit that its core does not take goes on travelling. Dead
/// links are gone round; packets to what cannot be reached are dropped at their source.
class DeflectionNetwork final : public PacketFabric {
  public:
    DeflectionNetwork(const arch::ChipSpec& spec, Topology topology);
    std::string describe_stuck(std::size_t limit) const override;
    Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const override;
    unsigned zero_load_hops(EndpointId from, EndpointId to) const override;

  protected:
    Cycle step(Cycle now) override;

  private:
    struct Arriving {
        std::uint32_t router, packet;
        bool operator<(const Arriving& o) const {
            return router != o.router ? router < o.router : packet < o.packet;
        }
    };
    struct Travelling {
        Packet packet;
        std::uint32_t router = 0;    ///< destination
        std::uint16_t flits_in = 0;  ///< at the destination
        bool is_damaged = false;
        std::uint32_t hops = 0;
    };
    struct Way {
        bool found = false;
        unsigned hops = 0;
        Cycles latency = 0;
    };
    Way straight_way(std::uint32_t from, std::uint32_t to) const;
    unsigned nearest(std::uint32_t r, std::uint32_t to, std::uint64_t free) const;
    bool older(std::uint32_t a, std::uint32_t b) const;
    void start(std::uint32_t endpoint, const Packet& packet);
    bool eject(std::uint32_t r, std::uint32_t packet, Cycle now, std::uint64_t& used);
    void send(std::uint32_t r, std::uint32_t packet, Cycle now, std::uint64_t& free);
    void inject(std::uint32_t r, Cycle now, std::uint64_t& used, std::uint64_t& free);
    void route(std::uint32_t r, Cycle now);
    std::uint64_t links_of(std::uint32_t r) const;

    std::vector<Travelling> packets_;
    std::vector<std::uint32_t> free_packets_;
    EventQueue<Arriving> arriving_;
    std::vector<std::uint32_t> sending_;  ///< [endpoint]: packet being sent, or kNone
    std::vector<std::uint16_t> flits_left_;
    std::vector<std::vector<std::uint32_t>> waiting_;  ///< [router]: endpoints that want to send
    std::vector<std::uint32_t> senders_;               ///< routers at which some are
    // of one cycle
    std::vector<std::uint32_t> routers_, flits_;
    std::vector<Arriving> here_;
};

}  // namespace loom::noc
