// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "noc/catalogue.hpp"
#include "noc/fabric.hpp"
#include "noc/topology/mesh.hpp"

namespace loom::noc {

/// All routers of a network, in flat arrays: input-buffered virtual channels with credits, wormhole
/// switching, separable input-first allocation of virtual channels and of the switch. Only routers
/// in which something can happen are looked at.
class RouterArray {
  public:
    RouterArray(Fabric& fabric, const Mesh& mesh, const Pipeline& pipeline, const Routing& routing);

    /// A flit or a credit of this cycle.
    void receive(const Calendar::FlitAtRouter& event, Cycle now);
    void receive(const Calendar::CreditAtRouter& event);
    /// Allocation, switching and sending in all active routers.
    void evaluate(Cycle now);
    bool active() const { return !active_.empty(); }
    /// Some flit cannot go on before a credit is back.
    bool waits_for_credit() const { return waiting_ != 0; }
    /// Initial state of arbiters and credits; the network is empty.
    void reset();

    std::vector<std::uint64_t> port_flits(std::uint32_t router) const;
    /// Appends a line per input buffer with flits, until there are `limit`.
    void describe(std::vector<std::string>& lines, std::size_t limit) const;

  private:
    enum class State : std::uint8_t { Idle, VcAlloc, Active };
    struct InputVc {
        FlitQueue queue;
        Cycle ready = 0;  ///< VcAlloc: first cycle in which it may ask
        State state = State::Idle;
        std::uint8_t out_port = 0;
        std::uint8_t out_vc = 0;
        std::uint16_t va_pointer = 0;  ///< stage 1: over output VCs
    };
    struct OutputVc {
        std::uint16_t credits = 0;
        std::uint16_t va_pointer = 0;  ///< stage 2: over input VCs
    };
    /// Input and output side of a port; both have the same neighbour or endpoint.
    struct Port {
        std::uint64_t held = 0;    ///< output VCs that a packet holds
        std::uint64_t credit = 0;  ///< output VCs with a credit
        std::uint64_t flits = 0;   ///< sent
        std::uint32_t peer = 0;    ///< router, or endpoint of a local port
        std::uint32_t latency = 0;
        std::uint16_t sa_input_pointer = 0;   ///< stage 1: over output ports
        std::uint16_t sa_output_pointer = 0;  ///< stage 2: over input ports
        std::uint16_t vc_offset = 0;          ///< over the VCs of the input side
    };
    /// A bid for the switch: lower keys win.
    struct Bid {
        std::uint32_t key = 0;
        std::uint16_t port = 0;
        std::uint16_t vc = 0;
    };

    bool evaluate_router(std::uint32_t r, Cycle now);
    void request_vc(std::uint32_t r, unsigned local, unsigned out_port, std::uint64_t free);
    void bid(const Port* ports, unsigned in_port, unsigned vc, unsigned out_port, bool speculative);
    void choose_output(Port* ports, unsigned in_port);
    void commit_vcs(std::uint32_t r);
    void commit_switch(std::uint32_t r, Cycle now);
    void send(std::uint32_t r, unsigned in_port, unsigned vc, Cycle now);
    void head_at_front(std::uint32_t r, InputVc& v, Cycle now);
    void activate(std::uint32_t r);
    bool has_flits(std::uint32_t r) const;
    void reset_router(std::uint32_t r);

    Fabric& fabric_;
    const Mesh& mesh_;
    const Pipeline pipeline_;
    const Route route_;
    const unsigned n_ports_;
    const unsigned n_vcs_;
    const unsigned n_local_;  ///< ports x VCs of a router
    const unsigned n_words_;  ///< of its occupancy mask
    const std::uint64_t all_vcs_;

    std::vector<Port> ports_;
    std::vector<InputVc> inputs_;
    std::vector<OutputVc> outputs_;
    std::vector<std::uint64_t> occupied_;  ///< input VCs with flits
    std::vector<Coord> coords_;
    std::vector<std::uint8_t> is_active_, is_waiting_, is_touched_;
    std::vector<std::uint32_t> active_, touched_;  ///< touched: not in the initial state
    std::size_t waiting_ = 0;
    std::vector<std::uint8_t> port_of_, vc_of_;

    // Scratch of one router's cycle.
    std::vector<std::uint16_t> va_requests_;  ///< output VCs asked for
    std::vector<std::uint32_t> va_winner_;    ///< per output VC: input VC, or kNone
    std::vector<Bid> input_bids_;             ///< of the current input port, per output port
    std::uint32_t input_bid_mask_ = 0;
    std::vector<Bid> output_bids_;  ///< per output port
    std::uint32_t output_bid_mask_ = 0;
};

}  // namespace loom::noc
