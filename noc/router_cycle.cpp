// SPDX-License-Identifier: Apache-2.0
// What happens in the routers in a cycle: arrivals, allocation by the default allocators, departures.
#include <algorithm>
#include <bit>

#include "noc/multicast/sets.hpp"
#include "noc/round_robin.hpp"
#include "noc/router_array.hpp"
#include "noc/slow_link.hpp"

namespace loom::noc {
namespace {

constexpr std::uint32_t kSpeculative = 1u << 16;

constexpr std::uint64_t bit(unsigned i) {
    return std::uint64_t{1} << i;
}

}  // namespace

inline void RouterArray::activate(std::uint32_t r, Router& router) {
    const std::uint32_t flags = router.flags;
    if ((flags & kActive) != 0) return;
    router.flags = kActive | kTouched;
    active_.push_back(r);
    if ((flags & kWaiting) != 0) --waiting_;
    if ((flags & kTouched) == 0) touched_.push_back(r);
}

inline unsigned RouterArray::xy_port(const Router& r, const PacketRecord& p) const {
    const std::uint16_t x = p.at.x, y = p.at.y;
    return x != r.x ? (r.x < x ? 0u : 1u) : y != r.y ? (r.y < y ? 2u : 3u) : p.port;
}

/// A head has come to the front: where does it go?
inline void RouterArray::head_at_front(Step& c, const View& r, unsigned in_port, unsigned vc, InputVc& v,
                                       std::uint32_t at) {
    PacketRecord& p = c.packets[c.flits[v.queue.front].packet];
    const std::uint8_t message_class = p.packet.message_class;
    v.state = State::VcAlloc;
    v.several = false;
    v.message_class = message_class;
    v.ready = at + rules_.pipeline.route_cycles;
    if (plain_xy_) {
        // the most common case by hand: as routing_ says
        v.out_port = static_cast<std::uint8_t>(xy_port(r.router, p));
        return;
    }
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

RouterArray::Step RouterArray::step(Cycle now) {
    return {now, fabric_.flits.data(), fabric_.packets.data(), fabric_.counters.data(), nullptr, nullptr};
}

/// A flit into its buffer.
inline void RouterArray::buffer_flit(Step& c, const View& r, unsigned in_port, unsigned vc,
                                     std::uint32_t id) {
    InputVc& v = r.inputs[in_port * n_vcs_ + vc];
    c.flits[id].arrived = c.now32();
    v.queue.push(c.flits, id);
    r.ports[in_port].occupied |= bit(vc);
    r.router.busy |= bit(in_port);
    if (v.state == State::Idle) head_at_front(c, r, in_port, vc, v, c.now32());
}

void RouterArray::receive(const EventList<Calendar::FlitAtRouter>& flits, Cycle now) {
    Step c = step(now);
    for (const Calendar::FlitAtRouter& event : flits) {
        const View r = view(event.router);
        Router& router = r.router;
        const unsigned in_port = event.port - event.router * n_ports_;
        if (lone_ && router.busy == 0) {
            if ((router.flags & kActive) == 0 && c.flits[event.flit].tail &&
                r.inputs[in_port * n_vcs_ + event.vc].state == State::Idle) {
                activate(event.router, router);
                router.flags |= kLone;
                router.lone_flit = event.flit;
                router.lone_port = static_cast<std::uint16_t>(in_port);
                router.lone_vc = static_cast<std::uint16_t>(event.vc);
                continue;
            }
            if ((router.flags & kLone) != 0) {
                router.flags &= ~std::uint32_t{kLone};
                buffer_flit(c, r, router.lone_port, router.lone_vc, router.lone_flit);
            }
        }
        activate(event.router, router);
        buffer_flit(c, r, in_port, event.vc, event.flit);
    }
}

/// The only flit of a router, a whole packet, goes on in the cycle in which it comes, if its output has a
/// free VC with a credit: the same counts and pointers as by way of the buffer. False: it is in its buffer
/// now.
inline bool RouterArray::pass_lone(Step& c, const View& r) {
    Router& router = r.router;
    const unsigned in_port = router.lone_port, vc = router.lone_vc, local = in_port * n_vcs_ + vc;
    const std::uint32_t id = router.lone_flit;
    router.flags &= ~std::uint32_t{kLone};
    InputVc& v = r.inputs[local];
    const unsigned out_port = xy_port(router, c.packets[c.flits[id].packet]);
    Port& out = r.ports[out_port];
    v.out_port = static_cast<std::uint8_t>(out_port);
    const std::uint64_t free = ~out.held & all_vcs_;
    const unsigned out_vc = free == 0 ? 0 : pick_vc(v, free);
    if ((free & out.credit & bit(out_vc)) == 0) {
        buffer_flit(c, r, in_port, vc, id);
        return false;
    }
    v.out_vc = static_cast<std::uint8_t>(out_vc);
    const unsigned out_local = out_port * n_vcs_ + out_vc;
    v.va_pointer = static_cast<std::uint16_t>(rr_next(out_local, n_local_));
    r.outputs[out_local].va_pointer = static_cast<std::uint16_t>(rr_next(local, n_local_));
    move_pointers(r, in_port, vc, out_port);
    return_credit<true>(c, r.ports[in_port], in_port, vc);
    transmit<true>(c, r, v, out, id);
    return true;
}

void RouterArray::receive(const EventList<Calendar::CreditAtRouter>& credits) {
    for (const Calendar::CreditAtRouter& event : credits) {
        ++outputs_[std::size_t{event.port} * n_vcs_ + event.vc].credits;
        ports_[event.port].credit |= bit(event.vc);
        Router& router = routers_[event.router];
        if ((router.flags & kWaiting) != 0) activate(event.router, router);
    }
}

void RouterArray::evaluate(Cycle now) {
    if (plain_) {
        evaluate_all<true>(now);
    } else {
        evaluate_all<false>(now);
    }
}

template <bool kPlain>
void RouterArray::evaluate_all(Cycle now) {
    Step c = step(now);
    const Cycle flits_at = now + usual_delay_, credits_at = flits_at - switch_delay_ + kCreditDelay;
    const bool usual = kPlain && usual_delay_ != 0;
    if (usual) {
        c.flits_out = &fabric_.calendar.flits_to_routers(flits_at);
        c.credits_out = &fabric_.calendar.credits_to_routers(credits_at);
    }
    std::size_t kept = 0;
    for (const std::uint32_t id : active_) {
        const View r = view(id);
        if ((r.router.flags & kLone) != 0 && pass_lone(c, r)) {
            r.router.flags = kTouched;
            continue;
        }
        if (generic_ ? evaluate_generic(c, r) : evaluate_router<kPlain>(c, r)) {
            active_[kept++] = id;
            continue;
        }
        r.router.flags = kTouched;
        if (r.router.busy == 0) continue;
        r.router.flags = kTouched | kWaiting;
        ++waiting_;
    }
    active_.resize(kept);
    if (usual) fabric_.calendar.appended(flits_at, credits_at);
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
template <bool kPlain>
inline bool RouterArray::may_bid(Step& c, const View& r, unsigned in_port, unsigned vc, InputVc& v,
                                 bool& work, std::uint32_t& key) {
    const unsigned local = in_port * n_vcs_ + vc;
    if (v.state == State::Active) {
        const Port& out = r.ports[v.out_port];
        if ((out.credit >> v.out_vc & 1u) == 0) return false;
        if constexpr (!kPlain) {
            if (v.several && next_flit(c, r, local, v) == kNone) return false;
        }
        work = true;
        if constexpr (!kPlain) {
            if (link_busy(r, v.out_port, c.now)) return false;
        }
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
    if (!kPlain && v.several) {
        if (!choose_port(r, local, v, free)) return false;
    } else {
        free = free_vcs(r.ports[v.out_port], v);
        if (free == 0) return false;
    }
    work = true;
    const Port& out = r.ports[v.out_port];
    request_vc(r, local, v, free);
    key = kSpeculative;
    return speculative_ && (free & out.credit) != 0 && (kPlain || !link_busy(r, v.out_port, c.now));
}

/// The winner's pointers of both stages of SA.
inline void RouterArray::move_pointers(const View& r, unsigned in_port, unsigned vc, unsigned out) const {
    Port& in = r.ports[in_port];
    in.sa_input_pointer = static_cast<std::uint16_t>(rr_next(out, n_ports_));
    in.vc_offset = static_cast<std::uint16_t>(rr_next(vc, n_vcs_));
    r.ports[out].sa_output_pointer = static_cast<std::uint16_t>(rr_next(in_port, n_ports_));
}

/// The same as below where one input VC has flits: nobody to choose between.
inline bool RouterArray::evaluate_single(Step& c, const View& r, unsigned in_port, unsigned vc) {
    const unsigned local = in_port * n_vcs_ + vc;
    InputVc& v = r.inputs[local];
    const unsigned out_port = v.out_port;
    Port& out = r.ports[out_port];
    if (v.state == State::VcAlloc) {
        if (static_cast<std::int32_t>(v.ready - c.now32()) > 0) return true;
        const std::uint64_t free = free_vcs(out, v);
        if (free == 0) return false;
        const unsigned out_vc = pick_vc(v, free), out_local = out_port * n_vcs_ + out_vc;
        const std::uint64_t credit = out.credit;
        give_vc(r, v, out_vc);
        v.va_pointer = static_cast<std::uint16_t>(rr_next(out_local, n_local_));
        r.outputs[out_local].va_pointer = static_cast<std::uint16_t>(rr_next(local, n_local_));
        if (!speculative_ || (free & credit) == 0) return true;
        move_pointers(r, in_port, vc, out_port);
        if ((credit >> out_vc & 1u) == 0) return true;
    } else {
        if ((out.credit >> v.out_vc & 1u) == 0) return false;
        move_pointers(r, in_port, vc, out_port);
    }
    send<true>(c, r, in_port, vc);
    return r.router.busy != 0;
}

/// False when nothing can happen until a flit or a credit arrives.
template <bool kPlain>
bool RouterArray::evaluate_router(Step& c, const View& r) {
    std::uint64_t busy = r.router.busy;
    if constexpr (kPlain) {
        const auto in_port = static_cast<unsigned>(std::countr_zero(busy));
        const std::uint64_t vcs = r.ports[in_port].occupied;
        if ((busy & (busy - 1)) == 0 && (vcs & (vcs - 1)) == 0) {
            const auto vc = static_cast<unsigned>(std::countr_zero(vcs));
            if (r.inputs[in_port * n_vcs_ + vc].state != State::Drop)
                return evaluate_single(c, r, in_port, vc);
        }
    }
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
            if (!may_bid<kPlain>(c, r, in_port, vc, v, work, key)) continue;
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
    if (outputs != 0) commit_switch<kPlain>(c, r, outputs);
    return work && r.router.busy != 0;
}

/// VA, stage 1: the input VC's arbiter picks one of the free VCs of its output.
inline unsigned RouterArray::pick_vc(const InputVc& v, std::uint64_t free) const {
    if (n_vcs_ == 1) return 0;
    const unsigned offset = v.va_pointer - v.out_port * n_vcs_;
    return rr_pick(free, offset < n_vcs_ ? offset : 0);
}

/// Stage 2: the output VC's arbiter picks one input.
inline void RouterArray::request_vc(const View& r, unsigned local, const InputVc& v, std::uint64_t free) {
    const unsigned out = v.out_port * n_vcs_ + pick_vc(v, free);
    std::uint32_t& winner = va_winner_[out];
    if (winner == kNone) {
        va_requests_[n_va_requests_++] = out;
        winner = local;
        return;
    }
    const unsigned first = r.outputs[out].va_pointer;
    if (rr_distance(local, first, n_local_) < rr_distance(winner, first, n_local_)) winner = local;
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

inline void RouterArray::give_vc(const View& r, InputVc& v, unsigned out_vc) {
    v.state = State::Active;
    v.out_vc = static_cast<std::uint8_t>(out_vc);
    r.ports[v.out_port].held |= bit(out_vc);
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

template <bool kPlain>
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
        send<kPlain>(c, r, grant.port, grant.vc);
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
template <bool kPlain>
inline void RouterArray::transmit(Step& c, const View& r, const InputVc& v, Port& out, std::uint32_t id) {
    Flit& flit = c.flits[id];
    NocCounters& count = c.counters[flit.tag];
    const unsigned out_port = v.out_port, out_vc = v.out_vc;
    ++out.flits;
    count.vc_grants += flit.tail ? 1u : 0u;
    OutputVc& credits = r.outputs[out_port * n_vcs_ + out_vc];
    if (--credits.credits == 0) out.credit &= ~bit(out_vc);
    if constexpr (!kPlain) take_link(r, out_port, c.now);
    if (out_port >= link_ports_) {
        ++count.local;
        fabric_.calendar.add(c.now + out.flit_delay, Calendar::FlitAtEndpoint{out.peer, out_vc, id});
        return;
    }
    ++count.links[out.kind];
    if (flit.tail) ++c.packets[flit.packet].packet.hops;
    if (!kPlain && rules_.loss > 0 && is_lost(r.id, out_port)) flit.damaged = true;
    const Calendar::FlitAtRouter event{out.peer, out.peer_port, out_vc, id};
    if (kPlain && c.flits_out != nullptr) {
        c.flits_out->push(event);
    } else {
        fabric_.calendar.add(c.now + out.flit_delay, event);
    }
}

template <bool kPlain>
inline void RouterArray::return_credit(Step& c, const Port& in, unsigned in_port, unsigned vc) {
    if (in_port >= link_ports_) {
        fabric_.calendar.add(c.now + in.credit_delay, Calendar::CreditAtEndpoint{in.peer, vc});
        return;
    }
    const Calendar::CreditAtRouter event{in.peer, in.peer_port, vc};
    if (kPlain && c.credits_out != nullptr) {
        c.credits_out->push(event);
    } else {
        fabric_.calendar.add(c.now + in.credit_delay, event);
    }
}

/// A flit has left its buffer: the credit goes back.
template <bool kPlain>
inline void RouterArray::release_slot(Step& c, const View& r, unsigned in_port, unsigned vc, const InputVc& v,
                                      std::uint32_t arrived) {
    Port& in = r.ports[in_port];
    r.router.buffer_cycles += c.now32() - arrived;
    if (v.queue.empty()) {
        in.occupied &= ~bit(vc);
        if (in.occupied == 0) r.router.busy &= ~bit(in_port);
    }
    return_credit<kPlain>(c, in, in_port, vc);
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

template <bool kPlain>
[[gnu::always_inline]] inline void RouterArray::send(Step& c, const View& r, unsigned in_port, unsigned vc) {
    const unsigned local = in_port * n_vcs_ + vc;
    InputVc& v = r.inputs[local];
    Port& out = r.ports[v.out_port];
    if constexpr (!kPlain) {
        const std::uint64_t branches =
            v.several && wide_route(r, local).route.all ? wide_route(r, local).route.ports : 0;
        if ((branches & (branches - 1)) != 0) {
            const std::uint32_t id = copy_front(c, r, local, v);
            transmit<kPlain>(c, r, v, out, id);
            if (!c.flits[id].tail) return;
            v.state = State::VcAlloc;
            v.ready = c.now32() + 1;
            return;
        }
    }
    const std::uint32_t id = v.queue.pop(c.flits);
    const Flit flit = c.flits[id];
    release_slot<kPlain>(c, r, in_port, vc, v, flit.arrived);
    transmit<kPlain>(c, r, v, out, id);
    if (!flit.tail) return;
    out.held &= ~bit(v.out_vc);
    v.state = State::Idle;
    if (!v.queue.empty()) head_at_front(c, r, in_port, vc, v, c.now32() + 1);
}

/// Takes a flit of a packet that cannot go on out of the network.
void RouterArray::drop_front(Step& c, const View& r, unsigned in_port, unsigned vc) {
    InputVc& v = r.inputs[in_port * n_vcs_ + vc];
    const std::uint32_t id = v.queue.pop(c.flits);
    const Flit flit = c.flits[id];
    fabric_.flits.release(id);
    --fabric_.in_flight;
    if (flit.tail) {
        c.counters[flit.tag].packets_dropped +=
            fabric_.sets == nullptr ? 1 : fabric_.sets->lost_with(c.packets[flit.packet].packet);
        fabric_.release_copy(flit.packet);
        v.state = State::Idle;
    }
    release_slot<false>(c, r, in_port, vc, v, flit.arrived);
    if (flit.tail && !v.queue.empty()) head_at_front(c, r, in_port, vc, v, c.now32() + 1);
}

/// Other allocators than the default: requests are collected, matched and committed.
bool RouterArray::evaluate_generic(Step& c, const View& r) {
    Port* const ports = r.ports;
    Allocators& allocators = allocators_[r.id];
    if (allocators.vc == nullptr) {
        AllocatorShape shape{n_local_, n_local_, find_arbiter(rules_.spec.arbiter),
                             static_cast<unsigned>(rules_.spec.iterations)};
        allocators.vc = make_allocator("vc_allocator", rules_.spec.vc_allocator, shape);
        shape.inputs = shape.outputs = n_ports_;
        allocators.output = make_allocator("switch_allocator", rules_.spec.switch_allocator, shape);
    }
    bool work = false;
    vc_requests_.clear();
    output_requests_.clear();
    output_request_vc_.clear();
    const auto want = [&](unsigned local, const InputVc& v, bool low, std::uint32_t age) {
        // of the VCs of an input port that want the same output, one is kept
        const unsigned in = local / n_vcs_, vc = local % n_vcs_;
        for (std::size_t i = 0; i < output_requests_.size(); ++i) {
            AllocationRequest& q = output_requests_[i];
            if (q.in != in || q.out != v.out_port) continue;
            const bool better = q.low != low ? q.low
                                : rules_.spec.arbiter == "age" && q.age != age
                                    ? age > q.age
                                    : rr_distance(vc, ports[in].vc_offset, n_vcs_) <
                                          rr_distance(output_request_vc_[i], ports[in].vc_offset, n_vcs_);
            if (better) {
                q.low = low;
                q.age = age;
                output_request_vc_[i] = vc;
            }
            return;
        }
        output_requests_.push_back({static_cast<std::uint16_t>(in), v.out_port, low, age});
        output_request_vc_.push_back(vc);
    };
    for (std::uint64_t busy = r.router.busy; busy != 0; busy &= busy - 1) {
        const auto in_port = static_cast<unsigned>(std::countr_zero(busy));
        for (std::uint64_t in_vcs = ports[in_port].occupied; in_vcs != 0; in_vcs &= in_vcs - 1) {
            const auto in_vc = static_cast<unsigned>(std::countr_zero(in_vcs));
            const unsigned local = in_port * n_vcs_ + in_vc;
            InputVc& v = r.inputs[local];
            const std::uint32_t age = c.now32() - c.packets[c.flits[v.queue.front].packet].packet.entered;
            if (v.state == State::Active) {
                const Port& out = ports[v.out_port];
                if ((out.credit >> v.out_vc & 1u) == 0 || next_flit(c, r, local, v) == kNone) continue;
                work = true;
                if (!link_busy(r, v.out_port, c.now)) want(local, v, false, age);
            } else if (v.state == State::Drop) {
                drop_front(c, r, in_port, in_vc);
                work = true;
            } else if (static_cast<std::int32_t>(v.ready - c.now32()) > 0) {
                work = true;
            } else {
                std::uint64_t free = free_vcs(ports[v.out_port], v);
                if (v.several && !choose_port(r, local, v, free)) continue;
                if (free == 0) continue;
                work = true;
                for (std::uint64_t f = free; f != 0; f &= f - 1) {
                    const unsigned out = v.out_port * n_vcs_ + static_cast<unsigned>(std::countr_zero(f));
                    vc_requests_.push_back(
                        {static_cast<std::uint16_t>(local), static_cast<std::uint16_t>(out), false, age});
                }
                const Port& out = ports[v.out_port];
                if (rules_.pipeline.speculative && (free & out.credit) != 0 &&
                    !link_busy(r, v.out_port, c.now))
                    want(local, v, true, age);
            }
        }
    }
    // the switch is matched before the VCs of this cycle are known, and committed after them
    vc_grants_.clear();
    if (!vc_requests_.empty()) allocators.vc->allocate(vc_requests_, vc_grants_);
    grants_.clear();
    if (!output_requests_.empty()) allocators.output->allocate(output_requests_, grants_);
    for (const auto& g : vc_grants_) {
        InputVc& v = r.inputs[g.in];
        give_vc(r, v, g.out - v.out_port * n_vcs_);
    }
    for (const auto& g : grants_) {
        const auto q = std::find_if(output_requests_.begin(), output_requests_.end(),
                                    [&](const auto& x) { return x.in == g.in && x.out == g.out; });
        const unsigned vc = output_request_vc_[static_cast<std::size_t>(q - output_requests_.begin())];
        ports[g.in].vc_offset = static_cast<std::uint16_t>(rr_next(vc, n_vcs_));
        const InputVc& v = r.inputs[g.in * n_vcs_ + vc];
        if (v.state != State::Active || (ports[g.out].credit >> v.out_vc & 1u) == 0) continue;  // in vain
        send<false>(c, r, g.in, vc);
    }
    return work && r.router.busy != 0;
}

}  // namespace loom::noc
