// SPDX-License-Identifier: Apache-2.0
#include "noc/deflection_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "sim/base/error.hpp"

namespace loom::noc {

DeflectionNetwork::DeflectionNetwork(const arch::ChipSpec& spec, Topology topology)
    : PacketFabric(spec, std::move(topology), false) {
    arch::NocSpec any =
        spec.noc;  // deflection has no routing function of its own; sets need ways to be counted
    any.routing = "auto";
    routing_ = make_routing(any, topology_, 2);
    if (topology_.n_routers() > 1 && topology_.link_ports() == 0)
        throw ConfigError("noc.topology: no links to deflect to");
    sending_.assign(topology_.n_endpoints(), kNone);
    flits_left_.resize(topology_.n_endpoints());
    waiting_.resize(topology_.n_routers());
}

void DeflectionNetwork::reset() {
    if (in_flight_ != 0) throw InternalError("the network is reset while packets are in it");
}

bool DeflectionNetwork::older(std::uint32_t a, std::uint32_t b) const {
    const Packet &p = packets_[a].packet, &q = packets_[b].packet;
    if (p.entered != q.entered) return p.entered < q.entered;
    if (p.source != q.source) return p.source < q.source;
    return p.axon != q.axon ? p.axon < q.axon : a < b;
}

/// Into the core, if it is here and the local port is free in this cycle.
bool DeflectionNetwork::eject(std::uint32_t r, std::uint32_t id, Cycle now, std::uint64_t& used) {
    Travelling& t = packets_[id];
    if (t.router != r) return false;
    const std::uint32_t to = t.packet.destination.value;
    const std::uint64_t bit = std::uint64_t{1} << topology_.port_of(to);
    if ((used & bit) != 0) return false;
    if (t.flits_in + 1 == t.packet.flits) {
        t.packet.hops = static_cast<std::uint16_t>(t.hops / t.packet.flits);
        if (!deliver(to, now + 1, t.packet)) return false;
    }
    used |= bit;
    ++t.flits_in;
    ++count(t.packet).local;
    ++count(t.packet).ni_out;
    ++count(t.packet).crossbar;
    count_port(r, topology_.port_of(to));
    --in_flight_;
    if (t.flits_in == t.packet.flits) free_packets_.push_back(id);
    return true;
}

/// By the nearest port that is free.
void DeflectionNetwork::send(std::uint32_t r, std::uint32_t id, Cycle now, std::uint64_t& free) {
    Travelling& t = packets_[id];
    unsigned best = kNoPort;
    std::uint32_t nearest = kNone;
    for (std::uint64_t m = free; m != 0; m &= m - 1) {
        const auto p = static_cast<unsigned>(std::countr_zero(m));
        const std::uint32_t d = topology_.distance(topology_.channel(r, p).peer, t.router);
        if (best == kNoPort || d < nearest) {
            best = p;
            nearest = d;
        }
    }
    if (best == kNoPort) throw InternalError("a deflection router has more flits than links");
    free &= ~(std::uint64_t{1} << best);
    const Channel& c = topology_.channel(r, best);
    ++count(t.packet).links[c.kind];
    ++count(t.packet).crossbar;
    count_port(r, best);
    ++t.hops;
    arriving_.push({now + 1 + c.latency, c.peer, id});
}

void DeflectionNetwork::route(std::uint32_t r, std::vector<std::uint32_t>& flits, Cycle now) {
    std::sort(flits.begin(), flits.end(), [&](auto a, auto b) { return older(a, b); });
    std::uint64_t free = 0, used = 0;
    for (unsigned p = 0; p < topology_.link_ports(); ++p)
        free |= topology_.channel(r, p).peer == kNone ? 0 : std::uint64_t{1} << p;
    std::erase_if(flits, [&](std::uint32_t id) { return eject(r, id, now, used); });
    for (const std::uint32_t id : flits) send(r, id, now, free);
    // a core may send when a link is left
    auto& waiting = waiting_[r];
    for (std::size_t i = 0; i < waiting.size();) {
        const std::uint32_t e = waiting[i];
        const std::uint32_t id = sending_[e];
        Travelling& t = packets_[id];
        const std::uint16_t before = flits_left_[e];
        const auto account = [&] {
            ++count(t.packet).ni_in;
            ++in_flight_;
            --flits_left_[e];
        };
        if (t.router == r) {
            account();
            if (!eject(r, id, now, used)) {
                --count(t.packet).ni_in;
                --in_flight_;
                ++flits_left_[e];
            }
        } else if (free != 0) {
            account();
            send(r, id, now, free);
        }
        if (before != flits_left_[e] && flits_left_[e] == 0) {
            sending_[e] = kNone;
            keep_ready(e);
            waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
            ++i;
        }
    }
    if (waiting.size() > 1) std::rotate(waiting.begin(), waiting.begin() + 1, waiting.end());
}

bool DeflectionNetwork::step(Cycle now) {
    std::vector<std::uint32_t> ready;
    ready.swap(ready_);
    for (const std::uint32_t e : ready) {
        forget_ready(e);
        if (sending_[e] != kNone) continue;
        Packet p;
        if (!next_packet(e, now, p)) continue;
        if (free_packets_.empty()) {
            free_packets_.push_back(static_cast<std::uint32_t>(packets_.size()));
            packets_.emplace_back();
        }
        const std::uint32_t id = free_packets_.back();
        free_packets_.pop_back();
        packets_[id] = {p, topology_.router_of(p.destination.value), 0, 0};
        sending_[e] = id;
        flits_left_[e] = p.flits;
        waiting_[topology_.router_of(e)].push_back(e);
    }
    // what arrives now, router by router; routers with something to send
    routers_.clear();
    for (std::uint32_t e = 0; e < sending_.size(); ++e) {
        if (sending_[e] != kNone) routers_.push_back(topology_.router_of(e));
    }
    std::vector<Arriving> here;
    while (!arriving_.empty() && arriving_.top().at <= now) {
        here.push_back(arriving_.top());
        routers_.push_back(arriving_.top().router);
        arriving_.pop();
    }
    std::sort(routers_.begin(), routers_.end());
    routers_.erase(std::unique(routers_.begin(), routers_.end()), routers_.end());
    std::size_t at = 0;
    std::vector<std::uint32_t> flits;
    for (const std::uint32_t r : routers_) {
        flits.clear();
        for (; at < here.size() && here[at].router == r; ++at) flits.push_back(here[at].packet);
        route(r, flits, now);
    }
    return in_flight_ != 0 || !ready_.empty() || !routers_.empty();
}

Cycles DeflectionNetwork::zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const {
    const Way w = way(index(from), index(to));
    if (!w.found) return 0;
    return 1 + w.latency + w.hops + 1 + topology_.local_latency + (flits - 1);
}

std::string DeflectionNetwork::describe_stuck(std::size_t limit) const {
    std::vector<std::string> lines;
    for (std::uint32_t e = 0; e < sending_.size() && lines.size() < limit; ++e) {
        if (sending_[e] == kNone) continue;
        lines.push_back(fmt::format("endpoint {}: {} flits of a packet to {} not yet in the network", e,
                                    flits_left_[e], packets_[sending_[e]].packet.destination.value));
    }
    lines.push_back(fmt::format("{} flits are between routers", in_flight_));
    return fmt::format("{}", fmt::join(lines, "; "));
}

}  // namespace loom::noc
