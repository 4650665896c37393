// SPDX-License-Identifier: Apache-2.0
#include "noc/fabrics/deflection_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/error.hpp"
#include "base/key_error.hpp"
#include "noc/router_kind.hpp"
#include "noc/routing/builders.hpp"

namespace loom::noc {

DeflectionNetwork::DeflectionNetwork(const arch::ChipSpec& spec, Topology topology)
    : PacketFabric(spec, std::move(topology), {}) {
    // none of its own; destination sets need ways to be counted
    if (spec.noc.routing != arch::NocSpec{}.routing)
        throw KeyError("noc.routing", "a deflection router has no routing function; use auto");
    routing_ =
        topology_.regular ? make_routing(spec_, topology_, 2) : up_down_routing().build(spec_, topology_, 2);
    for (std::uint32_t r = 0; r < topology_.n_routers(); ++r) {
        for (unsigned p = 0; p < topology_.link_ports(); ++p) {
            const Channel& c = topology_.channel(r, p);
            if (c.peer != kNone && c.flit_ps != 0) {
                throw KeyError("noc.link_width",
                               fmt::format("a deflection router sends on a flit per link and cycle, the link "
                                           "{} of router {} takes longer",
                                           topology_.port_name(p), topology_.router_name(r)));
            }
        }
    }
    sending_.assign(topology_.n_endpoints(), kNone);
    flits_left_.resize(topology_.n_endpoints());
    waiting_.resize(topology_.n_routers());
}

bool DeflectionNetwork::older(std::uint32_t a, std::uint32_t b) const {
    const Packet &p = packets_[a].packet, &q = packets_[b].packet;
    if (p.entered != q.entered) return p.entered < q.entered;
    if (p.source != q.source) return p.source < q.source;
    return p.axon != q.axon ? p.axon < q.axon : a < b;
}

std::uint64_t DeflectionNetwork::links_of(std::uint32_t r) const {
    std::uint64_t links = 0;
    for (unsigned p = 0; p < topology_.link_ports(); ++p) links |= routing_->link(r, p);
    return links;
}

/// Of the free ports the one that leads nearest to router `to`.
unsigned DeflectionNetwork::nearest(std::uint32_t r, std::uint32_t to, std::uint64_t free) const {
    unsigned best = kNoPort;
    std::uint32_t least = kNone;
    for (std::uint64_t m = free; m != 0; m &= m - 1) {
        const auto p = static_cast<unsigned>(std::countr_zero(m));
        const std::uint32_t d = topology_.distance(topology_.channel(r, p).peer, to);
        if (best != kNoPort && d >= least) continue;
        best = p;
        least = d;
    }
    return best;
}

/// Into the core, if it is here and the local port is free in this cycle.
bool DeflectionNetwork::eject(std::uint32_t r, std::uint32_t id, Cycle now, std::uint64_t& used) {
    Travelling& t = packets_[id];
    if (t.router != r) return false;
    const std::uint32_t to = t.packet.destination.value;
    const std::uint64_t bit = std::uint64_t{1} << topology_.port_of(to);
    if ((used & bit) != 0) return false;
    const bool last = t.flits_in + 1 == t.packet.flits;
    if (last && !t.is_damaged) {
        t.packet.hops = static_cast<std::uint16_t>(t.hops / t.packet.flits);
        if (!deliver(to, now, now + 1, t.packet)) return false;
    }
    used |= bit;
    ++t.flits_in;
    NocCounters& c = count(t.packet);
    ++c.local;
    ++c.ni_out;
    ++c.crossbar;
    count_port(r, topology_.port_of(to));
    --state_.in_flight;
    if (!last) return true;
    if (t.is_damaged) state_.drop(t.packet);
    free_packets_.push_back(id);
    return true;
}

/// By the nearest port that is free.
void DeflectionNetwork::send(std::uint32_t r, std::uint32_t id, Cycle now, std::uint64_t& free) {
    Travelling& t = packets_[id];
    const unsigned port = nearest(r, t.router, free);
    if (port == kNoPort) throw InternalError("a deflection router has more flits than links");
    free &= ~(std::uint64_t{1} << port);
    const Channel& c = topology_.channel(r, port);
    ++count(t.packet).links[c.kind];
    ++count(t.packet).crossbar;
    count_port(r, port);
    t.is_damaged |= damaged(r, port);
    ++t.hops;
    arriving_.push(now + 1 + c.latency, {c.peer, id});
}

/// A core may send a flit when a link, or the port of its neighbour, is left.
void DeflectionNetwork::inject(std::uint32_t r, Cycle now, std::uint64_t& used, std::uint64_t& free) {
    auto& waiting = waiting_[r];
    std::size_t kept = 0;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        const std::uint32_t e = waiting[i], id = sending_[e];
        bool sent = packets_[id].router == r ? eject(r, id, now, used) : free != 0;
        if (sent) {
            // the slot may be free again by now, its packet's tag is not changed
            ++count(packets_[id].packet).ni_in;
            if (packets_[id].router != r) send(r, id, now, free);
            sent = --flits_left_[e] == 0;
        }
        if (sent) {
            sending_[e] = kNone;
            ready_.add(e);
        } else {
            waiting[kept++] = e;
        }
    }
    waiting.resize(kept);
    if (kept > 1) std::rotate(waiting.begin(), waiting.begin() + 1, waiting.end());
}

void DeflectionNetwork::route(std::uint32_t r, Cycle now) {
    std::sort(flits_.begin(), flits_.end(), [&](auto a, auto b) { return older(a, b); });
    std::uint64_t free = links_of(r), used = 0;
    std::erase_if(flits_, [&](std::uint32_t id) { return eject(r, id, now, used); });
    for (const std::uint32_t id : flits_) send(r, id, now, free);
    inject(r, now, used, free);
}

void DeflectionNetwork::start(std::uint32_t e, const Packet& p) {
    const std::uint32_t from = topology_.router_of(e), to = topology_.router_of(p.destination.value);
    if (topology_.dead(from) || topology_.distance(from, to) == kNone) {
        state_.in_flight -= p.flits;
        state_.drop(p);
        ready_.add(e);
        return;
    }
    if (free_packets_.empty()) {
        free_packets_.push_back(static_cast<std::uint32_t>(packets_.size()));
        packets_.emplace_back();
    }
    const std::uint32_t id = free_packets_.back();
    free_packets_.pop_back();
    packets_[id] = {p, to, 0, false, 0};
    sending_[e] = id;
    flits_left_[e] = p.flits;
    if (waiting_[from].empty()) senders_.push_back(from);
    waiting_[from].push_back(e);
}

Cycle DeflectionNetwork::step(Cycle now) {
    ready_.take_each([&](std::uint32_t e) {
        Packet p;
        if (sending_[e] == kNone && next_packet(e, now, p)) start(e, p);
    });
    // what arrives now, router by router; routers with something to send
    here_.clear();
    while (arriving_.due(now)) here_.push_back(arriving_.pop());
    std::sort(here_.begin(), here_.end());
    routers_.assign(senders_.begin(), senders_.end());
    for (const Arriving& a : here_) routers_.push_back(a.router);
    std::sort(routers_.begin(), routers_.end());
    routers_.erase(std::unique(routers_.begin(), routers_.end()), routers_.end());
    std::size_t at = 0;
    for (const std::uint32_t r : routers_) {
        flits_.clear();
        for (; at < here_.size() && here_[at].router == r; ++at) flits_.push_back(here_[at].packet);
        route(r, now);
    }
    std::erase_if(senders_, [&](std::uint32_t r) { return waiting_[r].empty(); });
    return senders_.empty() ? arriving_.next() : now + 1;
}

/// A packet that meets nobody always takes the first of the nearest ports.
DeflectionNetwork::Way DeflectionNetwork::straight_way(std::uint32_t from, std::uint32_t to) const {
    Way w;
    std::uint32_t r = topology_.router_of(from);
    const std::uint32_t end = topology_.router_of(to);
    w.found = !topology_.dead(r) && topology_.distance(r, end) != kNone;
    while (w.found && r != end) {
        const Channel& c = topology_.channel(r, nearest(r, end, links_of(r)));
        w.latency += c.latency;
        ++w.hops;
        r = c.peer;
    }
    return w;
}

unsigned DeflectionNetwork::zero_load_hops(EndpointId from, EndpointId to) const {
    return straight_way(index(from), index(to)).hops;
}

Cycles DeflectionNetwork::zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const {
    const Way w = straight_way(index(from), index(to));
    if (!w.found) return 0;
    return 1 + w.latency + w.hops + 1 + topology_.local_latency + (flits - 1);
}

std::string DeflectionNetwork::describe_stuck(std::size_t limit) const {
    if (state_.in_flight == 0) return "the network is empty";
    std::vector<std::string> lines;
    std::size_t outside = 0;
    for (std::uint32_t e = 0; e < sending_.size(); ++e) {
        if (sending_[e] == kNone) continue;
        outside += flits_left_[e];
        if (lines.size() >= limit) continue;
        lines.push_back(fmt::format("endpoint {}: {} flits of a packet to {} not yet in the network", e,
                                    flits_left_[e], packets_[sending_[e]].packet.destination.value));
    }
    lines.push_back(fmt::format("{} flits are between routers", state_.in_flight - outside));
    return fmt::format("{}", fmt::join(lines, "; "));
}

RouterKind deflection_router() {
    return {.name = "deflection", .make = make_router<DeflectionNetwork>, .keys = {"classes"}};
}

}  // namespace loom::noc
