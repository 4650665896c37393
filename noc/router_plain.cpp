// SPDX-License-Identifier: Apache-2.0
// A cycle in plain routers: one port per route, default allocators, links of a flit per cycle. The same rules
// as in router_cycle.cpp, on masks: `open` outputs have somebody to give a virtual channel to, `going` inputs
// have what they need to send. Who waits for a credit or for a virtual channel is in neither and costs
// nothing.
#include <array>
#include <bit>
#include <cstdlib>

#include "noc/router_inline.hpp"

namespace loom::noc {
namespace {

unsigned lowest(std::uint64_t mask) {
    return static_cast<unsigned>(std::countr_zero(mask));
}
bool single(std::uint64_t mask) {
    return (mask & (mask - 1)) == 0;
}
/// rr_next by a look at a table, for what is known at compile time.
template <unsigned kN>
constexpr auto kAfter = [] {
    std::array<std::uint16_t, kN> next{};
    for (unsigned i = 0; i < kN; ++i) next[i] = static_cast<std::uint16_t>(rr_next(i, kN));
    return next;
}();

/// What is known of the routers at compile time.
struct AnyShape {
    static constexpr bool kKnown = false;
    static constexpr unsigned kPorts = 0, kLinks = 0, kVcs = 0;
};
/// A mesh of two dimensions with a core per router (and room for the host port), dimension order, P2, one
/// class of messages.
template <unsigned kN>
struct Mesh2d {
    static constexpr bool kKnown = true;
    static constexpr unsigned kPorts = 6, kLinks = 4, kVcs = kN;
};

}  // namespace

/// Lives for a part of a cycle.
template <class Shape>
class RouterArray::Plain {
  public:
    Plain(RouterArray& a, Cycle now)
        : a_(a),
          c_(a.step(now)),
          n_ports_(Shape::kKnown ? Shape::kPorts : a.n_ports_),
          n_links_(Shape::kKnown ? Shape::kLinks : a.link_ports_),
          n_vcs_(Shape::kKnown ? Shape::kVcs : a.n_vcs_) {}

    void receive(const EventList<Calendar::FlitAtRouter>& flits);
    void receive(const EventList<Calendar::CreditAtRouter>& credits);
    void evaluate();

  private:
    static constexpr bool kOneVc = Shape::kVcs == 1;

    unsigned n_ports() const { return Shape::kKnown ? Shape::kPorts : n_ports_; }
    unsigned n_links() const { return Shape::kKnown ? Shape::kLinks : n_links_; }
    unsigned n_vcs() const { return Shape::kKnown ? Shape::kVcs : n_vcs_; }
    unsigned n_locals() const { return n_ports() * n_vcs(); }
    std::uint16_t after_port(unsigned i) const {
        if constexpr (Shape::kKnown) return kAfter<Shape::kPorts>[i];
        return static_cast<std::uint16_t>(rr_next(i, n_ports_));
    }
    std::uint16_t after_vc(unsigned i) const {
        if constexpr (Shape::kKnown) return static_cast<std::uint16_t>((i + 1) % Shape::kVcs);
        return static_cast<std::uint16_t>(rr_next(i, n_vcs_));
    }
    std::uint16_t after_local(unsigned i) const {
        if constexpr (Shape::kKnown) return kAfter<Shape::kPorts * Shape::kVcs>[i];
        return static_cast<std::uint16_t>(rr_next(i, a_.n_local_));
    }
    unsigned port_of(unsigned local) const { return Shape::kKnown ? local / n_vcs() : a_.port_of_[local]; }
    unsigned vc_of(unsigned local, unsigned port) const {
        return Shape::kKnown ? local % n_vcs() : local - port * n_vcs();
    }
    std::uint64_t all_vcs() const { return Shape::kKnown ? (std::uint64_t{1} << n_vcs()) - 1 : a_.all_vcs_; }
    bool speculative() const { return Shape::kKnown || a_.speculative_; }
    std::uint64_t free_vcs(const Port& out, const InputVc& v) const {
        return Shape::kKnown ? ~out.held & all_vcs() : a_.free_vcs(out, v);
    }
    View view(std::uint32_t r) const {
        std::byte* const b = a_.block(r);
        return {r, *at<Router>(b, 0), at<Port>(b, ports_at()),
                at<InputVc>(b, inputs_at(n_ports(), n_locals())), at<OutputVc>(b, outputs_at(n_ports()))};
    }

    void find_way(const View& r, unsigned local, InputVc& v, std::uint32_t at);
    void ask(const View& r, unsigned local, unsigned out_port);
    unsigned pick_vc(const InputVc& v, std::uint64_t free) const;
    static void count_hops(PacketRecord& p);
    bool depart(const View& r, unsigned local, InputVc& v, Port& out);
    bool depart_held(const View& r, unsigned local, InputVc& v, Port& out);
    bool pass_alone(const View& r);
    std::uint64_t evaluate_one_vc(const View& r);
    std::uint64_t evaluate_vcs(const View& r);
    void grant(const View& r, unsigned local, InputVc& v, unsigned out_port, unsigned out_vc);
    std::uint64_t share_out(const View& r, unsigned out_port);
    bool conflict(const View& r, std::uint64_t bids) const;
    std::uint64_t choose_winners(const View& r, std::uint64_t going, std::uint64_t low) const;
    unsigned choose_bid(const View& r, unsigned in_port, std::uint64_t bids) const;
    void move_pointers(const View& r, unsigned local, unsigned out_port) const;
    bool serve(const View& r, unsigned local);
    std::uint64_t attend(const View& r);

    RouterArray& a_;
    const Step c_;
    const unsigned n_ports_, n_links_, n_vcs_;
    // where the events of this cycle go
    Calendar::FlitAtRouter* flits_out_ = nullptr;
    Calendar::CreditAtRouter* credits_out_ = nullptr;
    Calendar::FlitAtEndpoint* ejected_ = nullptr;
    Calendar::CreditAtEndpoint* injection_credits_ = nullptr;
};

/// An input VC's head asks for a VC of its output from now on.
template <class Shape>
inline void RouterArray::Plain<Shape>::ask(const View& r, unsigned local, unsigned out_port) {
    Port& out = r.ports[out_port];
    out.askers |= bit(local);
    if (out.held != all_vcs()) r.router.open |= bit(out_port);
}

/// A head has come to the front of its buffer: where does it go?
template <class Shape>
inline void RouterArray::Plain<Shape>::find_way(const View& r, unsigned local, InputVc& v, std::uint32_t at) {
    PacketRecord& p = c_.packets[c_.flits[v.queue.front].packet];
    v.state = State::VcAlloc;
    if (Shape::kKnown || a_.plain_xy_) {
        // the most common case by hand: as routing_ says
        const unsigned out_port = a_.xy_port(r.router, p);
        v.out_port = static_cast<std::uint8_t>(out_port);
        if constexpr (Shape::kKnown) {
            ask(r, local, out_port);
            return;
        }
        v.message_class = p.packet.message_class;
    } else {
        const unsigned in_port = port_of(local);
        const std::uint8_t in_class = p.packet.message_class;
        const Route route = a_.routing_(
            {r.id, in_port, local - in_port * n_vcs() - in_class * a_.fabric_.vcs_per_class(), p});
        v.message_class = in_class;
        v.vc_class = route.vcs;
        if (route.ports == 0) {
            v.state = State::Drop;  // no way on: counted, and taken out flit by flit
            r.router.aside |= bit(local);
            return;
        }
        v.out_port = static_cast<std::uint8_t>(lowest(route.ports));
    }
    if (a_.rules_.pipeline.route_cycles == 0) {
        ask(r, local, v.out_port);
    } else {
        v.ready = at + a_.rules_.pipeline.route_cycles;
        r.router.aside |= bit(local);
    }
}

template <class Shape>
void RouterArray::Plain<Shape>::receive(const EventList<Calendar::FlitAtRouter>& flits) {
    a_.buffered_ += flits.size();
    for (const Calendar::FlitAtRouter& event : flits) {
        const View r = view(event.router);
        Router& router = r.router;
        const std::uint32_t id = event.flit;
        InputVc& v = r.inputs[event.input];
        Flit& flit = c_.flits[id];
        flit.arrived = c_.now32();
        flit.next = kNone;
        if (!v.queue.empty()) {
            c_.flits[v.queue.back].next = id;
            v.queue.back = id;
            continue;  // those in front of it decide
        }
        v.queue.front = v.queue.back = id;
        if (v.state == State::Idle) {
            find_way(r, event.input, v, c_.now32());
        } else if (v.state == State::Drop) {
            router.aside |= bit(event.input);
        } else if ((r.ports[v.out_port].credit >> v.out_vc & 1u) != 0) {
            router.going |= bit(event.input);
        }
        if ((router.flags & kActive) == 0 && (router.going | router.open | router.aside) != 0)
            a_.activate(event.router, router);
    }
}

template <class Shape>
void RouterArray::Plain<Shape>::receive(const EventList<Calendar::CreditAtRouter>& credits) {
    for (const Calendar::CreditAtRouter& event : credits) {
        const View r = view(event.router);
        OutputVc& o = r.outputs[event.output];
        if (o.credits++ != 0) continue;
        const unsigned out_port = port_of(event.output), vc = vc_of(event.output, out_port);
        Port& out = r.ports[out_port];
        out.credit |= bit(vc);
        if ((out.held >> vc & 1u) == 0 || r.inputs[o.holder].queue.empty()) continue;
        r.router.going |= bit(o.holder);
        a_.activate(event.router, r.router);
    }
}

/// Dimension order on a whole mesh: the links of a packet are the distance.
template <class Shape>
inline void RouterArray::Plain<Shape>::count_hops(PacketRecord& p) {
    p.packet.hops = static_cast<std::uint16_t>(std::abs(p.at.x - p.from.x) + std::abs(p.at.y - p.from.y));
}

/// The flit at the front of an input VC that holds a VC leaves: its credit goes back, it goes on. True:
/// another head has come to the front; it counts as there in the next cycle.
template <class Shape>
[[gnu::always_inline]] inline bool RouterArray::Plain<Shape>::depart(const View& r, unsigned local,
                                                                     InputVc& v, Port& out) {
    const std::uint32_t id = v.queue.front;
    const Flit& flit = c_.flits[id];
    const unsigned out_port = v.out_port, out_vc = kOneVc ? 0 : v.out_vc;
    const unsigned in_port = port_of(local), vc = vc_of(local, in_port);
    v.queue.front = flit.next;
    r.router.buffer_cycles += c_.now32() - flit.arrived;
    const Port& in = r.ports[in_port];
    if (in_port < n_links()) {
        *credits_out_++ = {in.peer, in.peer_vc + vc};
    } else {
        *injection_credits_++ = {in.peer, vc};
    }
    ++out.flits;
    if (--r.outputs[out_port * n_vcs() + out_vc].credits == 0) out.credit &= ~bit(out_vc);
    NocCounters& count = c_.counters[flit.tag];
    if (out_port < n_links()) {
        ++count.links[out.kind];
        *flits_out_++ = {out.peer, out.peer_vc + out_vc, id};
    } else {
        ++count.local;
        *ejected_++ = {out.peer, out_vc, id};
        if constexpr (Shape::kKnown) {
            if (flit.tail) count_hops(c_.packets[flit.packet]);
        }
    }
    if (!flit.tail) return false;
    ++count.vc_grants;
    if (!Shape::kKnown && out_port < n_links()) ++c_.packets[flit.packet].packet.hops;
    v.state = State::Idle;
    return true;
}

/// The same where the packet holds a VC, which its tail gives back. True: another head has come to the front;
/// it counts as there in the next cycle.
template <class Shape>
[[gnu::always_inline]] inline bool RouterArray::Plain<Shape>::depart_held(const View& r, unsigned local,
                                                                          InputVc& v, Port& out) {
    const unsigned out_port = v.out_port, out_vc = kOneVc ? 0 : v.out_vc;
    if (!depart(r, local, v, out)) {
        if (v.queue.empty() || (out.credit >> out_vc & 1u) == 0) r.router.going &= ~bit(local);
        return false;
    }
    r.router.going &= ~bit(local);
    out.held &= ~bit(out_vc);
    if (out.askers != 0) r.router.open |= bit(out_port);
    return !v.queue.empty();
}

/// One VC: an output has either a holder, who alone may bid for it, or askers. Returns the input VCs with a
/// new head in front.
template <class Shape>
inline std::uint64_t RouterArray::Plain<Shape>::evaluate_one_vc(const View& r) {
    std::uint64_t sends = r.router.going;
    for (std::uint64_t open = r.router.open; open != 0; open &= open - 1) {
        const unsigned o = lowest(open);
        Port& out = r.ports[o];
        OutputVc& given = r.outputs[o];
        const std::uint64_t askers = out.askers;
        unsigned winner = lowest(askers), bidder = winner;
        if (!single(askers)) {
            winner = rr_pick_below_64(askers, given.va_pointer);
            bidder = rr_pick_below_64(askers, out.sa_output_pointer);
        }
        out.askers = askers & ~bit(winner);
        out.held = 1;
        given.va_pointer = after_port(winner);
        given.holder = static_cast<std::uint16_t>(winner);
        r.inputs[winner].state = State::Active;
        if (out.credit == 0) continue;
        r.router.going |= bit(winner);
        // the winner's flit goes; anybody else's bid is void, and the slot is lost
        if (bidder == winner) {
            sends |= bit(winner);
        } else {
            out.sa_output_pointer = after_port(bidder);
        }
    }
    r.router.open = 0;
    std::uint64_t heads = 0;
    for (; sends != 0; sends &= sends - 1) {
        const unsigned local = lowest(sends);
        InputVc& v = r.inputs[local];
        Port& out = r.ports[v.out_port];
        out.sa_output_pointer = after_port(local);
        if (depart_held(r, local, v, out)) heads |= bit(local);
    }
    return heads;
}

/// VA, stage 1: the input VC's arbiter picks one of the free VCs of its output.
template <class Shape>
inline unsigned RouterArray::Plain<Shape>::pick_vc(const InputVc& v, std::uint64_t free) const {
    const unsigned offset = v.va_pointer - v.out_port * n_vcs();
    return rr_pick_below_64(free, offset < n_vcs() ? offset : 0);
}

/// VA: an input VC gets a VC of its output, and both arbiters move on.
template <class Shape>
inline void RouterArray::Plain<Shape>::grant(const View& r, unsigned local, InputVc& v, unsigned out_port,
                                             unsigned out_vc) {
    Port& out = r.ports[out_port];
    const unsigned out_local = out_port * n_vcs() + out_vc;
    OutputVc& given = r.outputs[out_local];
    v.va_pointer = after_local(out_local);
    v.state = State::Active;
    v.out_vc = static_cast<std::uint8_t>(out_vc);
    given.va_pointer = after_local(local);
    given.holder = static_cast<std::uint16_t>(local);
    const std::uint64_t held = out.held | bit(out_vc), askers = out.askers & ~bit(local);
    out.held = held;
    out.askers = askers;
    if (given.credits != 0) r.router.going |= bit(local);
    if (askers == 0 || held == all_vcs()) r.router.open &= ~bit(out_port);
}

/// VA at an output with several askers: each asks for a free VC, and each VC picks one of those who ask for
/// it. Returns those who bid for the switch in the same cycle.
template <class Shape>
[[gnu::noinline]] std::uint64_t RouterArray::Plain<Shape>::share_out(const View& r, unsigned out_port) {
    const Port& out = r.ports[out_port];
    std::array<std::uint8_t, 64> winners;  // of the VCs
    std::uint64_t asked = 0, bids = 0;
    for (std::uint64_t askers = out.askers; askers != 0; askers &= askers - 1) {
        const unsigned local = lowest(askers);
        const InputVc& v = r.inputs[local];
        const std::uint64_t free = free_vcs(out, v);
        if (free == 0) continue;
        if ((free & out.credit) != 0) bids |= bit(local);
        const unsigned vc = pick_vc(v, free);
        if ((asked >> vc & 1u) != 0) {
            const unsigned first = r.outputs[out_port * n_vcs() + vc].va_pointer;
            if (rr_distance(winners[vc], first, n_locals()) < rr_distance(local, first, n_locals())) continue;
        }
        asked |= bit(vc);
        winners[vc] = static_cast<std::uint8_t>(local);
    }
    if (asked == 0) r.router.open &= ~bit(out_port);  // until a VC of their classes is given back
    for (; asked != 0; asked &= asked - 1) {
        const unsigned vc = lowest(asked);
        grant(r, winners[vc], r.inputs[winners[vc]], out_port, vc);
    }
    return bids;
}

/// SA, stage 1: of several VCs of an input port that bid, the one that enters the choice of its output.
template <class Shape>
[[gnu::noinline]] unsigned RouterArray::Plain<Shape>::choose_bid(const View& r, unsigned in_port,
                                                                 std::uint64_t bids) const {
    const Port& in = r.ports[in_port];
    std::uint64_t wanted = 0;
    for (std::uint64_t b = bids; b != 0; b &= b - 1) wanted |= bit(r.inputs[lowest(b)].out_port);
    const unsigned out_port = rr_pick_below_64(wanted, in.sa_input_pointer);
    // of the VCs that want this output, the next in turn
    std::uint64_t left = bids;
    while (true) {
        const unsigned local = rr_pick_below_64(left, in_port * n_vcs() + in.vc_offset);
        if (r.inputs[local].out_port == out_port) return local;
        left &= ~bit(local);
    }
}

/// SA: the arbiters of both stages move on.
template <class Shape>
inline void RouterArray::Plain<Shape>::move_pointers(const View& r, unsigned local, unsigned out_port) const {
    const unsigned in_port = port_of(local);
    Port& in = r.ports[in_port];
    in.sa_input_pointer = after_port(out_port);
    in.vc_offset = after_vc(vc_of(local, in_port));
    r.ports[out_port].sa_output_pointer = after_port(in_port);
}

/// A bid is granted: its flit goes unless its VC was not granted in this cycle, or has no credit: then the
/// slot is lost. True: as of depart_held.
template <class Shape>
inline bool RouterArray::Plain<Shape>::serve(const View& r, unsigned local) {
    InputVc& v = r.inputs[local];
    move_pointers(r, local, v.out_port);
    return (r.router.going >> local & 1u) != 0 && depart_held(r, local, v, r.ports[v.out_port]);
}

/// Two bids are of one input port or for one output.
template <class Shape>
inline bool RouterArray::Plain<Shape>::conflict(const View& r, std::uint64_t bids) const {
    std::uint64_t inputs = 0, outputs = 0;
    for (; bids != 0; bids &= bids - 1) {
        const unsigned local = lowest(bids);
        const std::uint64_t in = bit(port_of(local)), out = bit(r.inputs[local].out_port);
        if (((inputs & in) | (outputs & out)) != 0) return true;
        inputs |= in;
        outputs |= out;
    }
    return false;
}

/// SA: the input VCs whose bids are granted. `going` and `low`: bids of both priorities.
template <class Shape>
[[gnu::noinline]] std::uint64_t RouterArray::Plain<Shape>::choose_winners(const View& r, std::uint64_t going,
                                                                          std::uint64_t low) const {
    std::array<std::uint8_t, 64> winners;  // of the outputs
    std::uint64_t outputs = 0, granted = 0;
    for (std::uint64_t bids = going | low; bids != 0;) {
        const unsigned in_port = port_of(lowest(bids));
        const std::uint64_t its = all_vcs() << in_port * n_vcs();
        const std::uint64_t mine = (going & its) != 0 ? going & its : low & its;
        const unsigned local = single(mine) ? lowest(mine) : choose_bid(r, in_port, mine);
        const unsigned o = r.inputs[local].out_port;
        bids &= ~its;
        // stage 2: the output's arbiter; speculative bids come last
        if ((outputs >> o & 1u) != 0) {
            const unsigned other = winners[o], first = r.ports[o].sa_output_pointer;
            const bool low_mine = (going >> local & 1u) == 0, low_other = (going >> other & 1u) == 0;
            if (low_mine != low_other
                    ? low_mine
                    : rr_distance(port_of(other), first, n_ports()) < rr_distance(in_port, first, n_ports()))
                continue;
            granted &= ~bit(other);
        }
        outputs |= bit(o);
        granted |= bit(local);
        winners[o] = static_cast<std::uint8_t>(local);
    }
    return granted;
}

/// Where nothing but a whole packet of one flit wants to go on, and can: the same as below, without holding a
/// VC in between. False: nothing has been done.
template <class Shape>
[[gnu::always_inline]] inline bool RouterArray::Plain<Shape>::pass_alone(const View& r) {
    const std::uint64_t open = r.router.open;
    if (r.router.going != 0 || !single(open)) return false;
    const unsigned o = lowest(open);
    Port& out = r.ports[o];
    const std::uint64_t askers = out.askers;
    if (!single(askers)) return false;
    const unsigned local = lowest(askers);
    InputVc& v = r.inputs[local];
    if (v.queue.front != v.queue.back || !c_.flits[v.queue.front].tail) return false;
    const unsigned out_vc = pick_vc(v, free_vcs(out, v)), out_local = o * n_vcs() + out_vc;
    if ((out.credit >> out_vc & 1u) == 0) return false;
    out.askers = 0;
    r.router.open = 0;
    v.out_vc = static_cast<std::uint8_t>(out_vc);
    v.va_pointer = after_local(out_local);
    r.outputs[out_local].va_pointer = after_local(local);
    move_pointers(r, local, o);
    depart(r, local, v, out);
    return true;
}

/// Returns the input VCs with a new head in front.
template <class Shape>
[[gnu::noinline]] std::uint64_t RouterArray::Plain<Shape>::evaluate_vcs(const View& r) {
    const std::uint64_t going = r.router.going;
    std::uint64_t low = 0;  // speculative bids
    for (std::uint64_t open = r.router.open; open != 0; open &= open - 1) {
        const unsigned o = lowest(open);
        const Port& out = r.ports[o];
        const std::uint64_t askers = out.askers;
        if (!single(askers)) {
            low |= share_out(r, o);
            continue;
        }
        const unsigned local = lowest(askers);
        InputVc& v = r.inputs[local];
        const std::uint64_t free = free_vcs(out, v);
        if (free == 0) {
            r.router.open &= ~bit(o);
            continue;
        }
        if ((free & out.credit) != 0) low |= askers;
        grant(r, local, v, o, pick_vc(v, free));
    }
    if (!speculative()) low = 0;
    std::uint64_t sends = going | low, heads = 0;
    if (!single(sends) && conflict(r, sends)) sends = choose_winners(r, going, low);
    for (; sends != 0; sends &= sends - 1) {
        const unsigned local = lowest(sends);
        if (serve(r, local)) heads |= bit(local);
    }
    return heads;
}

/// Heads whose route is known from now on ask; flits of packets without a way are dropped, one per input VC.
/// Returns the input VCs with a new head in front.
template <class Shape>
std::uint64_t RouterArray::Plain<Shape>::attend(const View& r) {
    std::uint64_t heads = 0;
    for (std::uint64_t todo = r.router.aside; todo != 0; todo &= todo - 1) {
        const unsigned local = lowest(todo);
        InputVc& v = r.inputs[local];
        if (v.state == State::VcAlloc) {
            if (static_cast<std::int32_t>(v.ready - c_.now32()) > 0) continue;
            r.router.aside &= ~bit(local);
            ask(r, local, v.out_port);
            continue;
        }
        const std::uint32_t id = v.queue.pop(c_.flits);
        const Flit flit = c_.flits[id];
        a_.drop(c_, flit, id);
        --a_.buffered_;
        r.router.buffer_cycles += c_.now32() - flit.arrived;
        const unsigned in_port = port_of(local);
        a_.dropped_.push_back({&r.ports[in_port], in_port, local - in_port * n_vcs()});
        if (flit.tail) v.state = State::Idle;
        if (flit.tail || v.queue.empty()) r.router.aside &= ~bit(local);
        if (flit.tail && !v.queue.empty()) heads |= bit(local);
    }
    return heads;
}

template <class Shape>
void RouterArray::Plain<Shape>::evaluate() {
    const Cycle now = c_.now, latency = a_.usual_delay_ - a_.switch_delay_;
    const Cycle flits_at = now + a_.usual_delay_, ejected_at = now + a_.local_delay_;
    const Cycle credits_at = now + latency + kCreditDelay, injection_at = now + 1 + kCreditDelay;
    Calendar& calendar = a_.fabric_.calendar;
    auto& flits = calendar.flits_at(flits_at).router;
    auto& ejected = calendar.flits_at(ejected_at).endpoint;
    auto& credits = calendar.credits_at(credits_at).router;
    auto& injection = calendar.credits_at(injection_at).endpoint;
    const std::size_t most = a_.n_active_ * n_ports();  // a flit per port
    const auto* const flits_before = flits_out_ = flits.room(most);
    const auto* const ejected_before = ejected_ = ejected.room(most);
    credits_out_ = credits.room(most);
    injection_credits_ = injection.room(most);
    std::uint32_t* const active = a_.active_.data();
    std::size_t kept = 0;
    for (std::size_t i = 0, n = a_.n_active_; i < n; ++i) {
        const View r = view(active[i]);
        std::uint64_t heads = 0;
        if (!Shape::kKnown && r.router.aside != 0) heads = attend(r);
        if constexpr (kOneVc) {
            heads |= evaluate_one_vc(r);
        } else if (!Shape::kKnown || !pass_alone(r)) {
            heads |= evaluate_vcs(r);
        }
        for (; heads != 0; heads &= heads - 1)
            find_way(r, lowest(heads), r.inputs[lowest(heads)], c_.now32() + 1);
        if ((r.router.going | r.router.open | r.router.aside) != 0) {
            active[kept++] = r.id;
        } else {
            r.router.flags = kTouched;
        }
    }
    a_.n_active_ = kept;
    a_.buffered_ -= static_cast<std::size_t>(flits_out_ - flits_before) +
                    static_cast<std::size_t>(ejected_ - ejected_before);
    flits.finish(flits_out_);
    ejected.finish(ejected_);
    credits.finish(credits_out_);
    injection.finish(injection_credits_);
    calendar.flits_appended(flits_at);
    calendar.flits_appended(ejected_at);
    calendar.credits_appended(credits_at);
    calendar.credits_appended(injection_at);
    for (const Dropped& d : a_.dropped_) a_.return_credit(*d.port, d.in_port, d.vc, now);
    a_.dropped_.clear();
}

template <class F>
inline void RouterArray::with_shape(Cycle now, F f) {
    if (shape_ == 1) {
        f(Plain<Mesh2d<1>>(*this, now));
    } else if (shape_ == 4) {
        f(Plain<Mesh2d<4>>(*this, now));
    } else {
        f(Plain<AnyShape>(*this, now));
    }
}

void RouterArray::receive(const EventList<Calendar::FlitAtRouter>& flits, Cycle now) {
    if (plain_) {
        with_shape(now, [&](auto&& cycle) { cycle.receive(flits); });
        return;
    }
    Step c = step(now);
    for (const Calendar::FlitAtRouter& event : flits) receive_flit(c, event);
}

void RouterArray::receive(const EventList<Calendar::CreditAtRouter>& credits) {
    if (plain_) {
        with_shape(0, [&](auto&& cycle) { cycle.receive(credits); });
        return;
    }
    for (const Calendar::CreditAtRouter& event : credits) receive_credit(event);
}

void RouterArray::evaluate(Cycle now) {
    if (plain_) {
        with_shape(now, [&](auto&& cycle) { cycle.evaluate(); });
    } else {
        evaluate_others(now);
    }
}

}  // namespace loom::noc
