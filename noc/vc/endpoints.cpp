// SPDX-License-Identifier: Apache-2.0
#include "noc/vc/endpoints.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "noc/multicast/sets.hpp"
#include "noc/round_robin.hpp"

namespace loom::noc {
namespace {
/// Between a network interface and its router, in both ways.
constexpr Cycles kLocalLink = 1;
/// From the interface to the core, which returns the credit of an ejected flit.
constexpr Cycles kEjectLink = 1;
/// From a flit that leaves the network to its credit at the router.
constexpr Cycles kEjectionCredit = kEjectLink + kLocalLink + kCreditDelay;
}  // namespace

Endpoints::Endpoints(Fabric& fabric, const Topology& topology) : fabric_(fabric) {
    endpoints_.resize(topology.n_endpoints());
    credits_.resize(std::size_t{topology.n_endpoints()} * fabric.vcs);
    arrived_.resize(std::size_t{topology.n_endpoints()} * fabric.vcs);
    active_.resize(topology.n_endpoints());
    for (std::uint32_t e = 0; e < endpoints_.size(); ++e) {
        endpoints_[e].router = topology.router_of(e);
        endpoints_[e].coord = topology.coord(endpoints_[e].router);
        endpoints_[e].port = static_cast<std::uint16_t>(topology.port_of(e));
        endpoints_[e].first_vc = static_cast<std::uint16_t>(topology.port_of(e) * fabric.vcs);
        reset_endpoint(e);
    }
}

void Endpoints::reset_endpoint(std::uint32_t e) {
    Endpoint& p = endpoints_[e];
    p.inject_pointer = p.eject_pointer = 0;
    p.credit = fabric_.all_vcs();
    p.is_touched = p.starving = false;
    std::fill_n(credits_.begin() + std::ptrdiff_t{e} * fabric_.vcs, fabric_.vcs,
                static_cast<std::uint16_t>(fabric_.buffer));
}

void Endpoints::reset() {
    for (const std::uint32_t e : touched_) reset_endpoint(e);
    touched_.clear();
    starving_ = 0;
}

void Endpoints::attach(std::uint32_t endpoint, Network::EndpointLinks links) {
    endpoints_.at(endpoint).links = links;
}

void Endpoints::receive(const EventList<Calendar::FlitAtEndpoint>& flits, Cycle now) {
    auto& credits = fabric_.calendar.credits_at(now + kEjectionCredit).router;
    Step c{now, nullptr, &credits};
    for (const Calendar::FlitAtEndpoint& event : flits) {
        Endpoint& p = endpoints_[event.endpoint];
        if (eject_only(event.endpoint, p, event, c)) continue;
        arrived_[std::size_t{event.endpoint} * fabric_.vcs + event.vc].push(fabric_.flits, event.flit);
        p.waiting |= bit(event.vc);
        activate(event.endpoint);
    }
    fabric_.calendar.credits_appended(now + kEjectionCredit);
}

void Endpoints::receive(const EventList<Calendar::CreditAtEndpoint>& credits) {
    for (const Calendar::CreditAtEndpoint& event : credits) {
        Endpoint& p = endpoints_[event.endpoint];
        ++credits_[std::size_t{event.endpoint} * fabric_.vcs + event.vc];
        p.credit |= bit(event.vc);
        if (p.starving) activate(event.endpoint);
    }
}

void Endpoints::evaluate(Cycle now) {
    auto& injected = fabric_.calendar.flits_at(now + kLocalLink).router;
    auto& credits = fabric_.calendar.credits_at(now + kEjectionCredit).router;
    Step c{now, injected.room(n_active_), &credits};
    std::size_t kept = 0;
    for (std::size_t i = 0; i < n_active_; ++i) {
        const std::uint32_t e = active_[i];
        Endpoint& p = endpoints_[e];
        const bool out = p.waiting != 0 && eject(e, p, c);
        const bool in = p.links.in != nullptr && inject(e, p, c);
        if (in || out) {
            active_[kept++] = e;
        } else {
            p.is_active = false;
        }
    }
    n_active_ = kept;
    injected.finish(c.injected);
    fabric_.calendar.flits_appended(now + kLocalLink);
    fabric_.calendar.credits_appended(now + kEjectionCredit);
}

/// Notes that the endpoint cannot go on before a credit is back.
bool Endpoints::starve(Endpoint& p) {
    if (!p.starving) {
        p.starving = true;
        ++starving_;
    }
    return false;
}

/// Cuts a packet: from here on it is in the network. `vcs`: those it may take.
inline void Endpoints::start(std::uint32_t e, Endpoint& p, const Packet& packet, std::uint64_t vcs,
                             Cycle now) {
    p.packet = fabric_.packets.allocate();
    PacketRecord& record = fabric_.packets[p.packet];
    record.packet = packet;
    record.copies = 1;
    record.packet.entered = static_cast<std::uint32_t>(now - kLocalLink);
    record.packet.hops = 0;
    record.entered = static_cast<std::uint32_t>(now - fabric_.epoch);
    p.flits_left = packet.flits;
    p.vc = static_cast<std::uint16_t>(rr_pick_below_64(vcs, p.inject_pointer));
    p.inject_pointer = static_cast<std::uint16_t>(rr_next(p.vc, fabric_.vcs));
    fabric_.in_flight += packet.flits;
    if (packet.destination.kind != Destination::Kind::Endpoint) return;
    const std::uint32_t to = packet.destination.value;
    if (to >= endpoints_.size() || endpoints_[to].links.out == nullptr) refuse_destination(e, to);
    const Endpoint& there = endpoints_[to];
    address(p.coord, there.router, there.coord, there.port, record);
}

void Endpoints::refuse_class(const Packet& p) const {
    throw ModelError(
        fmt::format("a packet of message class {}; the network has {}", p.message_class, fabric_.classes));
}

void Endpoints::refuse_destination(std::uint32_t from, std::uint32_t to) const {
    throw ModelError(fmt::format("a packet from endpoint {} to endpoint {}, which is not in use", from, to));
}

/// Starts a packet that this core sends on. False: no channel is free for it.
bool Endpoints::take_relayed(std::uint32_t e, Endpoint& p, const Packet& packet, Cycle now) {
    const std::uint64_t vcs = free_vcs(p, packet);
    if (vcs == 0) return starve(p);
    start(e, p, packet, vcs, now);
    fabric_.relays.pop(e);
    return true;
}

/// Finds the next packet to send: a relayed one, the next member of a set (repeated unicast), or one from
/// the core. False when there is none, or no free channel for it.
inline bool Endpoints::take_next(std::uint32_t e, Endpoint& p, Cycle now) {
    if (const Packet* relayed = fabric_.relays.front(e)) return take_relayed(e, p, *relayed, now);
    const Packet* next = p.links.in->peek(now);
    if (next == nullptr) return false;  // an arrival is announced
    if (next->message_class >= fabric_.classes) refuse_class(*next);
    const std::uint64_t vcs = free_vcs(p, *next);
    if (vcs == 0) return starve(p);
    fabric_.know_tag(next->tag);
    if (next->destination.kind != Destination::Kind::Endpoint) return take_for_set(e, p, *next, now);
    NocCounters& count = fabric_.counters[next->tag];
    ++count.packets;
    ++count.packets_expected;
    start(e, p, *next, vcs, now);
    p.links.in->drop(now);
    return true;
}

bool Endpoints::take_for_set(std::uint32_t e, Endpoint& p, const Packet& next, Cycle now) {
    if (fabric_.sets != nullptr && fabric_.sets->in_tree() && next.flits > fabric_.buffer) {
        throw ModelError(
            fmt::format("a packet of {} flits to a set: copies are made from a buffer that holds the "
                        "whole packet, and noc.router.buffer is {}",
                        next.flits, fabric_.buffer));
    }
    Packet packet = next;
    std::size_t members = 0;
    if (fabric_.next_copy(packet, p.member, members)) p.links.in->drop(now);
    if (members == 0) return false;
    start(e, p, packet, free_vcs(p, packet), now);
    return true;
}

/// Sends at most one flit. True when it has to be asked again in the next cycle.
inline bool Endpoints::inject(std::uint32_t e, Endpoint& p, Step& c) {
    if (p.packet == kNone && !take_next(e, p, c.now))
        return p.links.in->peek(c.now) != nullptr && !p.starving;
    if ((p.credit >> p.vc & 1u) == 0) return starve(p);
    stop_starving(p);
    const std::uint16_t tag = fabric_.packets[p.packet].packet.tag;
    const std::uint32_t id = fabric_.flits.allocate();
    Flit& flit = fabric_.flits[id];
    flit.packet = p.packet;
    flit.next = kNone;
    flit.tag = tag;
    flit.tail = p.flits_left == 1;
    flit.damaged = false;
    ++fabric_.counters[tag].ni_in;
    *c.injected++ = {p.router, std::uint32_t{p.first_vc} + p.vc, id};
    if (--credits_[std::size_t{e} * fabric_.vcs + p.vc] == 0) p.credit &= ~bit(p.vc);
    if (--p.flits_left == 0) p.packet = kNone;
    return p.packet != kNone || p.links.in->size() != 0 || fabric_.relays.has(e);
}

/// A packet is whole. False when the receiver cannot take it now.
inline bool Endpoints::deliver(std::uint32_t e, Endpoint& p, const Packet& packet, Cycle now) {
    if (p.links.out == nullptr) refuse_destination(index(packet.source), e);
    if (!p.links.out->can_send(now)) return false;  // the returned credit wakes the network
    p.links.out->send(now, packet);
    fabric_.delivered(e, packet);
    return true;
}

/// A flit leaves the network, and its credit goes back.
inline void Endpoints::take_out(const Endpoint& p, unsigned vc, std::uint32_t flit, NocCounters& count,
                                Step& c) {
    fabric_.flits.release(flit);
    --fabric_.in_flight;
    ++count.ni_out;
    c.credits->push({p.router, p.first_vc + vc});
}

/// The same as below for a flit before which nothing waits. False: it has to be stored.
inline bool Endpoints::eject_only(std::uint32_t e, Endpoint& p, const Calendar::FlitAtEndpoint& event,
                                  Step& c) {
    const Flit flit = fabric_.flits[event.flit];
    if ((p.waiting | p.damaged) != 0 || flit.damaged || fabric_.sets != nullptr) return false;
    if (flit.tail) {
        if (!deliver(e, p, fabric_.packets[flit.packet].packet, c.now)) return false;
        p.eject_pointer = static_cast<std::uint16_t>(rr_next(event.vc, fabric_.vcs));
        touch(e, p);
        fabric_.release_copy(flit.packet);
    }
    take_out(p, event.vc, event.flit, fabric_.counters[flit.tag], c);
    return true;
}

/// Takes what has arrived, at most one whole packet. True when there is more for the next cycle.
bool Endpoints::eject(std::uint32_t e, Endpoint& p, Step& c) {
    bool delivered = false, blocked = false;
    const unsigned n_vcs = fabric_.vcs, first = p.eject_pointer;
    // VCs with flits, from the pointer on
    for (std::uint64_t todo = p.waiting; todo != 0;) {
        const unsigned vc = rr_pick(todo, first);
        todo &= ~(bit(vc));
        FlitQueue& queue = arrived_[std::size_t{e} * n_vcs + vc];
        while (!queue.empty()) {
            const Flit flit = fabric_.flits[queue.front];
            if (flit.damaged) p.damaged |= bit(vc);
            NocCounters& count = fabric_.counters[flit.tag];
            if (flit.tail) {
                const Packet& packet = fabric_.packets[flit.packet].packet;
                const bool stray = packet.destination.kind == Destination::Kind::Set &&
                                   fabric_.sets->style() == MulticastStyle::Region &&
                                   !fabric_.sets->contains(packet.destination.value, e);
                if ((p.damaged >> vc & 1u) != 0 && !stray) {
                    fabric_.drop(packet);
                } else if (stray) {
                    ++count.filtered;
                } else {
                    if (delivered) break;
                    if (!deliver(e, p, packet, c.now)) {
                        blocked = true;
                        break;
                    }
                    delivered = true;
                    p.eject_pointer = static_cast<std::uint16_t>(rr_next(vc, n_vcs));
                }
                p.damaged &= ~(bit(vc));
                fabric_.release_copy(flit.packet);
            }
            take_out(p, vc, queue.pop(fabric_.flits), count, c);
        }
        if (queue.empty()) p.waiting &= ~(bit(vc));
    }
    return (p.waiting != 0 && !blocked) || fabric_.relays.has(e);
}

void Endpoints::describe(std::vector<std::string>& lines, std::size_t limit) const {
    for (std::size_t e = 0; e < endpoints_.size() && lines.size() < limit; ++e) {
        const Endpoint& p = endpoints_[e];
        if (p.packet != kNone) {
            lines.push_back(fmt::format("endpoint {}: {} flits of a packet to {} not yet in the network", e,
                                        p.flits_left, fabric_.packets[p.packet].packet.destination.value));
        }
        for (unsigned vc = 0; vc < fabric_.vcs && lines.size() < limit; ++vc) {
            if ((p.waiting >> vc & 1u) == 0) continue;
            lines.push_back(fmt::format("endpoint {} vc {}: {} flits wait for the receiver", e, vc,
                                        arrived_[e * fabric_.vcs + vc].size(fabric_.flits)));
        }
    }
}

}  // namespace loom::noc
