// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "noc/allocation/allocators.hpp"
#include "noc/fabric.hpp"
#include "noc/pipeline.hpp"
#include "noc/routing/routing.hpp"
#include "sim/base/rng.hpp"

namespace loom::noc {

/// How routers work, beside topology and routing.
struct RouterRules {
    Pipeline pipeline;
    arch::RouterSpec spec;  ///< allocators
    double period = 1000;   ///< of the router clock, ps
    double loss = 0;        ///< probability that a flit is damaged on a link
    std::uint64_t loss_seed = 1;
};

/// All routers of a network, in flat arrays: input-buffered virtual channels with credits, wormhole
/// switching, allocation of virtual channels and of the switch. Only routers in which something can
/// happen are looked at.
class RouterArray {
  public:
    RouterArray(Fabric& fabric, const Topology& topology, const Routing& routing, const RouterRules& rules);

    /// The flits and credits of this cycle.
    void receive(const std::vector<Calendar::FlitAtRouter>& flits, Cycle now);
    void receive(const std::vector<Calendar::CreditAtRouter>& credits);
    /// One of them.
    void receive(const Calendar::FlitAtRouter& event, Cycle now);
    void receive(const Calendar::CreditAtRouter& event);
    /// Allocation, switching and sending in all active routers.
    void evaluate(Cycle now);
    bool active() const { return !active_.empty(); }
    /// Some flit cannot go on before a credit is back.
    bool waits_for_credit() const { return waiting_ != 0; }
    /// Initial state of arbiters and credits; the network is empty.
    void reset();

    std::vector<PortUse> port_use(std::uint32_t router) const;
    std::uint64_t buffer_cycles(std::uint32_t router) const { return buffer_cycles_[router]; }
    /// Appends a line per input buffer with flits, until there are `limit`.
    void describe(std::vector<std::string>& lines, std::size_t limit) const;

  private:
    enum class State : std::uint8_t { Idle, VcAlloc, Active, Drop };
    struct InputVc {
        FlitQueue queue;
        Cycle ready = 0;  ///< VcAlloc: first cycle in which it may ask
        State state = State::Idle;
        std::uint8_t out_port = 0;
        std::uint8_t out_vc = 0;
        std::uint8_t vc_class = kAnyVc;
        std::uint8_t message_class = 0;
        bool several = false;          ///< its route is in routes_
        std::uint16_t va_pointer = 0;  ///< stage 1: over output VCs
    };
    struct OutputVc {
        std::uint16_t credits = 0;
        std::uint16_t va_pointer = 0;  ///< stage 2: over input VCs
    };
    /// Input and output side of a port; both have the same neighbour or endpoint.
    struct Port {
        std::uint64_t held = 0;      ///< output VCs that a packet holds
        std::uint64_t credit = 0;    ///< output VCs with a credit
        std::uint64_t flits = 0;     ///< sent
        std::uint32_t peer = kNone;  ///< router, or endpoint of a local port
        std::uint32_t latency = 0;
        std::uint16_t peer_port = 0;
        std::uint16_t kind = 0;               ///< LinkKind
        std::uint16_t sa_input_pointer = 0;   ///< stage 1: over output ports
        std::uint16_t sa_output_pointer = 0;  ///< stage 2: over input ports
        std::uint16_t vc_offset = 0;          ///< over the VCs of the input side
        std::uint32_t flit_ps = 0;            ///< time a flit takes the link; 0: a cycle
        std::uint64_t free_ps = 0;            ///< when the link is free again
    };
    /// A bid for the switch: lower keys win.
    struct Bid {
        std::uint32_t key = 0;
        std::uint16_t port = 0;
        std::uint16_t vc = 0;
    };
    struct Allocators {
        std::unique_ptr<Allocator> vc, output;
    };
    /// A route with several ports (adaptive: any of; multicast: all of).
    struct WideRoute {
        Route route;
        std::uint64_t high = 0;        ///< multicast on tori: ports that take the upper half
        std::uint32_t cursor = kNone;  ///< multicast: last flit sent over the current branch
        std::uint32_t set = kNone;
    };

    bool evaluate_router(std::uint32_t r, Cycle now);
    bool evaluate_generic(std::uint32_t r, Cycle now);
    /// What an input VC may ask for in this cycle: false when it must wait for something.
    bool choose_port(std::uint32_t r, std::size_t input, InputVc& v, std::uint64_t& free) const;
    std::uint64_t free_vcs(const Port& out, const InputVc& v) const {
        return ~out.held & fabric_.masks[v.message_class][v.vc_class];
    }
    bool link_busy(const Port& p, Cycle now) const {
        return p.flit_ps != 0 && static_cast<double>(p.free_ps) > static_cast<double>(now) * rules_.period;
    }
    void request_vc(std::uint32_t r, unsigned local, unsigned out_port, std::uint64_t free);
    void bid(const Port* ports, unsigned in_port, unsigned vc, unsigned out_port, bool speculative);
    void choose_output(Port* ports, unsigned in_port);
    void commit_vcs(std::uint32_t r);
    void give_vc(std::uint32_t r, unsigned local, unsigned out);
    void commit_switch(std::uint32_t r, Cycle now);
    void send(std::uint32_t r, unsigned in_port, unsigned vc, Cycle now);
    void drop_front(std::uint32_t r, unsigned local, Cycle now);
    void release_slot(std::uint32_t r, unsigned local, Cycle now, const Flit& flit);
    void transmit(std::uint32_t r, const InputVc& v, Port& out, std::uint32_t id, Cycle now);
    void head_at_front(std::uint32_t r, unsigned local, InputVc& v, Cycle now);
    std::uint32_t next_flit(std::size_t input, const InputVc& v) const;
    void activate(std::uint32_t r);
    bool has_flits(std::uint32_t r) const;
    void reset_router(std::uint32_t r);

    Fabric& fabric_;
    const Topology& topology_;
    const Routing& routing_;
    const RouterRules rules_;
    const unsigned link_ports_;
    const unsigned n_ports_;
    const unsigned n_vcs_;
    const unsigned n_local_;  ///< ports x VCs of a router
    const unsigned n_words_;  ///< of its occupancy mask
    const std::uint64_t all_vcs_;
    const unsigned switch_delay_;  ///< from winning the switch to being in front of the link
    const bool generic_;           ///< allocators other than the default
    bool slow_links_ = false;
    CounterRng loss_rng_;

    std::vector<Port> ports_;
    std::vector<InputVc> inputs_;
    std::vector<OutputVc> outputs_;
    std::vector<WideRoute> routes_;        ///< [input VCs], or empty
    std::vector<std::uint64_t> occupied_;  ///< input VCs with flits
    std::vector<std::uint64_t> buffer_cycles_;
    std::vector<std::uint8_t> is_active_, is_waiting_, is_touched_;
    std::vector<std::uint32_t> active_, touched_;  ///< touched: not in the initial state
    std::size_t waiting_ = 0;
    std::vector<std::uint8_t> port_of_;
    std::vector<std::uint8_t> vc_of_;
    std::vector<Allocators> allocators_;  ///< [router], made when first needed

    // Scratch of one router's cycle.
    std::vector<std::uint16_t> va_requests_;  ///< output VCs asked for
    std::vector<std::uint32_t> va_winner_;    ///< per output VC: input VC, or kNone
    std::vector<Bid> input_bids_;             ///< of the current input port, per output port
    std::uint64_t input_bid_mask_ = 0;
    std::vector<Bid> output_bids_;  ///< per output port
    std::uint64_t output_bid_mask_ = 0;
    std::vector<AllocationRequest> vc_requests_, output_requests_;
    std::vector<std::uint32_t> output_request_vc_;
    std::vector<AllocationGrant> grants_;
};

}  // namespace loom::noc
