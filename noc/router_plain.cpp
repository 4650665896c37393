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

}  // namespace

/// An input VC's head asks for a VC of its output from now on.
inline void RouterArray::ask(const View& r, unsigned local, unsigned out_port) {
    Port& out = r.ports[out_port];
    out.askers |= bit(local);
    if (out.held != all_vcs_) r.router.open |= bit(out_port);
}

/// A head has come to the front of its buffer: where does it go?
inline void RouterArray::find_way(Step& c, const View& r, unsigned local, InputVc& v, std::uint32_t at) {
    PacketRecord& p = c.packets[c.flits[v.queue.front].packet];
    v.state = State::VcAlloc;
    if (plain_xy_) {
        // the most common case by hand: as routing_ says
        v.out_port = static_cast<std::uint8_t>(xy_port(r.router, p));
        v.message_class = p.packet.message_class;
    } else {
        const unsigned in_port = port_of_[local], in_class = p.packet.message_class;
        const Route route =
            routing_({r.id, in_port, local - in_port * n_vcs_ - in_class * fabric_.vcs_per_class(), p});
        v.message_class = static_cast<std::uint8_t>(in_class);
        v.vc_class = route.vcs;
        if (route.ports == 0) {
            v.state = State::Drop;  // no way on: counted, and taken out flit by flit
            r.router.aside |= bit(local);
            return;
        }
        v.out_port = static_cast<std::uint8_t>(std::countr_zero(route.ports));
    }
    if (rules_.pipeline.route_cycles == 0) {
        ask(r, local, v.out_port);
    } else {
        v.ready = at + rules_.pipeline.route_cycles;
        r.router.aside |= bit(local);
    }
}

void RouterArray::receive_plain(const EventList<Calendar::FlitAtRouter>& flits, Cycle now) {
    Step c = step(now);
    buffered_ += flits.size();
    for (const Calendar::FlitAtRouter& event : flits) {
        const View r = view(event.router);
        Router& router = r.router;
        const std::uint32_t id = event.flit;
        InputVc& v = r.inputs[event.input];
        Flit& flit = c.flits[id];
        flit.arrived = c.now32();
        flit.next = kNone;
        if (v.queue.front != kNone) {
            c.flits[v.queue.back].next = id;
            v.queue.back = id;
        } else {
            v.queue.front = v.queue.back = id;
            if (v.state == State::Idle) {
                find_way(c, r, event.input, v, c.now32());
            } else if (v.state == State::Drop) {
                router.aside |= bit(event.input);
            } else if ((r.ports[v.out_port].credit >> v.out_vc & 1u) != 0) {
                router.going |= bit(event.input);
            }
        }
        if ((router.flags & kActive) == 0 && (router.going | router.open | router.aside) != 0)
            activate(event.router, router);
    }
}

void RouterArray::receive_plain(const EventList<Calendar::CreditAtRouter>& credits) {
    for (const Calendar::CreditAtRouter& event : credits) {
        OutputVc& o = outputs_[std::size_t{event.router} * n_local_ + event.output];
        if (o.credits++ != 0) continue;
        const View r = view(event.router);
        const unsigned out_port = port_of_[event.output], vc = event.output - out_port * n_vcs_;
        Port& out = r.ports[out_port];
        out.credit |= bit(vc);
        if ((out.held >> vc & 1u) == 0 || r.inputs[o.holder].queue.empty()) continue;
        r.router.going |= bit(o.holder);
        activate(event.router, r.router);
    }
}

/// The flit at the front leaves: its credit goes back, it goes on. True for a tail.
template <bool kOneVc>
[[gnu::always_inline]] inline bool RouterArray::depart(PlainStep& c, const View& r, unsigned local,
                                                       InputVc& v, Port& out, unsigned out_vc) {
    const std::uint32_t id = v.queue.front;
    const Flit& flit = c.flits[id];
    const unsigned in_port = kOneVc ? local : port_of_[local];
    const unsigned vc = kOneVc ? 0 : local - in_port * n_vcs_;
    v.queue.front = flit.next;
    r.router.buffer_cycles += c.now32() - flit.arrived;
    const Port& in = r.ports[in_port];
    if (in_port < link_ports_) {
        *c.credits_out++ = {in.peer, in.peer_vc + vc};
    } else {
        *c.injection_credits++ = {in.peer, vc};
    }
    ++out.flits;
    OutputVc& credits = r.outputs[v.out_port * (kOneVc ? 1 : n_vcs_) + out_vc];
    if (--credits.credits == 0) out.credit &= ~bit(out_vc);
    NocCounters& count = c.counters[flit.tag];
    const bool tail = flit.tail;
    count.vc_grants += tail ? 1u : 0u;
    if (v.out_port >= link_ports_) {
        ++count.local;
        *c.ejected++ = {out.peer, out_vc, id};
        return tail;
    }
    ++count.links[out.kind];
    if (tail) ++c.packets[flit.packet].packet.hops;
    *c.flits_out++ = {out.peer, out.peer_vc + out_vc, id};
    return tail;
}

/// An input VC gets a VC that it will not give back in this cycle.
inline void RouterArray::hold(const View& r, unsigned local, InputVc& v, unsigned out_vc) {
    Port& out = r.ports[v.out_port];
    v.state = State::Active;
    v.out_vc = static_cast<std::uint8_t>(out_vc);
    out.held |= bit(out_vc);
    r.outputs[v.out_port * n_vcs_ + out_vc].holder = static_cast<std::uint16_t>(local);
    if (!v.queue.empty() && (out.credit >> out_vc & 1u) != 0) r.router.going |= bit(local);
    if (out.askers == 0 || out.held == all_vcs_) r.router.open &= ~bit(v.out_port);
}

/// After a flit whose packet held a VC has left. Returns the input VC as a mask if another head has come to
/// the front: it counts as there in the next cycle.
inline std::uint64_t RouterArray::departed(const View& r, unsigned local, InputVc& v, Port& out, bool tail) {
    if (!tail) {
        if (v.queue.empty() || (out.credit >> v.out_vc & 1u) == 0) r.router.going &= ~bit(local);
        return 0;
    }
    r.router.going &= ~bit(local);
    out.held &= ~bit(v.out_vc);
    if (out.askers != 0) r.router.open |= bit(v.out_port);
    v.state = State::Idle;
    return v.queue.empty() ? 0 : bit(local);
}

/// One VC: an output has either a holder, who alone may bid for it, or askers.
inline std::uint64_t RouterArray::evaluate_one_vc(PlainStep& c, const View& r) {
    std::uint64_t going = r.router.going, heads = 0;
    const unsigned n = n_ports_;
    for (std::uint64_t open = r.router.open; open != 0; open &= open - 1) {
        const unsigned o = lowest(open);
        Port& out = r.ports[o];
        const std::uint64_t askers = out.askers;
        const unsigned winner = rr_pick_below_64(askers, r.outputs[o].va_pointer);
        InputVc& v = r.inputs[winner];
        r.outputs[o].va_pointer = after(winner, n);
        out.askers = askers & ~bit(winner);
        if (speculative_ && out.credit != 0) {
            const unsigned bidder = rr_pick_below_64(askers, out.sa_output_pointer);
            out.sa_output_pointer = after(bidder, n);
            // the winner's flit goes; anybody else's bid is void, and the slot is lost
            if (bidder == winner && depart<true>(c, r, winner, v, out, 0)) {
                if (out.askers == 0) r.router.open &= ~bit(o);
                v.state = State::Idle;
                if (!v.queue.empty()) heads |= bit(winner);
                continue;
            }
        }
        hold(r, winner, v, 0);
    }
    for (; going != 0; going &= going - 1) {
        const unsigned local = lowest(going);
        InputVc& v = r.inputs[local];
        Port& out = r.ports[v.out_port];
        out.sa_output_pointer = after(local, n);
        const bool tail = depart<true>(c, r, local, v, out, 0);
        heads |= departed(r, local, v, out, tail);
    }
    return heads;
}

/// An output has one asker and nothing else can happen in this router: as below, without a choice.
inline std::uint64_t RouterArray::pass_only_asker(PlainStep& c, const View& r, unsigned out_port,
                                                  unsigned local) {
    InputVc& v = r.inputs[local];
    Port& out = r.ports[out_port];
    const std::uint64_t free = free_vcs(out, v);
    if (free == 0) {
        r.router.open = 0;
        return 0;
    }
    const unsigned out_vc = pick_vc(v, free), out_local = out_port * n_vcs_ + out_vc;
    v.va_pointer = after(out_local, n_local_);
    r.outputs[out_local].va_pointer = after(local, n_local_);
    out.askers = 0;
    if (speculative_ && (free & out.credit) != 0) {
        const unsigned in_port = port_of_[local];
        move_pointers(r, in_port, local - in_port * n_vcs_, out_port);
        if ((out.credit >> out_vc & 1u) != 0 && depart<false>(c, r, local, v, out, out_vc)) {
            r.router.open = 0;
            v.state = State::Idle;
            return v.queue.empty() ? 0 : bit(local);
        }
    }
    hold(r, local, v, out_vc);
    return 0;
}

/// VA: every asker with a free VC asks for one, every VC that is asked for picks one of them. `speculative`:
/// those who bid for the switch in the same cycle.
inline void RouterArray::request_vcs(const View& r, std::uint64_t open, std::uint64_t& speculative) {
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
            request_vc(r, local, v, free);
            if (speculative_ && (free & out.credit) != 0) speculative |= bit(local);
        }
        if (!any) r.router.open &= ~bit(o);  // until a VC of their classes is given back
    }
}

/// SA: the bid of an input port enters the choice of its output.
inline void RouterArray::bid_of_port(const View& r, unsigned in_port, std::uint64_t going,
                                     std::uint64_t speculative, std::uint64_t& outputs) {
    const Port& in = r.ports[in_port];
    const std::uint32_t low = going != 0 ? 0 : kSpeculative;
    const std::uint64_t bids = (going != 0 ? going : speculative) >> in_port * n_vcs_;
    unsigned vc = lowest(bids);
    unsigned out_port = r.inputs[in_port * n_vcs_ + vc].out_port;
    if (!single(bids)) {
        std::uint64_t wanted = 0;
        for (std::uint64_t b = bids; b != 0; b &= b - 1)
            wanted |= bit(r.inputs[in_port * n_vcs_ + lowest(b)].out_port);
        out_port = rr_pick_below_64(wanted, in.sa_input_pointer);
        // of the VCs that want this output, the next in turn
        std::uint64_t left = bids;
        do {
            vc = rr_pick_below_64(left, in.vc_offset);
            left &= ~bit(vc);
        } while (r.inputs[in_port * n_vcs_ + vc].out_port != out_port);
    }
    const std::uint32_t key = low + rr_distance(in_port, r.ports[out_port].sa_output_pointer, n_ports_);
    Bid& best = output_bids_[out_port];
    if ((outputs >> out_port & 1u) != 0 && best.key < key) return;
    outputs |= bit(out_port);
    best = {key, static_cast<std::uint16_t>(in_port), static_cast<std::uint16_t>(vc)};
}

inline void RouterArray::commit_plain_vcs(const View& r) {
    for (std::size_t i = 0; i < n_va_requests_; ++i) {
        const std::uint32_t out_local = va_requests_[i];
        const std::uint32_t local = va_winner_[out_local];
        va_winner_[out_local] = kNone;
        InputVc& v = r.inputs[local];
        r.ports[v.out_port].askers &= ~bit(local);
        hold(r, local, v, out_local - v.out_port * n_vcs_);
        v.va_pointer = after(out_local, n_local_);
        r.outputs[out_local].va_pointer = after(local, n_local_);
    }
    n_va_requests_ = 0;
}

inline std::uint64_t RouterArray::commit_plain_switch(PlainStep& c, const View& r, std::uint64_t outputs) {
    std::uint64_t heads = 0;
    for (; outputs != 0; outputs &= outputs - 1) {
        const unsigned o = lowest(outputs);
        const Bid grant = output_bids_[o];
        const unsigned local = grant.port * n_vcs_ + grant.vc;
        move_pointers(r, grant.port, grant.vc, o);
        // void unless VA of this cycle gave a VC with a credit; the slot is lost
        if ((r.router.going >> local & 1u) == 0) continue;
        InputVc& v = r.inputs[local];
        Port& out = r.ports[o];
        const bool tail = depart<false>(c, r, local, v, out, v.out_vc);
        heads |= departed(r, local, v, out, tail);
    }
    return heads;
}

inline std::uint64_t RouterArray::evaluate_vcs(PlainStep& c, const View& r) {
    const std::uint64_t going = r.router.going, open = r.router.open;
    if (going == 0 && single(open)) {
        if (open == 0) return 0;
        const unsigned o = lowest(open);
        const std::uint64_t askers = r.ports[o].askers;
        if (single(askers)) return pass_only_asker(c, r, o, lowest(askers));
    }
    std::uint64_t speculative = 0, outputs = 0;
    request_vcs(r, open, speculative);
    for (std::uint64_t bids = going | speculative; bids != 0;) {
        const unsigned in_port = port_of_[lowest(bids)];
        const std::uint64_t its = all_vcs_ << in_port * n_vcs_;
        bid_of_port(r, in_port, going & its, speculative & its, outputs);
        bids &= ~its;
    }
    if (n_va_requests_ != 0) commit_plain_vcs(r);
    return commit_plain_switch(c, r, outputs);
}

/// Heads whose route is known from now on ask; flits of packets without a way are dropped, one per input VC.
/// Returns the input VCs with a new head in front.
std::uint64_t RouterArray::attend(PlainStep& c, const View& r) {
    std::uint64_t heads = 0;
    for (std::uint64_t todo = r.router.aside; todo != 0; todo &= todo - 1) {
        const unsigned local = lowest(todo);
        InputVc& v = r.inputs[local];
        if (v.state == State::VcAlloc) {
            if (static_cast<std::int32_t>(v.ready - c.now32()) > 0) continue;
            r.router.aside &= ~bit(local);
            ask(r, local, v.out_port);
            continue;
        }
        const std::uint32_t id = v.queue.pop(c.flits);
        const Flit flit = c.flits[id];
        const unsigned in_port = port_of_[local], vc = local - in_port * n_vcs_;
        drop(c, flit, id);
        --buffered_;
        r.router.buffer_cycles += c.now32() - flit.arrived;
        dropped_.push_back({&r.ports[in_port], in_port, vc});
        if (flit.tail) v.state = State::Idle;
        if (flit.tail || v.queue.empty()) r.router.aside &= ~bit(local);
        if (flit.tail && !v.queue.empty()) heads |= bit(local);
    }
    return heads;
}

template <bool kOneVc>
void RouterArray::evaluate_plain(Cycle now) {
    const Cycle latency = usual_delay_ - switch_delay_;
    const Cycle flits_at = now + usual_delay_, ejected_at = now + local_delay_;
    const Cycle credits_at = now + latency + kCreditDelay, injection_at = now + 1 + kCreditDelay;
    Calendar& calendar = fabric_.calendar;
    auto& flits = calendar.flits_at(flits_at).router;
    auto& ejected = calendar.flits_at(ejected_at).endpoint;
    auto& credits = calendar.credits_at(credits_at).router;
    auto& injection = calendar.credits_at(injection_at).endpoint;
    const std::size_t most = active_.size() * n_ports_;  // a flit per port
    PlainStep c{step(now), flits.room(most), credits.room(most), ejected.room(most), injection.room(most)};
    const auto* const flits_before = c.flits_out;
    const auto* const ejected_before = c.ejected;
    std::size_t kept = 0;
    for (const std::uint32_t id : active_) {
        const View r = view(id);
        std::uint64_t heads = 0;
        if (r.router.aside != 0) heads = attend(c, r);
        heads |= kOneVc ? evaluate_one_vc(c, r) : evaluate_vcs(c, r);
        for (; heads != 0; heads &= heads - 1)
            find_way(c, r, lowest(heads), r.inputs[lowest(heads)], c.now32() + 1);
        if ((r.router.going | r.router.open | r.router.aside) != 0) {
            active_[kept++] = id;
        } else {
            r.router.flags = kTouched;
        }
    }
    active_.resize(kept);
    buffered_ -= static_cast<std::size_t>(c.flits_out - flits_before) +
                 static_cast<std::size_t>(c.ejected - ejected_before);
    flits.finish(c.flits_out);
    ejected.finish(c.ejected);
    credits.finish(c.credits_out);
    injection.finish(c.injection_credits);
    calendar.flits_appended(flits_at);
    calendar.flits_appended(ejected_at);
    calendar.credits_appended(credits_at);
    calendar.credits_appended(injection_at);
    for (const Dropped& d : dropped_) return_credit(*d.port, d.in_port, d.vc, now);
    dropped_.clear();
}

void RouterArray::receive(const EventList<Calendar::FlitAtRouter>& flits, Cycle now) {
    if (plain_) {
        receive_plain(flits, now);
        return;
    }
    Step c = step(now);
    for (const Calendar::FlitAtRouter& event : flits) receive_flit(c, event);
}

void RouterArray::receive(const EventList<Calendar::CreditAtRouter>& credits) {
    if (plain_) {
        receive_plain(credits);
        return;
    }
    for (const Calendar::CreditAtRouter& event : credits) receive_credit(event);
}

void RouterArray::evaluate(Cycle now) {
    if (!plain_) {
        evaluate_others(now);
    } else if (n_vcs_ == 1) {
        evaluate_plain<true>(now);
    } else {
        evaluate_plain<false>(now);
    }
}

}  // namespace loom::noc
