// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>

#include "noc/packet_fabric.hpp"
#include "sim/base/rng.hpp"

namespace loom::noc {

/// Routers that talk by an alternating-bit request and acknowledge per link instead of credits, with a
/// table of reservations per output: the rules of Noxim (Catania et al., ASAP 2015; Router.cpp and
/// ReservationTable.cpp at 4c8e72d). A flit takes 2 cycles per hop, a link carries 1 flit in 2 cycles.
/// A head leaves its last router 2 (links + 1) cycles after its creation at zero load.
class HandshakeNetwork final : public PacketFabric {
  public:
    HandshakeNetwork(const arch::ChipSpec& spec, Topology topology);
    void reset() override;
    std::string describe_stuck(std::size_t limit) const override;
    Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const override;

  protected:
    bool step(Cycle now) override;

  private:
    struct HFlit {
        std::uint32_t packet = 0;
        bool head = false, tail = false;
        Cycle arrived = 0;
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
    std::size_t port(std::uint32_t r, unsigned p) const { return std::size_t{r} * n_ports_ + p; }
    std::deque<HFlit>& buffer(std::uint32_t r, unsigned p, unsigned v) {
        return buffers_[port(r, p) * vcs_ + v];
    }
    void reserve(std::uint32_t r, Cycle now);
    void forward(std::uint32_t r, Cycle now);
    bool send(std::uint32_t r, unsigned in, unsigned vc, unsigned out, Cycle now);
    void receive(std::uint32_t r, Cycle now);
    bool inject(std::uint32_t e, Cycle now);
    void activate(std::uint32_t r);

    unsigned vcs_, depth_, n_ports_;
    std::vector<Input> inputs_;
    std::vector<Output> outputs_;
    std::vector<std::deque<HFlit>> buffers_;
    std::vector<std::uint8_t> full_;           ///< [buffer] as its sender sees it
    std::vector<std::uint8_t> reserved_out_;   ///< [buffer]: output port, or kNoPort
    std::vector<std::uint32_t> packet_flits_;  ///< delivered per packet slot
    std::vector<Packet> packets_;
    std::vector<std::uint32_t> free_packets_;
    std::vector<Source> sources_;
    std::vector<std::uint32_t> active_;
    std::vector<std::uint8_t> is_active_;
    std::vector<std::size_t> touched_;  ///< buffers whose fill changed in this cycle
    CounterRng rng_;
};

}  // namespace loom::noc
