// SPDX-License-Identifier: Apache-2.0
// A cycle in plain routers: one port per route, default allocators, links of a flit per cycle. The same rules
// as in router_cycle.cpp, on masks: `open` outputs have somebody to give a virtual channel to, `going` inputs
// have what they need to send. Who waits for a credit or for a virtual channel is in neither and costs
// nothing.
#include <bit>

#include "noc/router_inline.hpp"

namespace loom::noc {
namespace {

unsigned lowest(std::uint64_t mask) {
    return static_cast<unsigned>(std::countr_zero(mask));
}
bool single(std::uint64_t mask) {
    return (mask & (mask - 1)) == 0;
}
std::uint16_t after(unsigned winner, unsigned n) {
    return static_cast<std::uint16_t>(rr_next(winner, n));
}

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
    unsigned port_of(unsigned local) const { return Shape::kKnown ? local / n_vcs() : a_.port_of_[local]; }
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
    void hold(const View& r, unsigned local, InputVc& v, unsigned out_vc);
    bool depart(const View& r, unsigned local, InputVc& v, Port& out);
    std::uint64_t evaluate_one_vc(const View& r);
    std::uint64_t evaluate_vcs(const View& r);
    std::uint64_t pass_only_asker(const View& r, unsigned out_port, unsigned local);
    std::uint64_t request_vcs(const View& r, std::uint64_t open);
    void bid_of_port(const View& r, unsigned in_port, std::uint64_t going, std::uint64_t speculative);
    void commit_vcs(const View& r);
    std::uint64_t send_granted(const View& r);
    void move_pointers(const View& r, unsigned in_port, unsigned vc, unsigned out) const;
    std::uint64_t attend(const View& r);

    RouterArray& a_;
    const Step c_;
    const unsigned n_ports_, n_links_, n_vcs_;
    // where the events of this cycle go
    Calendar::FlitAtRouter* flits_out_ = nullptr;
    Calendar::CreditAtRouter* credits_out_ = nullptr;
    Calendar::FlitAtEndpoint* ejected_ = nullptr;
    Calendar::CreditAtEndpoint* injection_credits_ = nullptr;
    std::uint64_t outputs_ = 0;  ///< with bids
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
        const unsigned out_port = port_of(event.output), vc = event.output - out_port * n_vcs();
        Port& out = r.ports[out_port];
        out.credit |= bit(vc);
        if ((out.held >> vc & 1u) == 0 || r.inputs[o.holder].queue.empty()) continue;
        r.router.going |= bit(o.holder);
        a_.activate(event.router, r.router);
    }
}

/// An input VC gets a VC of its output, and may send from the next cycle on.
template <class Shape>
inline void RouterArray::Plain<Shape>::hold(const View& r, unsigned local, InputVc& v, unsigned out_vc) {
    Port& out = r.ports[v.out_port];
    v.state = State::Active;
    v.out_vc = static_cast<std::uint8_t>(out_vc);
    out.held |= bit(out_vc);
    r.outputs[v.out_port * n_vcs() + out_vc].holder = static_cast<std::uint16_t>(local);
    if ((out.credit >> out_vc & 1u) != 0) r.router.going |= bit(local);
    if (out.askers == 0 || out.held == all_vcs()) r.router.open &= ~bit(v.out_port);
}

/// The flit at the front of an input VC that holds a VC leaves: its credit goes back, it goes on. True:
/// another head has come to the front; it counts as there in the next cycle.
template <class Shape>
[[gnu::always_inline]] inline bool RouterArray::Plain<Shape>::depart(const View& r, unsigned local,
                                                                     InputVc& v, Port& out) {
    const std::uint32_t id = v.queue.front;
    const Flit& flit = c_.flits[id];
    const unsigned out_port = v.out_port, out_vc = kOneVc ? 0 : v.out_vc;
    const unsigned in_port = port_of(local), vc = local - in_port * n_vcs();
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
    }
    if (!flit.tail) {
        if (v.queue.empty() || (out.credit >> out_vc & 1u) == 0) r.router.going &= ~bit(local);
        return false;
    }
    ++count.vc_grants;
    if (out_port < n_links()) ++c_.packets[flit.packet].packet.hops;
    r.router.going &= ~bit(local);
    out.held &= ~bit(out_vc);
    if (out.askers != 0) r.router.open |= bit(out_port);
    v.state = State::Idle;
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
        given.va_pointer = after(winner, n_ports());
        given.holder = static_cast<std::uint16_t>(winner);
        r.inputs[winner].state = State::Active;
        if (out.credit == 0) continue;
        r.router.going |= bit(winner);
        // the winner's flit goes; anybody else's bid is void, and the slot is lost
        out.sa_output_pointer = after(bidder, n_ports());
        if (bidder == winner) sends |= bit(winner);
    }
    r.router.open = 0;
    std::uint64_t heads = 0;
    for (; sends != 0; sends &= sends - 1) {
        const unsigned local = lowest(sends);
        InputVc& v = r.inputs[local];
        Port& out = r.ports[v.out_port];
        out.sa_output_pointer = after(local, n_ports());
        if (depart(r, local, v, out)) heads |= bit(local);
    }
    return heads;
}

/// VA, stage 1: the input VC's arbiter picks one of the free VCs of its output.
template <class Shape>
inline unsigned RouterArray::Plain<Shape>::pick_vc(const InputVc& v, std::uint64_t free) const {
    const unsigned offset = v.va_pointer - v.out_port * n_vcs();
    return rr_pick_below_64(free, offset < n_vcs() ? offset : 0);
}

/// The winner's pointers of both stages of SA.
template <class Shape>
inline void RouterArray::Plain<Shape>::move_pointers(const View& r, unsigned in_port, unsigned vc,
                                                     unsigned out) const {
    Port& in = r.ports[in_port];
    in.sa_input_pointer = after(out, n_ports());
    in.vc_offset = after(vc, n_vcs());
    r.ports[out].sa_output_pointer = after(in_port, n_ports());
}

/// An output has one asker and nothing else can happen in this router: as below, without a choice.
template <class Shape>
inline std::uint64_t RouterArray::Plain<Shape>::pass_only_asker(const View& r, unsigned out_port,
                                                                unsigned local) {
    InputVc& v = r.inputs[local];
    Port& out = r.ports[out_port];
    const std::uint64_t free = free_vcs(out, v);
    if (free == 0) {
        r.router.open = 0;
        return 0;
    }
    const bool bids = speculative() && (free & out.credit) != 0;
    const unsigned out_vc = pick_vc(v, free), out_local = out_port * n_vcs() + out_vc;
    v.va_pointer = after(out_local, n_locals());
    r.outputs[out_local].va_pointer = after(local, n_locals());
    out.askers = 0;
    hold(r, local, v, out_vc);
    if (!bids) return 0;
    const unsigned in_port = port_of(local);
    move_pointers(r, in_port, local - in_port * n_vcs(), out_port);
    return (out.credit >> out_vc & 1u) != 0 && depart(r, local, v, out) ? bit(local) : 0;
}

/// VA: every asker with a free VC asks for one, every VC that is asked for picks one of them. Returns those
/// who bid for the switch in the same cycle.
template <class Shape>
inline std::uint64_t RouterArray::Plain<Shape>::request_vcs(const View& r, std::uint64_t open) {
    std::uint64_t speculative_bids = 0;
    for (; open != 0; open &= open - 1) {
        const unsigned o = lowest(open);
        const Port& out = r.ports[o];
        bool any = false;
        for (std::uint64_t askers = out.askers; askers != 0; askers &= askers - 1) {
            const unsigned local = lowest(askers);
            const InputVc& v = r.inputs[local];
            const std::uint64_t free = free_vcs(out, v);
            if (free == 0) continue;
            any = true;
            const unsigned asked = o * n_vcs() + pick_vc(v, free);
            std::uint32_t& winner = a_.va_winner_[asked];
            const unsigned first = r.outputs[asked].va_pointer;
            if (winner == kNone) {
                a_.va_requests_[a_.n_va_requests_++] = asked;
                winner = local;
            } else if (rr_distance(local, first, n_locals()) < rr_distance(winner, first, n_locals())) {
                winner = local;
            }
            if (speculative() && (free & out.credit) != 0) speculative_bids |= bit(local);
        }
        if (!any) r.router.open &= ~bit(o);  // until a VC of their classes is given back
    }
    return speculative_bids;
}

/// SA: the bid of an input port enters the choice of its output.
template <class Shape>
inline void RouterArray::Plain<Shape>::bid_of_port(const View& r, unsigned in_port, std::uint64_t going,
                                                   std::uint64_t speculative_bids) {
    const Port& in = r.ports[in_port];
    const InputVc* const inputs = r.inputs + in_port * n_vcs();
    const std::uint64_t bids = (going != 0 ? going : speculative_bids) >> in_port * n_vcs();
    unsigned vc = lowest(bids);
    unsigned out_port = inputs[vc].out_port;
    if (!single(bids)) {
        std::uint64_t wanted = 0;
        for (std::uint64_t b = bids; b != 0; b &= b - 1) wanted |= bit(inputs[lowest(b)].out_port);
        out_port = rr_pick_below_64(wanted, in.sa_input_pointer);
        // of the VCs that want this output, the next in turn
        std::uint64_t left = bids;
        do {
            vc = rr_pick_below_64(left, in.vc_offset);
            left &= ~bit(vc);
        } while (inputs[vc].out_port != out_port);
    }
    const std::uint32_t key = (going != 0 ? 0 : kSpeculative) +
                              rr_distance(in_port, r.ports[out_port].sa_output_pointer, n_ports());
    Bid& best = a_.output_bids_[out_port];
    if ((outputs_ >> out_port & 1u) != 0 && best.key < key) return;
    outputs_ |= bit(out_port);
    best = {key, static_cast<std::uint16_t>(in_port), static_cast<std::uint16_t>(vc)};
}

template <class Shape>
inline void RouterArray::Plain<Shape>::commit_vcs(const View& r) {
    for (std::size_t i = 0; i < a_.n_va_requests_; ++i) {
        const std::uint32_t out_local = a_.va_requests_[i];
        const std::uint32_t local = a_.va_winner_[out_local];
        a_.va_winner_[out_local] = kNone;
        InputVc& v = r.inputs[local];
        r.ports[v.out_port].askers &= ~bit(local);
        hold(r, local, v, out_local - v.out_port * n_vcs());
        v.va_pointer = after(out_local, n_locals());
        r.outputs[out_local].va_pointer = after(local, n_locals());
    }
    a_.n_va_requests_ = 0;
}

template <class Shape>
inline std::uint64_t RouterArray::Plain<Shape>::send_granted(const View& r) {
    std::uint64_t heads = 0;
    for (; outputs_ != 0; outputs_ &= outputs_ - 1) {
        const unsigned o = lowest(outputs_);
        const Bid grant = a_.output_bids_[o];
        const unsigned local = grant.port * n_vcs() + grant.vc;
        move_pointers(r, grant.port, grant.vc, o);
        // void unless VA of this cycle gave a VC with a credit; the slot is lost
        if ((r.router.going >> local & 1u) == 0) continue;
        if (depart(r, local, r.inputs[local], r.ports[o])) heads |= bit(local);
    }
    return heads;
}

template <class Shape>
inline std::uint64_t RouterArray::Plain<Shape>::evaluate_vcs(const View& r) {
    const std::uint64_t going = r.router.going, open = r.router.open;
    if (going == 0 && single(open)) {
        if (open == 0) return 0;
        const unsigned o = lowest(open);
        const std::uint64_t askers = r.ports[o].askers;
        if (single(askers)) return pass_only_asker(r, o, lowest(askers));
    }
    const std::uint64_t speculative_bids = request_vcs(r, open);
    for (std::uint64_t bids = going | speculative_bids; bids != 0;) {
        const unsigned in_port = port_of(lowest(bids));
        const std::uint64_t its = all_vcs() << in_port * n_vcs();
        bid_of_port(r, in_port, going & its, speculative_bids & its);
        bids &= ~its;
    }
    if (a_.n_va_requests_ != 0) commit_vcs(r);
    return send_granted(r);
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
        } else {
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
