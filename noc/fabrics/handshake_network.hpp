// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/rng.hpp"
#include "noc/fabrics/packet_fabric.hpp"
#include "noc/flits.hpp"

namespace loom::noc {

/// Routers that talk by an alternating-bit request and acknowledge per link instead of credits, with a
/// table of reservations per output: the rules of Noxim (Catania et al., ASAP 2015; Router.cpp and
/// ReservationTable.cpp at 4c8e72d). A flit takes 2 cycles per hop, a link carries 1 flit in 2 cycles.
/// A head leaves its last router 2 (links + 1) cycles after its creation at zero load. Packets that cannot
/// go on (dead links) are taken out flit by flit and counted.
class HandshakeNetwork final : public PacketFabric {
  public:
    HandshakeNetwork(const arch::ChipSpec& spec, Topology topology);
    void reset() override;
    std::string describe_stuck(std::size_t limit) const override;
    Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const override;

  protected:
    Cycle step(Cycle now) override;

  private:
    struct HFlit {
        std::uint32_t packet = 0;
        bool head = false, tail = false;
        Cycle arrived = 0;
    };
    /// An input VC: a ring of places in places_.
    struct Buffer {
        std::uint16_t first = 0, size = 0;
        bool full = false;                ///< as its sender sees it
        std::uint8_t wants = kNoPort;     ///< output port of the packet at the front, once it is known
        std::uint8_t reserved = kNoPort;  ///< output port
        bool dropping = false;            ///< there is no way for it
    };
    /// An input port: what is on its link, and what is buffered per VC.
    struct Input {
        bool waiting = false;  ///< a flit is on the link and not yet acknowledged
        Cycle sent = 0;        ///< when
        unsigned vc = 0;
        HFlit flit;
        Cycle free_at = 0;  ///< the sender sees the acknowledge
    };
    struct Reservation {
        std::uint8_t input, vc;
        bool operator<(const Reservation& o) const { return input != o.input ? input < o.input : vc < o.vc; }
    };
    struct Output {
        std::vector<Reservation> reservations;
        std::size_t index = 0;
        Cycle free_at = 0;  ///< local ports: the core has acknowledged
    };
    struct Source {
        bool busy = false;
        std::uint32_t packet = 0;
        std::uint16_t sent = 0;
        std::uint8_t vc = 0;
    };
    struct Travelling {
        PacketRecord record;
        bool is_damaged = false;
    };
    HFlit& front(std::size_t b) { return places_[b * depth_ + buffers_[b].first]; }
    const HFlit& front(std::size_t b) const { return places_[b * depth_ + buffers_[b].first]; }
    void push(std::size_t b, const HFlit& flit);
    void pop(std::size_t b);
    Packet& packet(std::size_t b) { return packets_[front(b).packet].record.packet; }
    void reserve(std::uint32_t r, Cycle now);
    void reserve_for(std::uint32_t r, unsigned in, unsigned vc);
    void drop_front(std::size_t b);
    void forward(std::uint32_t r, Cycle now);
    bool send(std::uint32_t r, unsigned in, unsigned vc, unsigned out, Cycle now);
    bool send_to_core(std::size_t b, Output& o, Cycle now);
    bool send_to_link(std::uint32_t r, std::size_t b, unsigned vc, unsigned out, Cycle now);
    void give_back(std::size_t b, unsigned in, unsigned vc, Output& o);
    void receive(std::uint32_t r, Cycle now);
    bool has_work(std::uint32_t r) const;
    bool inject(std::uint32_t e, Cycle now);

    unsigned vcs_, depth_;
    std::vector<Input> inputs_;
    std::vector<Output> outputs_;
    std::vector<Buffer> buffers_;
    std::vector<HFlit> places_;  ///< [buffer][depth]
    Pool<Travelling> packets_;
    std::vector<Source> sources_;
    ActiveList active_;                 ///< routers with flits
    std::vector<std::size_t> touched_;  ///< buffers whose fill changed in this cycle
    CounterRng rng_;
};

}  // namespace loom::noc
