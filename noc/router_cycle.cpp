// SPDX-License-Identifier: Apache-2.0
// A cycle in routers that are not plain: arrivals, allocation by the default allocators, departures.
#include <algorithm>
#include <bit>

#include "noc/multicast/sets.hpp"
#include "noc/router_inline.hpp"
#include "noc/slow_link.hpp"

namespace loom::noc {

/// A head has come to the front: where does it go?
inline void RouterArray::head_at_front(Step& c, const View& r, unsigned in_port, unsigned vc, InputVc& v,
                                       std::uint32_t at) {
    PacketRecord& p = c.packets[c.flits[v.queue.front].packet];
    const std::uint8_t message_class = p.packet.message_class;
    v.state = State::VcAlloc;
    v.several = false;
    v.message_class = message_class;
    v.ready = at + rules_.pipeline.route_cycles;
    Route route;
    if (p.packet.destination.kind == Destination::Kind::Set) {
        WideRoute& wide = wide_route(r, in_port * n_vcs_ + vc);
        wide.set = p.packet.destination.value;
        if (fabric_.sets->style() == MulticastStyle::Table) {
            ++fabric_.counters[p.packet.tag].table_lookups;
        } else {
            wide.high = fabric_.sets->high_ports(wide.set, r.id);
        }
        route = fabric_.sets->route(wide.set, r.id, in_port);
        wide.route = route;
        wide.cursor = kNone;
        v.several = true;
    } else {
        route = routing_({r.id, in_port, vc - message_class * fabric_.vcs_per_class(), p});
        v.vc_class = route.vcs;
        if ((route.ports & (route.ports - 1)) != 0 || route.escape_port != kNoPort) {
            wide_route(r, in_port * n_vcs_ + vc).route = route;
            v.several = true;
        }
    }
    if (route.ports == 0 && route.escape_port == kNoPort) {
        v.state = State::Drop;  // no way on: counted, and taken out flit by flit
        return;
    }
    if (!v.several) v.out_port = static_cast<std::uint8_t>(std::countr_zero(route.ports));
}

/// A flit into its buffer.
void RouterArray::receive_flit(Step& c, const Calendar::FlitAtRouter& event) {
    const View r = view(event.router);
    const unsigned in_port = port_of_[event.input], vc = event.input - in_port * n_vcs_;
    InputVc& v = r.inputs[event.input];
    activate(event.router, r.router);
    c.flits[event.flit].arrived = c.now32();
    v.queue.push(c.flits, event.flit);
    r.ports[in_port].occupied |= bit(vc);
    r.router.busy |= bit(in_port);
    if (v.state == State::Idle) head_at_front(c, r, in_port, vc, v, c.now32());
}

void RouterArray::receive_credit(const Calendar::CreditAtRouter& event) {
    const View r = view(event.router);
    const unsigned port = port_of_[event.output];
    ++r.outputs[event.output].credits;
    r.ports[port].credit |= bit(event.output - port * n_vcs_);
    if ((r.router.flags & kWaiting) != 0) activate(event.router, r.router);
}

void RouterArray::evaluate_others(Cycle now) {
    Step c = step(now);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < n_active_; ++i) {
        const std::uint32_t id = active_[i];
        const View r = view(id);
        if (generic_ ? evaluate_generic(c, r) : evaluate_router(c, r)) {
            active_[kept++] = id;
            continue;
        }
        r.router.flags = kTouched;
        if (r.router.busy == 0) continue;
        r.router.flags = kTouched | kWaiting;
        ++waiting_;
    }
    n_active_ = kept;
}

/// Of several candidates: the adaptive one with most credits, the escape channel when none of them is
/// free; of a multicast's branches the first that is free. False: nothing is free.
bool RouterArray::choose_port(const View& r, unsigned local, InputVc& v, std::uint64_t& free) const {
    const Port* const ports = r.ports;
    const WideRoute& wide = wide_route(r, local);
    unsigned best_credits = 0;
    bool found = false;
    for (std::uint64_t mask = wide.route.ports; mask != 0; mask &= mask - 1) {
        const auto port = static_cast<unsigned>(std::countr_zero(mask));
        VcClass vcs = wide.route.vcs;
        if (wide.route.all) {
            vcs = port >= link_ports_ || !routing_.uses_halves ? kAnyVc
                  : (wide.high >> port & 1u) != 0              ? kHighHalf
                                                               : kLowHalf;
        }
        const std::uint64_t candidates = ~ports[port].held & fabric_.masks[v.message_class][vcs];
        if (candidates == 0) continue;
        unsigned credits = 1;
        for (std::uint64_t c = candidates & ports[port].credit; c != 0; c &= c - 1) {
            credits += r.outputs[port * n_vcs_ + static_cast<unsigned>(std::countr_zero(c))].credits;
        }
        if (found && credits <= best_credits) continue;
        found = true;
        best_credits = credits;
        free = candidates;
        v.out_port = static_cast<std::uint8_t>(port);
        v.vc_class = vcs;
        if (wide.route.all) return true;
    }
    if (found) return true;
    const unsigned escape = wide.route.escape_port;
    if (escape == kNoPort) return false;
    free = ~ports[escape].held & fabric_.masks[v.message_class][kEscapeVc];
    if (free == 0) return false;
    v.out_port = static_cast<std::uint8_t>(escape);
    v.vc_class = kEscapeVc;
    return true;
}

/// The flit that an input VC would send next, or kNone while it has not arrived.
std::uint32_t RouterArray::next_flit(const Step& c, const View& r, unsigned local, const InputVc& v) const {
    if (!v.several) return v.queue.front;
    const WideRoute& wide = wide_route(r, local);
    if (!wide.route.all || wide.cursor == kNone) return v.queue.front;
    return c.flits[wide.cursor].next;
}

/// What an input VC with flits can do in this cycle: ask for a virtual channel, bid for the switch (true;
/// lower keys win), or nothing. `work`: there is something to do in the next cycle, too.
inline bool RouterArray::may_bid(Step& c, const View& r, unsigned in_port, unsigned vc, InputVc& v,
                                 bool& work, std::uint32_t& key) {
    const unsigned local = in_port * n_vcs_ + vc;
    if (v.state == State::Active) {
        const Port& out = r.ports[v.out_port];
        if ((out.credit >> v.out_vc & 1u) == 0) return false;
        if (v.several && next_flit(c, r, local, v) == kNone) return false;
        work = true;
        if (link_busy(r, v.out_port, c.now)) return false;
        key = 0;
        return true;
    }
    if (v.state == State::Drop) {
        drop_front(c, r, in_port, vc);
        work = true;
        return false;
    }
    if (static_cast<std::int32_t>(v.ready - c.now32()) > 0) {
        work = true;
        return false;
    }
    std::uint64_t free = 0;
    if (v.several) {
        if (!choose_port(r, local, v, free)) return false;
    } else {
        free = free_vcs(r.ports[v.out_port], v);
        if (free == 0) return false;
    }
    work = true;
    const Port& out = r.ports[v.out_port];
    request_vc(r, local, v, free);
    key = kSpeculative;
    return speculative_ && (free & out.credit) != 0 && !link_busy(r, v.out_port, c.now);
}

/// False when nothing can happen until a flit or a credit arrives.
bool RouterArray::evaluate_router(Step& c, const View& r) {
    std::uint64_t busy = r.router.busy;
    Bid* const input_bids = input_bids_.data();
    Bid* const output_bids = output_bids_.data();
    const unsigned n_vcs = n_vcs_, n_ports = n_ports_;
    bool work = false;
    std::uint64_t outputs = 0;  // with bids
    for (; busy != 0; busy &= busy - 1) {
        const auto in_port = static_cast<unsigned>(std::countr_zero(busy));
        const Port& in = r.ports[in_port];
        std::uint64_t wanted = 0;  // outputs that VCs of this port bid for
        for (std::uint64_t vcs = in.occupied; vcs != 0; vcs &= vcs - 1) {
            const auto vc = static_cast<unsigned>(std::countr_zero(vcs));
            InputVc& v = r.inputs[in_port * n_vcs + vc];
            std::uint32_t key = 0;
            if (!may_bid(c, r, in_port, vc, v, work, key)) continue;
            // of the VCs that want the same output, one is kept
            key += rr_distance(vc, in.vc_offset, n_vcs);
            const unsigned out = v.out_port;
            Bid& best = input_bids[out];
            if ((wanted >> out & 1u) != 0 && best.key < key) continue;
            wanted |= bit(out);
            best = {key, static_cast<std::uint16_t>(in_port), static_cast<std::uint16_t>(vc)};
        }
        if (wanted == 0) continue;
        // the input port picks one output, and enters the choice of that output
        const unsigned out = (wanted & (wanted - 1)) == 0 ? static_cast<unsigned>(std::countr_zero(wanted))
                                                          : choose_output(in, wanted);
        Bid bid = input_bids[out];
        bid.key = (bid.key & kSpeculative) + rr_distance(in_port, r.ports[out].sa_output_pointer, n_ports);
        if ((outputs >> out & 1u) != 0 && output_bids[out].key < bid.key) continue;
        outputs |= bit(out);
        output_bids[out] = bid;
    }
    if (n_va_requests_ != 0) commit_vcs(r);
    if (outputs != 0) commit_switch(c, r, outputs);
    return work && r.router.busy != 0;
}

/// SA: the input port's arbiter over the outputs that its VCs bid for.
unsigned RouterArray::choose_output(const Port& in, std::uint64_t mask) const {
    std::uint32_t best_key = kNone;
    unsigned out = 0;
    for (; mask != 0; mask &= mask - 1) {
        const auto o = static_cast<unsigned>(std::countr_zero(mask));
        const std::uint32_t key =
            (input_bids_[o].key & kSpeculative) + rr_distance(o, in.sa_input_pointer, n_ports_);
        if (key < best_key) {
            best_key = key;
            out = o;
        }
    }
    return out;
}

inline void RouterArray::commit_vcs(const View& r) {
    for (std::size_t i = 0; i < n_va_requests_; ++i) {
        const std::uint32_t out = va_requests_[i];
        const std::uint32_t local = va_winner_[out];
        va_winner_[out] = kNone;
        InputVc& v = r.inputs[local];
        give_vc(r, v, out - v.out_port * n_vcs_);
        v.va_pointer = static_cast<std::uint16_t>(rr_next(out, n_local_));
        r.outputs[out].va_pointer = static_cast<std::uint16_t>(rr_next(local, n_local_));
    }
    n_va_requests_ = 0;
}

inline void RouterArray::commit_switch(Step& c, const View& r, std::uint64_t outputs) {
    for (; outputs != 0; outputs &= outputs - 1) {
        const auto out = static_cast<unsigned>(std::countr_zero(outputs));
        const Bid grant = output_bids_[out];
        move_pointers(r, grant.port, grant.vc, out);
        if (grant.key >= kSpeculative) {
            // Void unless VA of this cycle gave a VC with a credit; the slot is lost.
            const InputVc& v = r.inputs[grant.port * n_vcs_ + grant.vc];
            if (v.state != State::Active || (r.ports[out].credit >> v.out_vc & 1u) == 0) continue;
        }
        send(c, r, grant.port, grant.vc);
    }
}

/// A link that is slower than the routers is in use for a while.
void RouterArray::take_link(const View& r, unsigned port, Cycle now) {
    if (slow_links_.empty()) return;
    SlowLink& link = slow_links_[std::size_t{r.id} * n_ports_ + port];
    if (link.flit_ps == 0) return;
    link.free_ps =
        next_free(link.free_ps, static_cast<double>(now) * rules_.period, rules_.period, link.flit_ps);
}

/// A flit onto its link, or to its endpoint.
inline void RouterArray::transmit(Step& c, const View& r, const InputVc& v, Port& out, std::uint32_t id) {
    Flit& flit = c.flits[id];
    NocCounters& count = c.counters[flit.tag];
    const unsigned out_port = v.out_port, out_vc = v.out_vc;
    ++out.flits;
    count.vc_grants += flit.tail ? 1u : 0u;
    OutputVc& credits = r.outputs[out_port * n_vcs_ + out_vc];
    if (--credits.credits == 0) out.credit &= ~bit(out_vc);
    take_link(r, out_port, c.now);
    if (out_port >= link_ports_) {
        ++count.local;
        fabric_.calendar.add(c.now + out.flit_delay, Calendar::FlitAtEndpoint{out.peer, out_vc, id});
        return;
    }
    ++count.links[out.kind];
    if (flit.tail) ++c.packets[flit.packet].packet.hops;
    if (rules_.loss > 0 && is_lost(r.id, out_port)) flit.damaged = true;
    fabric_.calendar.add(c.now + out.flit_delay, Calendar::FlitAtRouter{out.peer, out.peer_vc + out_vc, id});
}

void RouterArray::return_credit(const Port& in, unsigned in_port, unsigned vc, Cycle now) {
    if (in_port >= link_ports_) {
        fabric_.calendar.add(now + in.credit_delay, Calendar::CreditAtEndpoint{in.peer, vc});
    } else {
        fabric_.calendar.add(now + in.credit_delay, Calendar::CreditAtRouter{in.peer, in.peer_vc + vc});
    }
}

/// A flit has left its buffer: the credit goes back.
inline void RouterArray::release_slot(Step& c, const View& r, unsigned in_port, unsigned vc, const InputVc& v,
                                      std::uint32_t arrived) {
    Port& in = r.ports[in_port];
    r.router.buffer_cycles += c.now32() - arrived;
    if (v.queue.empty()) {
        in.occupied &= ~bit(vc);
        if (in.occupied == 0) r.router.busy &= ~bit(in_port);
    }
    return_credit(in, in_port, vc, c.now);
}

/// Another copy of the flit at the front (multicast); the original waits for the other branches.
std::uint32_t RouterArray::copy_front(Step& c, const View& r, unsigned local, InputVc& v) {
    const std::uint32_t original = next_flit(c, r, local, v);
    const std::uint32_t id = fabric_.flits.allocate();
    c.flits = fabric_.flits.data();
    c.flits[id] = c.flits[original];
    ++fabric_.in_flight;
    WideRoute& wide = wide_route(r, local);
    wide.cursor = original;
    if (!c.flits[id].tail) return id;
    ++c.packets[c.flits[id].packet].copies;
    r.ports[v.out_port].held &= ~bit(v.out_vc);
    wide.route.ports &= ~bit(v.out_port);
    wide.cursor = kNone;
    return id;
}

void RouterArray::send(Step& c, const View& r, unsigned in_port, unsigned vc) {
    const unsigned local = in_port * n_vcs_ + vc;
    InputVc& v = r.inputs[local];
    Port& out = r.ports[v.out_port];
    const std::uint64_t branches =
        v.several && wide_route(r, local).route.all ? wide_route(r, local).route.ports : 0;
    if ((branches & (branches - 1)) != 0) {
        const std::uint32_t id = copy_front(c, r, local, v);
        transmit(c, r, v, out, id);
        if (!c.flits[id].tail) return;
        v.state = State::VcAlloc;
        v.ready = c.now32() + 1;
        return;
    }
    const std::uint32_t id = v.queue.pop(c.flits);
    const Flit flit = c.flits[id];
    release_slot(c, r, in_port, vc, v, flit.arrived);
    transmit(c, r, v, out, id);
    if (!flit.tail) return;
    out.held &= ~bit(v.out_vc);
    v.state = State::Idle;
    if (!v.queue.empty()) head_at_front(c, r, in_port, vc, v, c.now32() + 1);
}

/// Takes a flit of a packet that cannot go on out of the network.
void RouterArray::drop(const Step& c, const Flit& flit, std::uint32_t id) {
    fabric_.flits.release(id);
    --fabric_.in_flight;
    if (!flit.tail) return;
    c.counters[flit.tag].packets_dropped +=
        fabric_.sets == nullptr ? 1 : fabric_.sets->lost_with(c.packets[flit.packet].packet);
    fabric_.release_copy(flit.packet);
}

/// The same with the flit at the front of a buffer.
void RouterArray::drop_front(Step& c, const View& r, unsigned in_port, unsigned vc) {
    InputVc& v = r.inputs[in_port * n_vcs_ + vc];
    const std::uint32_t id = v.queue.pop(c.flits);
    const Flit flit = c.flits[id];
    drop(c, flit, id);
    if (flit.tail) v.state = State::Idle;
    release_slot(c, r, in_port, vc, v, flit.arrived);
    if (flit.tail && !v.queue.empty()) head_at_front(c, r, in_port, vc, v, c.now32() + 1);
}

}  // namespace loom::noc
