// SPDX-License-Identifier: Apache-2.0
#include "noc/fabrics/handshake_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/key_error.hpp"
#include "noc/router_kind.hpp"
#include "noc/routing/way.hpp"

namespace loom::noc {

HandshakeNetwork::HandshakeNetwork(const arch::ChipSpec& spec, Topology topology)
    : PacketFabric(spec, std::move(topology), {}),
      vcs_(static_cast<unsigned>(spec.noc.router.vcs)),
      depth_(static_cast<unsigned>(spec.noc.router.buffer)),
      active_(topology_.n_routers()),
      rng_(1, 91) {
    if (vcs_ == 0 || vcs_ > 64) throw KeyError("noc.router.vcs", fmt::format("{} is not in 1..64", vcs_));
    if (depth_ == 0 || depth_ > 4096)
        throw KeyError("noc.router.buffer", fmt::format("{} is not in 1..4096", depth_));
    routing_ = make_routing(spec_, topology_, 1);
    const std::string cycle = deadlock_cycle(spec_, topology_, *routing_);
    if (!cycle.empty()) {
        throw KeyError("noc.routing", fmt::format("{} can deadlock on this {} without datelines: {}",
                                                  spec_.routing, topology_.name, cycle));
    }
    if (routing_->several)
        throw KeyError("noc.routing", "the handshake router needs a deterministic routing function");
    const std::size_t ports = std::size_t{topology_.n_routers()} * n_ports_;
    inputs_.resize(ports);
    outputs_.resize(ports);
    buffers_.resize(ports * vcs_);
    places_.resize(ports * vcs_ * depth_);
    sources_.resize(topology_.n_endpoints());
}

void HandshakeNetwork::reset() {
    PacketFabric::reset();
    for (Output& o : outputs_) {
        o.reservations.clear();
        o.index = 0;
        o.free_at = 0;
    }
    for (Input& i : inputs_) i = {};
    for (Buffer& b : buffers_) b = {};
}

void HandshakeNetwork::push(std::size_t b, const HFlit& flit) {
    Buffer& q = buffers_[b];
    unsigned place = q.first + q.size;
    if (place >= depth_) place -= depth_;
    places_[b * depth_ + place] = flit;
    ++q.size;
    touched_.push_back(b);
}

void HandshakeNetwork::pop(std::size_t b) {
    Buffer& q = buffers_[b];
    q.first = static_cast<std::uint16_t>(q.first + 1u == depth_ ? 0u : q.first + 1u);
    --q.size;
    touched_.push_back(b);
}

/// Heads at the front of their buffers ask for their output, in an order that turns every cycle.
void HandshakeNetwork::reserve(std::uint32_t r, Cycle now) {
    const unsigned ports = topology_.n_ports(r);
    const auto first_port = static_cast<unsigned>(age(now) % ports);
    const auto first_vc = static_cast<unsigned>(age(now) % vcs_);
    for (unsigned i = 0; i < ports; ++i) {
        const unsigned in = first_port + i < ports ? first_port + i : first_port + i - ports;
        for (unsigned k = 0; k < vcs_; ++k) {
            const unsigned vc = first_vc + k < vcs_ ? first_vc + k : first_vc + k - vcs_;
            const std::size_t b = port_at(r, in) * vcs_ + vc;
            if (buffers_[b].size == 0) continue;
            if (buffers_[b].dropping) {
                drop_front(b);
            } else if (front(b).head && buffers_[b].reserved == kNoPort) {
                reserve_for(r, in, vc);
            }
        }
    }
}

void HandshakeNetwork::reserve_for(std::uint32_t r, unsigned in, unsigned vc) {
    const std::size_t b = port_at(r, in) * vcs_ + vc;
    Buffer& q = buffers_[b];
    if (q.wants == kNoPort) {
        const Route route = (*routing_)({r, in, 0, packets_[front(b).packet].record});
        if (route.ports == 0) {
            q.dropping = true;
            return;
        }
        q.wants = static_cast<std::uint8_t>(std::countr_zero(route.ports));
    }
    Output& o = outputs_[port_at(r, q.wants)];
    const bool taken = std::any_of(o.reservations.begin(), o.reservations.end(),
                                   [&](const Reservation& x) { return x.vc == vc; });
    if (taken) return;
    const Reservation entry{static_cast<std::uint8_t>(in), static_cast<std::uint8_t>(vc)};
    const auto at = std::lower_bound(o.reservations.begin(), o.reservations.end(), entry);
    const auto position = static_cast<std::size_t>(at - o.reservations.begin());
    if (!o.reservations.empty() && position <= o.index) ++o.index;
    o.reservations.insert(at, entry);
    q.reserved = q.wants;
    q.wants = kNoPort;
    ++count(packet(b)).vc_grants;
}

/// A flit of a packet for which there is no way.
void HandshakeNetwork::drop_front(std::size_t b) {
    const HFlit flit = front(b);
    pop(b);
    --state_.in_flight;
    if (!flit.tail) return;
    buffers_[b].dropping = false;
    state_.drop(packets_[flit.packet].record.packet);
    packets_.release(flit.packet);
}

/// Every output serves the reservation at its index; every input sends at most one flit.
void HandshakeNetwork::forward(std::uint32_t r, Cycle now) {
    const unsigned ports = topology_.n_ports(r);
    std::array<std::uint8_t, 64> outs{};
    for (unsigned in = 0; in < ports; ++in) {
        unsigned n = 0;
        for (unsigned out = 0; out < ports; ++out) {
            const Output& o = outputs_[port_at(r, out)];
            if (!o.reservations.empty() && o.reservations[o.index].input == in)
                outs[n++] = static_cast<std::uint8_t>(out);
        }
        if (n == 0) continue;
        const unsigned pick =
            n == 1 ? 0 : rng_.word(std::uint64_t{r} * 64 + in, static_cast<std::uint32_t>(age(now))) % n;
        const Output& o = outputs_[port_at(r, outs[pick])];
        send(r, in, o.reservations[o.index].vc, outs[pick], now);
    }
    if (age(now) % 2 == 0) return;
    for (unsigned out = 0; out < ports; ++out) {
        Output& o = outputs_[port_at(r, out)];
        if (!o.reservations.empty()) o.index = (o.index + 1) % o.reservations.size();
    }
}

bool HandshakeNetwork::send_to_core(std::size_t b, Output& o, Cycle now) {
    if (o.free_at > now) return false;
    const HFlit flit = front(b);
    const bool broken = packets_[flit.packet].is_damaged;
    Packet& p = packet(b);
    if (flit.head) p.head = static_cast<std::uint32_t>(now - 1);  // as the source counts cycles
    if (flit.tail && !broken && !deliver(p.destination.value, now, now, p)) return false;
    if (flit.tail && broken) state_.drop(p);
    o.free_at = now + 2;
    ++count(p).local;
    ++count(p).ni_out;
    --state_.in_flight;
    return true;
}

bool HandshakeNetwork::send_to_link(std::uint32_t r, std::size_t b, unsigned vc, unsigned out, Cycle now) {
    const Channel& c = topology_.channel(r, out);
    const std::size_t to = port_at(c.peer, c.peer_port);
    Input& link = inputs_[to];
    if (link.waiting || link.free_at > now || buffers_[to * vcs_ + vc].full) return false;
    Packet& p = packet(b);
    link.waiting = true;
    link.sent = now;
    link.vc = vc;
    link.flit = front(b);
    ++count(p).links[c.kind];
    if (link.flit.tail) ++p.hops;
    active_.add(c.peer);
    return true;
}

bool HandshakeNetwork::send(std::uint32_t r, unsigned in, unsigned vc, unsigned out, Cycle now) {
    const std::size_t b = port_at(r, in) * vcs_ + vc;
    if (buffers_[b].size == 0) return false;
    Output& o = outputs_[port_at(r, out)];
    const bool core = out >= topology_.link_ports();
    if (core ? !send_to_core(b, o, now) : !send_to_link(r, b, vc, out, now)) return false;
    const HFlit flit = front(b);
    NocCounters& c = count(packets_[flit.packet].record.packet);
    ++c.buffer_reads;
    ++c.crossbar;
    ++c.switch_grants;
    count_port(r, out);
    if (!core && damaged(r, out)) packets_[flit.packet].is_damaged = true;
    pop(b);
    buffer_cycles_[r] += now - flit.arrived;
    if (!flit.tail) return true;
    if (core) packets_.release(flit.packet);
    give_back(b, in, vc, o);
    return true;
}

/// A tail has left: the reservation ends.
void HandshakeNetwork::give_back(std::size_t b, unsigned in, unsigned vc, Output& o) {
    buffers_[b].reserved = kNoPort;
    const auto at = std::find_if(o.reservations.begin(), o.reservations.end(),
                                 [&](const Reservation& x) { return x.input == in && x.vc == vc; });
    const auto removed = static_cast<std::size_t>(at - o.reservations.begin());
    o.reservations.erase(at);
    if (removed < o.index) {
        --o.index;
    } else if (o.index >= o.reservations.size()) {
        o.index = 0;
    }
}

/// What is on the links goes into the buffers, and the acknowledge back.
void HandshakeNetwork::receive(std::uint32_t r, Cycle now) {
    for (unsigned in = 0; in < topology_.n_ports(r); ++in) {
        Input& link = inputs_[port_at(r, in)];
        const Cycles latency = in < topology_.link_ports() ? topology_.channel(r, in).latency : 1;
        if (!link.waiting || link.sent + latency > now) continue;
        const std::size_t b = port_at(r, in) * vcs_ + link.vc;
        if (buffers_[b].size >= depth_) continue;
        link.flit.arrived = now;
        push(b, link.flit);
        ++count(packets_[link.flit.packet].record.packet).buffer_writes;
        link.waiting = false;
        link.free_at = now + latency;
    }
}

/// A core sends the next flit over its link. True when it has to be asked again.
bool HandshakeNetwork::inject(std::uint32_t e, Cycle now) {
    Source& s = sources_[e];
    if (!s.busy) {
        Packet p;
        if (!next_packet(e, now, p)) return false;
        s = {true, packets_.allocate(), 0,
             static_cast<std::uint8_t>(vcs_ == 1 ? 0 : rng_.word(p.axon, index(p.source), 3) % vcs_)};
        Travelling& t = packets_[s.packet];
        t.is_damaged = false;
        address(topology_, e, p.destination.value, t.record);
        t.record.packet = p;
        t.record.entered = static_cast<std::uint32_t>(age(now));
    }
    const Packet& p = packets_[s.packet].record.packet;
    const std::uint32_t r = topology_.router_of(e);
    const std::size_t to = port_at(r, topology_.port_of(e));
    Input& link = inputs_[to];
    if (link.waiting || link.free_at > now || buffers_[to * vcs_ + s.vc].full) return true;
    link.waiting = true;
    link.sent = now;
    link.vc = s.vc;
    ++s.sent;
    link.flit = {s.packet, s.sent == 1, s.sent == p.flits, 0};
    ++count(p).ni_in;
    active_.add(r);
    if (s.sent == p.flits) s.busy = false;
    return s.busy || has_packet(e, now);
}

bool HandshakeNetwork::has_work(std::uint32_t r) const {
    for (unsigned p = 0; p < topology_.n_ports(r); ++p) {
        if (inputs_[port_at(r, p)].waiting) return true;
        for (unsigned v = 0; v < vcs_; ++v) {
            if (buffers_[port_at(r, p) * vcs_ + v].size != 0) return true;
        }
    }
    return false;
}

Cycle HandshakeNetwork::step(Cycle now) {
    for (std::size_t i = 0, n = active_.size(); i < n; ++i) {
        reserve(active_[i], now);
        forward(active_[i], now);
    }
    // relays that arrive in this cycle are listed behind those that are asked now
    ready_.keep_if([&](std::uint32_t e) { return inject(e, now); });
    active_.keep_if([&](std::uint32_t r) {
        receive(r, now);
        return has_work(r);
    });
    for (const std::size_t b : touched_) buffers_[b].full = buffers_[b].size >= depth_;
    touched_.clear();
    return active_.empty() ? kNever : now + 1;
}

Cycles HandshakeNetwork::zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const {
    const WayCost w = cost_of(topology_, way_of(*routing_, index(from), index(to)));
    if (!w.found) return 0;
    // to the interface 1, to the first router and out 2, per link its latency and a cycle, to the core; a
    // further flit takes the longest link there and back
    const Cycles loop = 2 * std::max<Cycles>(1, w.longest);
    return 1 + 2 + w.latency + w.hops + loop * (flits - 1) + topology_.local_latency;
}

std::string HandshakeNetwork::describe_stuck(std::size_t limit) const {
    std::vector<std::string> lines;
    for (std::size_t b = 0; b < buffers_.size() && lines.size() < limit; ++b) {
        if (buffers_[b].size == 0) continue;
        const auto r = static_cast<std::uint32_t>(b / vcs_ / n_ports_);
        const Packet& p = packets_[front(b).packet].record.packet;
        lines.push_back(fmt::format(
            "router {} port {} vc {}: {} flits; packet from endpoint {} to {} {}", topology_.router_name(r),
            topology_.port_name(static_cast<unsigned>(b / vcs_ % n_ports_)), b % vcs_, buffers_[b].size,
            index(p.source), p.destination.value,
            buffers_[b].reserved == kNoPort ? std::string("waits for a reservation")
                                            : "has reserved " + topology_.port_name(buffers_[b].reserved)));
    }
    return lines.empty() ? "the network is empty" : fmt::format("{}", fmt::join(lines, "; "));
}

RouterKind handshake_router() {
    return {.name = "handshake", .make = make_router<HandshakeNetwork>, .keys = {"vcs", "buffer", "classes"}};
}

}  // namespace loom::noc
