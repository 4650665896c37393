// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "noc/allocation/allocators.hpp"
#include "noc/fabric.hpp"
#include "noc/pipeline.hpp"
#include "noc/routing/routing.hpp"
#include "base/rng.hpp"

namespace loom::noc {

/// How routers work, beside topology and routing.
struct RouterRules {
    Pipeline pipeline;
    arch::RouterSpec spec;      ///< allocators
    bool asynchronous = false;  ///< a hop is all in its link
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
    void receive(const EventList<Calendar::FlitAtRouter>& flits, Cycle now);
    void receive(const EventList<Calendar::CreditAtRouter>& credits);
    /// Allocation, switching and sending in all active routers.
    void evaluate(Cycle now);
    bool active() const { return n_active_ != 0; }
    /// Some flit cannot go on before a credit is back.
    bool waits_for_credit() const { return waiting_ != 0 || buffered_ != 0; }
    /// Initial state of arbiters and credits; the network is empty.
    void reset();

    std::vector<PortUse> port_use(std::uint32_t router) const;
    std::uint64_t buffer_cycles(std::uint32_t router) const { return this->router(router).buffer_cycles; }
    /// Appends a line per input buffer with flits, until there are `limit`.
    void describe(std::vector<std::string>& lines, std::size_t limit) const;
    /// Buffers that wait for each other in a circle, when nothing moves; empty: there are none.
    std::string wait_cycle() const;

  private:
    enum class State : std::uint8_t { Idle, VcAlloc, Active, Drop };
    struct InputVc {
        FlitQueue queue;
        std::uint32_t ready = 0;       ///< VcAlloc: first cycle (low bits) in which it may ask
        std::uint16_t va_pointer = 0;  ///< stage 1: over output VCs
        State state = State::Idle;
        bool several = false;  ///< its route is in routes_
        // 8 bits each, but no char types: a store to one of those could change anything
        std::uint16_t out_port : 8 = 0;
        std::uint16_t out_vc : 8 = 0;
        std::uint16_t vc_class : 8 = kAnyVc;
        std::uint16_t message_class : 8 = 0;
    };
    struct OutputVc {
        std::uint16_t credits = 0;
        std::uint16_t va_pointer = 0;  ///< stage 2: over input VCs
        std::uint16_t holder = 0;      ///< plain: input VC of the packet that holds it
    };
    /// Input and output side of a port; both have the same neighbour or endpoint.
    struct Port {
        std::uint64_t occupied = 0;          ///< input VCs with flits (not plain)
        std::uint64_t askers = 0;            ///< plain: the router's input VCs that ask for a VC of this port
        std::uint64_t held = 0;              ///< output VCs that a packet holds
        std::uint64_t credit = 0;            ///< output VCs with a credit
        std::uint64_t flits = 0;             ///< sent
        std::uint32_t peer = kNone;          ///< router, or endpoint of a local port
        std::uint32_t peer_vc = 0;           ///< of a link: its port's first VC there, as in the calendar
        std::uint32_t flit_delay = 0;        ///< from winning the switch to the other end
        std::uint32_t credit_delay = 0;      ///< from a freed slot to a credit at the other end
        std::uint16_t kind = 0;              ///< LinkKind
        std::uint16_t sa_input_pointer = 0;  ///< stage 1: over output ports
        std::uint16_t sa_output_pointer = 0;  ///< stage 2: over input ports
        std::uint16_t vc_offset = 0;          ///< over the VCs of the input side
    };
    static_assert(sizeof(Port) == 64);
    /// A link on which a flit takes longer than a cycle.
    struct SlowLink {
        std::uint64_t free_ps = 0;  ///< when it is free again
        std::uint64_t flit_ps = 0;  ///< time of a flit; 0: a cycle
    };
    /// A bid for the switch: lower keys win.
    struct Bid {
        std::uint32_t key = 0;
        std::uint16_t port = 0;
        std::uint16_t vc = 0;
    };
    /// Touched: not as after a reset.
    enum Flag : std::uint32_t { kActive = 1, kWaiting = 2, kTouched = 4 };
    struct Router {
        std::uint64_t busy = 0;  ///< input ports with flits (not plain)
        std::uint64_t buffer_cycles = 0;
        // plain: what can happen in the next evaluation; nothing else is looked at
        std::uint64_t going = 0;  ///< input VCs that hold an output VC and have a flit and a credit
        std::uint64_t open = 0;   ///< output ports with askers and a VC that is not held
        std::uint64_t aside = 0;  ///< input VCs whose route is being computed, or whose packet is dropped
        std::uint32_t flags = 0;
        std::uint16_t x = 0, y = 0;
    };
    /// What a cycle works on: the arrays, fetched once.
    struct Step {
        Cycle now;
        Flit* flits;
        PacketRecord* packets;
        NocCounters* counters;
        std::uint32_t now32() const { return static_cast<std::uint32_t>(now); }
    };
    /// One router's part of the arrays.
    struct View {
        std::uint32_t id;
        Router& router;
        Port* ports;
        InputVc* inputs;
        OutputVc* outputs;
    };
    /// A credit that a dropped flit gives back.
    struct Dropped {
        const Port* port;
        unsigned in_port, vc;
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

    std::byte* block(std::uint32_t r) const { return blocks_.get() + std::size_t{r} * block_bytes_; }
    template <class T>
    static T* at(std::byte* block, std::size_t offset) {
        return std::launder(reinterpret_cast<T*>(block + offset));
    }
    static constexpr std::size_t ports_at() { return sizeof(Router); }
    static constexpr std::size_t outputs_at(std::size_t ports) { return ports_at() + ports * sizeof(Port); }
    static constexpr std::size_t inputs_at(std::size_t ports, std::size_t locals) {
        return outputs_at(ports) + (locals * sizeof(OutputVc) + 7) / 8 * 8;
    }
    Router& router(std::uint32_t r) const { return *at<Router>(block(r), 0); }
    Port& port(std::uint32_t r, unsigned i) const { return at<Port>(block(r), ports_at())[i]; }
    InputVc& input(std::uint32_t r, unsigned i) const {
        return at<InputVc>(block(r), inputs_at(n_ports_, n_local_))[i];
    }
    View view(std::uint32_t r) const {
        std::byte* const b = block(r);
        return {r, *at<Router>(b, 0), at<Port>(b, ports_at()), at<InputVc>(b, inputs_at(n_ports_, n_local_)),
                at<OutputVc>(b, outputs_at(n_ports_))};
    }
    Step step(Cycle now);
    void activate(std::uint32_t r, Router& router);
    unsigned xy_port(const Router& r, const PacketRecord& p) const;

    // Plain routers (router_plain.cpp): a cycle for routers of a shape.
    template <class Shape>
    class Plain;
    template <class Shape>
    friend class Plain;
    template <class F>
    void with_shape(Cycle now, F f);

    // All others (router_cycle.cpp, router_allocators.cpp).
    void evaluate_others(Cycle now);
    void receive_flit(Step& c, const Calendar::FlitAtRouter& event);
    void receive_credit(const Calendar::CreditAtRouter& event);
    void head_at_front(Step& c, const View& r, unsigned in_port, unsigned vc, InputVc& v, std::uint32_t at);
    bool evaluate_router(Step& c, const View& r);
    bool may_bid(Step& c, const View& r, unsigned in_port, unsigned vc, InputVc& v, bool& work,
                 std::uint32_t& key);
    bool evaluate_generic(Step& c, const View& r);
    /// What an input VC may ask for in this cycle: false when it must wait for something.
    bool choose_port(const View& r, unsigned local, InputVc& v, std::uint64_t& free) const;
    std::uint32_t next_flit(const Step& c, const View& r, unsigned local, const InputVc& v) const;
    WideRoute& wide_route(const View& r, unsigned local) {
        return routes_[std::size_t{r.id} * n_local_ + local];
    }
    const WideRoute& wide_route(const View& r, unsigned local) const {
        return routes_[std::size_t{r.id} * n_local_ + local];
    }
    std::uint64_t free_vcs(const Port& out, const InputVc& v) const {
        return ~out.held & (one_mask_ ? all_vcs_ : fabric_.masks[v.message_class][v.vc_class]);
    }
    unsigned pick_vc(const InputVc& v, std::uint64_t free) const;
    bool link_busy(const View& r, unsigned port, Cycle now) const {
        if (slow_links_.empty()) return false;
        const SlowLink& link = slow_links_[std::size_t{r.id} * n_ports_ + port];
        return link.flit_ps != 0 &&
               static_cast<double>(link.free_ps) > static_cast<double>(now) * rules_.period;
    }
    void take_link(const View& r, unsigned port, Cycle now);
    void request_vc(const View& r, unsigned local, const InputVc& v, std::uint64_t free);
    unsigned choose_output(const Port& in, std::uint64_t mask) const;
    void commit_vcs(const View& r);
    void give_vc(const View& r, InputVc& v, unsigned out_vc);
    void move_pointers(const View& r, unsigned in_port, unsigned vc, unsigned out) const;
    void commit_switch(Step& c, const View& r, std::uint64_t outputs);
    void send(Step& c, const View& r, unsigned in_port, unsigned vc);
    std::uint32_t copy_front(Step& c, const View& r, unsigned local, InputVc& v);
    void return_credit(const Port& in, unsigned in_port, unsigned vc, Cycle now);
    void drop(const Step& c, const Flit& flit, std::uint32_t id);
    void drop_front(Step& c, const View& r, unsigned in_port, unsigned vc);
    void release_slot(Step& c, const View& r, unsigned in_port, unsigned vc, const InputVc& v,
                      std::uint32_t arrived);
    void transmit(Step& c, const View& r, const InputVc& v, Port& out, std::uint32_t id);
    std::uint32_t waits_for(std::uint32_t index) const;
    void reset_router(std::uint32_t r);
    bool is_lost(std::uint32_t r, unsigned port) const;
    std::uint32_t usual_delay() const;

    Fabric& fabric_;
    const Topology& topology_;
    const Routing& routing_;
    const RouterRules rules_;
    const unsigned link_ports_;
    const unsigned n_ports_;
    const unsigned n_vcs_;
    const unsigned n_local_;  ///< ports x VCs of a router
    const std::uint64_t all_vcs_;
    const unsigned switch_delay_;  ///< from winning the switch to being in front of the link
    const bool generic_;           ///< allocators other than the default
    const bool speculative_;
    const bool one_mask_;  ///< every packet may take every VC
    /// One port per route, default allocators, links alike and of a flit per cycle, nothing damaged, at most
    /// 64 input VCs: the state of a router fits a few masks.
    bool plain_ = false;
    std::uint32_t usual_delay_ = 0;  ///< flit_delay of the links, if they are all alike; otherwise 0
    std::uint32_t local_delay_ = 0;  ///< flit_delay of the local ports
    bool plain_xy_ = false;          ///< routing is dimension order on a whole 2-D mesh
    unsigned shape_ = 0;             ///< plain: code for a shape that is known when this is compiled
    std::size_t buffered_ = 0;       ///< plain: flits in buffers
    std::vector<Dropped> dropped_;   ///< plain: in this cycle
    CounterRng loss_rng_;

    /// All of a router in one piece: Router, Port[ports], OutputVc[output VCs], InputVc[input VCs].
    struct FreeBlocks {
        void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{64}); }
    };
    std::size_t block_bytes_ = 0;
    std::unique_ptr<std::byte[], FreeBlocks> blocks_;
    std::vector<std::uint64_t> flits_before_;  ///< losses: [port] sent at the last reset
    std::vector<SlowLink> slow_links_;         ///< [ports], or empty
    std::vector<WideRoute> routes_;            ///< [input VCs], or empty
    std::vector<std::uint32_t> active_;        ///< routers with this flag: the first n_active_
    std::size_t n_active_ = 0;
    std::vector<std::uint32_t> touched_;  ///< routers with this flag
    std::size_t waiting_ = 0;
    std::vector<std::uint16_t> port_of_;  ///< [input or output VC of a router]
    std::vector<Allocators> allocators_;  ///< [router], made when first needed

    // Scratch of one router's cycle.
    std::vector<std::uint32_t> va_requests_;  ///< output VCs asked for
    std::size_t n_va_requests_ = 0;
    std::vector<std::uint32_t> va_winner_;  ///< per output VC: input VC, or kNone
    std::vector<Bid> input_bids_;           ///< of the current input port, per output port
    std::vector<Bid> output_bids_;          ///< per output port
    std::vector<AllocationRequest> vc_requests_, output_requests_;
    std::vector<std::uint32_t> output_request_vc_;
    std::vector<AllocationGrant> vc_grants_, grants_;
};

}  // namespace loom::noc
