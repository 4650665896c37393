// SPDX-License-Identifier: Apache-2.0
#include "noc/handshake_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "sim/base/error.hpp"

namespace loom::noc {

HandshakeNetwork::HandshakeNetwork(const arch::ChipSpec& spec, Topology topology)
    : PacketFabric(spec, std::move(topology), false),
      vcs_(static_cast<unsigned>(spec.noc.router.vcs)),
      depth_(static_cast<unsigned>(spec.noc.router.buffer)),
      n_ports_(topology_.max_ports()),
      rng_(1, 91) {
    if (vcs_ == 0 || vcs_ > 64) throw ConfigError(fmt::format("noc.router.vcs: {} is not in 1..64", vcs_));
    if (depth_ == 0) throw ConfigError("noc.router.buffer: 0 is not in 1..4096");
    routing_ = make_routing(spec_, topology_, 1);
    const std::string cycle = deadlock_cycle(spec_, topology_, *routing_);
    if (!cycle.empty()) {
        throw ConfigError(fmt::format("noc.routing: {} can deadlock on this {} without datelines: {}",
                                      spec_.routing, topology_.name, cycle));
    }
    if (routing_->several)
        throw ConfigError("noc.routing: the handshake router needs a deterministic routing function");
    const std::size_t ports = std::size_t{topology_.n_routers()} * n_ports_;
    inputs_.resize(ports);
    outputs_.resize(ports);
    buffers_.resize(ports * vcs_);
    full_.resize(ports * vcs_);
    reserved_out_.assign(ports * vcs_, kNoPort);
    sources_.resize(topology_.n_endpoints());
    is_active_.resize(topology_.n_routers());
}

void HandshakeNetwork::reset() {
    if (in_flight_ != 0) throw InternalError("the network is reset while packets are in it");
    for (Output& o : outputs_) o = {};
    for (Input& i : inputs_) i = {};
    std::fill(full_.begin(), full_.end(), std::uint8_t{0});
}

void HandshakeNetwork::activate(std::uint32_t r) {
    if (is_active_[r] != 0) return;
    is_active_[r] = 1;
    active_.push_back(r);
}

/// Heads at the front of their buffers ask for their output.
void HandshakeNetwork::reserve(std::uint32_t r, Cycle now) {
    const unsigned ports = topology_.n_ports(r);
    for (unsigned i = 0; i < ports; ++i) {
        const auto in = static_cast<unsigned>((now + i) % ports);
        for (unsigned k = 0; k < vcs_; ++k) {
            const auto vc = static_cast<unsigned>((now + k) % vcs_);
            const std::size_t b = port(r, in) * vcs_ + vc;
            if (buffers_[b].empty() || !buffers_[b].front().head || reserved_out_[b] != kNoPort) continue;
            PacketRecord record;
            const Packet& p = packets_[buffers_[b].front().packet];
            address(topology_, index(p.source), p.destination.value, record);
            const Route route = (*routing_)({r, in, 0, record});
            if (route.ports == 0) continue;
            const auto out = static_cast<unsigned>(std::countr_zero(route.ports));
            auto& list = outputs_[port(r, out)];
            const bool taken = std::any_of(list.reservations.begin(), list.reservations.end(),
                                           [&](const Reservation& x) { return x.vc == vc; });
            if (taken) continue;
            const Reservation entry{static_cast<std::uint8_t>(in), static_cast<std::uint8_t>(vc)};
            const auto at = std::lower_bound(list.reservations.begin(), list.reservations.end(), entry);
            const auto position = static_cast<std::size_t>(at - list.reservations.begin());
            if (!list.reservations.empty() && position <= list.index) ++list.index;
            list.reservations.insert(at, entry);
            reserved_out_[b] = static_cast<std::uint8_t>(out);
            ++count(p).vc_grants;
        }
    }
}

/// Every output serves the reservation at its index; every input sends at most one flit.
void HandshakeNetwork::forward(std::uint32_t r, Cycle now) {
    const unsigned ports = topology_.n_ports(r);
    std::array<std::uint8_t, 64> outs{};
    for (unsigned in = 0; in < ports; ++in) {
        unsigned n = 0;
        for (unsigned out = 0; out < ports; ++out) {
            const Output& o = outputs_[port(r, out)];
            if (!o.reservations.empty() && o.reservations[o.index].input == in)
                outs[n++] = static_cast<std::uint8_t>(out);
        }
        if (n == 0) continue;
        const unsigned pick =
            n == 1 ? 0 : rng_.word(std::uint64_t{r} * 64 + in, static_cast<std::uint32_t>(now)) % n;
        const Output& o = outputs_[port(r, outs[pick])];
        send(r, in, o.reservations[o.index].vc, outs[pick], now);
    }
    if (now % 2 == 0) return;
    for (unsigned out = 0; out < ports; ++out) {
        Output& o = outputs_[port(r, out)];
        if (!o.reservations.empty()) o.index = (o.index + 1) % o.reservations.size();
    }
}

bool HandshakeNetwork::send(std::uint32_t r, unsigned in, unsigned vc, unsigned out, Cycle now) {
    const std::size_t b = port(r, in) * vcs_ + vc;
    if (buffers_[b].empty()) return false;
    HFlit flit = buffers_[b].front();
    Packet& p = packets_[flit.packet];
    Output& o = outputs_[port(r, out)];
    const bool local = out >= topology_.link_ports();
    if (local) {
        if (o.free_at > now) return false;
        if (flit.head) p.head = static_cast<std::uint32_t>(now - 1);  // as the source counts cycles
        if (flit.tail) {
            if (!deliver(p.destination.value, now, p)) return false;
        }
        o.free_at = now + 2;
        ++count(p).local;
        ++count(p).ni_out;
        --in_flight_;
        if (flit.tail) free_packets_.push_back(flit.packet);
    } else {
        const Channel& c = topology_.channel(r, out);
        const std::size_t to = port(c.peer, c.peer_port);
        Input& link = inputs_[to];
        if (link.waiting || link.free_at > now || full_[to * vcs_ + vc] != 0) return false;
        link.waiting = true;
        link.sent = now;
        link.vc = vc;
        link.flit = flit;
        ++count(p).links[c.kind];
        if (flit.tail) ++p.hops;
        activate(c.peer);
    }
    buffers_[b].pop_front();
    touched_.push_back(b);
    buffer_cycles_[r] += now - flit.arrived;
    ++count(p).buffer_reads;
    ++count(p).crossbar;
    ++count(p).switch_grants;
    count_port(r, out);
    if (!flit.tail) return true;
    reserved_out_[b] = kNoPort;
    const auto at = std::find_if(o.reservations.begin(), o.reservations.end(),
                                 [&](const Reservation& x) { return x.input == in && x.vc == vc; });
    const auto removed = static_cast<std::size_t>(at - o.reservations.begin());
    o.reservations.erase(at);
    if (removed < o.index) {
        --o.index;
    } else if (o.index >= o.reservations.size()) {
        o.index = 0;
    }
    return true;
}

/// What is on the links goes into the buffers, and the acknowledge back.
void HandshakeNetwork::receive(std::uint32_t r, Cycle now) {
    for (unsigned in = 0; in < topology_.n_ports(r); ++in) {
        Input& link = inputs_[port(r, in)];
        const Cycles latency = in < topology_.link_ports() ? topology_.channel(r, in).latency : 1;
        if (!link.waiting || link.sent + latency > now) continue;
        const std::size_t b = port(r, in) * vcs_ + link.vc;
        if (buffers_[b].size() >= depth_) continue;
        link.flit.arrived = now;
        buffers_[b].push_back(link.flit);
        ++count(packets_[link.flit.packet]).buffer_writes;
        touched_.push_back(b);
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
        if (free_packets_.empty()) {
            free_packets_.push_back(static_cast<std::uint32_t>(packets_.size()));
            packets_.emplace_back();
        }
        s = {true, free_packets_.back(), 0,
             static_cast<std::uint8_t>(vcs_ == 1 ? 0 : rng_.word(p.axon, index(p.source), 3) % vcs_)};
        free_packets_.pop_back();
        packets_[s.packet] = p;
        in_flight_ += p.flits;
    }
    const Packet& p = packets_[s.packet];
    const std::uint32_t r = topology_.router_of(e);
    const std::size_t to = port(r, topology_.port_of(e));
    Input& link = inputs_[to];
    if (link.waiting || link.free_at > now || full_[to * vcs_ + s.vc] != 0) return true;
    link.waiting = true;
    link.sent = now;
    link.vc = s.vc;
    ++s.sent;
    link.flit = {s.packet, s.sent == 1, s.sent == p.flits, 0};
    ++count(p).ni_in;
    activate(r);
    if (s.sent == p.flits) s.busy = false;
    return s.busy || has_packet(e, now);
}

bool HandshakeNetwork::step(Cycle now) {
    const std::size_t n = active_.size();
    for (std::size_t i = 0; i < n; ++i) {
        reserve(active_[i], now);
        forward(active_[i], now);
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < ready_.size(); ++i) {
        const std::uint32_t e = ready_[i];
        if (inject(e, now)) {
            ready_[kept++] = e;
        } else {
            forget_ready(e);
        }
    }
    ready_.resize(kept);
    kept = 0;
    for (std::size_t i = 0; i < active_.size(); ++i) {
        const std::uint32_t r = active_[i];
        receive(r, now);
        bool work = false;
        for (unsigned p = 0; p < topology_.n_ports(r) && !work; ++p) {
            work = inputs_[port(r, p)].waiting;
            for (unsigned v = 0; v < vcs_ && !work; ++v) work = !buffer(r, p, v).empty();
        }
        if (work) {
            active_[kept++] = r;
        } else {
            is_active_[r] = 0;
        }
    }
    active_.resize(kept);
    for (const std::size_t b : touched_) full_[b] = buffers_[b].size() >= depth_ ? 1 : 0;
    touched_.clear();
    return !active_.empty() || !ready_.empty();
}

Cycles HandshakeNetwork::zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const {
    const Way w = way(index(from), index(to));
    if (!w.found) return 0;
    // to the interface 1, to the first router and out 2, per link its latency and a cycle, to the core
    return 1 + 2 + w.latency + w.hops + 2 * (flits - 1) + topology_.local_latency;
}

std::string HandshakeNetwork::describe_stuck(std::size_t limit) const {
    std::vector<std::string> lines;
    for (std::size_t b = 0; b < buffers_.size() && lines.size() < limit; ++b) {
        if (buffers_[b].empty()) continue;
        const auto r = static_cast<std::uint32_t>(b / vcs_ / n_ports_);
        const Packet& p = packets_[buffers_[b].front().packet];
        lines.push_back(fmt::format(
            "router {} port {} vc {}: {} flits; packet from endpoint {} to {} {}", topology_.router_name(r),
            topology_.port_name(static_cast<unsigned>(b / vcs_ % n_ports_)), b % vcs_, buffers_[b].size(),
            index(p.source), p.destination.value,
            reserved_out_[b] == kNoPort ? std::string("waits for a reservation")
                                        : "has reserved " + topology_.port_name(reserved_out_[b])));
    }
    return lines.empty() ? "the network is empty" : fmt::format("{}", fmt::join(lines, "; "));
}

}  // namespace loom::noc
