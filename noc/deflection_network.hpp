// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <queue>

#include "noc/packet_fabric.hpp"

namespace loom::noc {

/// Bufferless deflection routing (BLESS; Moscibroda and Mutlu, ISCA 2009): a router sends on every flit
/// that has arrived in the same cycle, the oldest first by the ports that bring it nearer, the others by
/// whatever is free. Oldest first: no livelock. Flits of a packet travel alone and are put together
/// again. A hop takes a cycle and the link.
class DeflectionNetwork final : public PacketFabric {
  public:
    DeflectionNetwork(const arch::ChipSpec& spec, Topology topology);
    void reset() override;
    std::string describe_stuck(std::size_t limit) const override;
    Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const override;

  protected:
    bool step(Cycle now) override;

  private:
    struct Arriving {
        Cycle at;
        std::uint32_t router, packet;
        bool operator>(const Arriving& o) const {
            return at != o.at ? at > o.at : router != o.router ? router > o.router : packet > o.packet;
        }
    };
    struct Travelling {
        Packet packet;
        std::uint32_t router = 0;    ///< destination
        std::uint16_t flits_in = 0;  ///< at the destination
        std::uint32_t hops = 0;
    };
    bool older(std::uint32_t a, std::uint32_t b) const;
    bool eject(std::uint32_t r, std::uint32_t packet, Cycle now, std::uint64_t& used);
    void send(std::uint32_t r, std::uint32_t packet, Cycle now, std::uint64_t& free);
    void route(std::uint32_t r, std::vector<std::uint32_t>& flits, Cycle now);

    std::vector<Travelling> packets_;
    std::vector<std::uint32_t> free_packets_;
    std::priority_queue<Arriving, std::vector<Arriving>, std::greater<>> arriving_;
    std::vector<std::uint32_t> sending_;  ///< [endpoint]: packet being sent, or kNone
    std::vector<std::uint16_t> flits_left_;
    std::vector<std::vector<std::uint32_t>> waiting_;  ///< [router]: endpoints that want to send
    std::vector<std::uint32_t> routers_;
    std::uint64_t deflections_ = 0;
};

}  // namespace loom::noc
