// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "noc/routing/routing.hpp"
#include "noc/vc/fabric.hpp"
#include "noc/vc/pipeline.hpp"

namespace loom::noc {

/// How routers work, beside topology and routing.
struct RouterRules {
    Pipeline pipeline;
    arch::RouterSpec spec;      ///< allocators
    bool asynchronous = false;  ///< a hop is all in its link
    double period = 1000;       ///< of the router clock, ps
    double loss = 0;            ///< probability that a flit is damaged on a link
    std::uint64_t loss_seed = 1;

    /// Allocators and arbiters are those of a specification that says nothing about them.
    bool has_default_allocators() const;
    /// Time that a flit takes from a router to its core; 0: a cycle.
    double local_flit_ps() const;
};

/// All routers of a network, in flat arrays: buffers, ports and arbiters, and the list of those in which
/// something can happen. What happens in a cycle is a RouterCycle's.
class RouterState {
  public:
    enum class Phase : std::uint8_t { Idle, VcAlloc, Active, Drop };
    struct InputVc {
        FlitQueue queue;
        std::uint32_t ready = 0;       ///< VcAlloc: first cycle (low bits) in which it may ask
        std::uint16_t va_pointer = 0;  ///< stage 1: over output VCs
        Phase phase = Phase::Idle;
        bool several = false;  ///< its route has several ports, which the cycle keeps
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

    RouterState(Fabric& fabric, const Topology& topology, const Routing& routing, const RouterRules& rules);

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
        return at<InputVc>(block(r), inputs_at(n_ports, n_local))[i];
    }
    View view(std::uint32_t r) const {
        std::byte* const b = block(r);
        return {r, *at<Router>(b, 0), at<Port>(b, ports_at()), at<InputVc>(b, inputs_at(n_ports, n_local)),
                at<OutputVc>(b, outputs_at(n_ports))};
    }
    Step step(Cycle now) { return {now, fabric.flits.data(), fabric.packets.data(), fabric.counters.data()}; }

    /// Something can happen in a router.
    void activate(std::uint32_t r, Router& router) {
        const std::uint32_t flags = router.flags;
        if ((flags & kActive) != 0) return;
        router.flags = kActive | kTouched;
        active[n_active++] = r;
        if (flags == kTouched) return;
        if ((flags & kWaiting) != 0) --waiting;
        if ((flags & kTouched) == 0) touched.push_back(r);
    }
    std::uint64_t free_vcs(const Port& out, const InputVc& v) const {
        return ~out.held & (one_mask ? all_vcs : fabric.masks[v.message_class][v.vc_class]);
    }
    /// VA, stage 1: the input VC's arbiter picks one of the free VCs of its output.
    unsigned pick_vc(const InputVc& v, std::uint64_t free) const;
    /// The winner's pointers of both stages of SA.
    void move_pointers(const View& r, unsigned in_port, unsigned vc, unsigned out) const;
    /// The slot of a flit that has left an input VC is free: its credit goes to whoever sends there.
    void return_credit(const Port& in, unsigned in_port, unsigned vc, Cycle now);
    /// Takes a flit of a packet that cannot go on out of the network.
    void drop(const Flit& flit, std::uint32_t id);
    /// Initial state of arbiters and credits of all routers that were touched.
    void reset();

    Fabric& fabric;
    const Topology& topology;
    const Routing& routing;
    const RouterRules rules;
    const unsigned link_ports;
    const unsigned n_ports;
    const unsigned n_vcs;
    const unsigned n_local;  ///< ports x VCs of a router
    const std::uint64_t all_vcs;
    const unsigned switch_delay;  ///< from winning the switch to being in front of the link
    const bool one_mask;          ///< every packet may take every VC
    const bool wide_routes;       ///< some routes have several ports (adaptive: any of; multicast: all of)
    std::vector<std::uint16_t> port_of;  ///< [input or output VC of a router]

    std::vector<std::uint32_t> active;  ///< routers with this flag: the first n_active
    std::size_t n_active = 0;
    std::vector<std::uint32_t> touched;  ///< routers with this flag
    std::size_t waiting = 0;             ///< routers with this flag
    std::size_t buffered = 0;            ///< plain: flits in buffers

  private:
    void make_blocks();
    void set_links();
    void set_endpoints();
    void reset_router(std::uint32_t r);

    /// All of a router in one piece: Router, Port[ports], OutputVc[output VCs], InputVc[input VCs].
    struct FreeBlocks {
        void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{64}); }
    };
    std::size_t block_bytes_ = 0;
    std::unique_ptr<std::byte[], FreeBlocks> blocks_;
};

}  // namespace loom::noc
