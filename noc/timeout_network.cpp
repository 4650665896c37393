// SPDX-License-Identifier: Apache-2.0
#include "noc/timeout_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "noc/slow_link.hpp"
#include "sim/base/error.hpp"

namespace loom::noc {
namespace {

/// The two other sides of the triangle of a link: ports +x -x +y -y +x+y -x-y.
constexpr std::array<std::pair<unsigned, unsigned>, 6> kTriangle{
    {{4, 3}, {5, 2}, {4, 1}, {5, 0}, {0, 2}, {1, 3}}};

}  // namespace

TimeoutNetwork::TimeoutNetwork(const arch::ChipSpec& spec, Topology topology)
    : PacketFabric(spec, std::move(topology), true) {
    if (spec.noc.router.buffer == 0) throw ConfigError("noc.router.buffer: 0 is not in 1..4096");
    if (spec.noc.router.wait2 > 0 && !topology_.diagonals) {
        throw ConfigError("noc.router.wait2: emergency routes need the triangles of topology: triangular");
    }
    routing_ = make_routing(spec_, topology_, 2);
    if (routing_->several)
        throw ConfigError("noc.routing: the timeout router needs a deterministic routing function");
    routing_->uses_halves = false;  // no virtual channels: what would be a deadlock is dropped
    routers_.resize(topology_.n_routers());
    for (Router& r : routers_) {
        r.inputs.resize(topology_.max_ports());
        r.free_ps.resize(topology_.max_ports());
    }
    room_.assign(topology_.n_routers(),
                 std::vector<std::uint16_t>(topology_.max_ports(),
                                            static_cast<std::uint16_t>(spec.noc.router.buffer)));
}

void TimeoutNetwork::reset() {
    if (in_flight_ != 0) throw InternalError("the network is reset while packets are in it");
    for (Router& r : routers_) {
        std::fill(r.free_ps.begin(), r.free_ps.end(), std::uint64_t{0});
        r.next_input = 0;
    }
}

void TimeoutNetwork::activate(std::uint32_t r) {
    if (routers_[r].active) return;
    routers_[r].active = true;
    active_.push_back(r);
}

std::uint64_t TimeoutNetwork::route(std::uint32_t r, const Queued& q) {
    if (q.emergency != kNoPort) return std::uint64_t{1} << q.emergency;
    if (q.ports != 0) return q.ports;
    if (q.packet.destination.kind == Destination::Kind::Set) {
        if (sets_->style() == MulticastStyle::Table) ++count(q.packet).table_lookups;
        return sets_->route(q.packet.destination.value, r, q.in_port).ports;
    }
    PacketRecord record;
    record.packet = q.packet;
    address(topology_, index(q.packet.source), q.packet.destination.value, record);
    return (*routing_)({r, q.in_port, 0, record}).ports;
}

/// Deliveries that are lost with a copy by this port.
std::uint64_t TimeoutNetwork::deliveries_behind(const Packet& p, std::uint32_t r, unsigned port) const {
    if (p.destination.kind != Destination::Kind::Set) return 1;
    std::uint64_t n = 0;
    std::vector<std::pair<std::uint32_t, unsigned>> todo{{r, port}};
    while (!todo.empty()) {
        const auto [router, out] = todo.back();
        todo.pop_back();
        if (out >= topology_.link_ports()) {
            ++n;
            continue;
        }
        const Channel& c = topology_.channel(router, out);
        for (std::uint64_t m = sets_->route(p.destination.value, c.peer, c.peer_port).ports; m != 0;
             m &= m - 1)
            todo.emplace_back(c.peer, static_cast<unsigned>(std::countr_zero(m)));
    }
    return n;
}

bool TimeoutNetwork::try_link(std::uint32_t r, unsigned port, const Queued& item, std::uint8_t emergency,
                              Cycle now) {
    Router& router = routers_[r];
    const double now_ps = static_cast<double>(now) * period_;
    if (static_cast<double>(router.free_ps[port]) > now_ps) return false;
    if (port >= topology_.link_ports()) {
        const std::uint32_t base = r * topology_.cores_per_router();
        std::uint32_t to = base + port - topology_.link_ports();
        if (topology_.router_of(topology_.n_cores()) == r && port == topology_.port_of(topology_.n_cores()))
            to = topology_.n_cores();
        const bool stray = item.packet.destination.kind == Destination::Kind::Set &&
                           sets_->style() == MulticastStyle::Region &&
                           !sets_->contains(item.packet.destination.value, to);
        if (stray) {
            ++count(item.packet).filtered;
        } else if (!deliver(to, now + 1, item.packet)) {
            return false;
        }
        ++count(item.packet).local;
        ++count(item.packet).ni_out;
    } else {
        const Channel& c = topology_.channel(r, port);
        if (c.peer == kNone || room_[c.peer][c.peer_port] == 0) return false;
        --room_[c.peer][c.peer_port];
        Queued copy{item.packet, static_cast<std::uint8_t>(c.peer_port), emergency, 0, 0};
        ++copy.packet.hops;
        ++count(item.packet).links[c.kind];
        ++in_flight_;
        arriving_.push({now + 1 + c.latency, order_++, c.peer, copy});
        const auto flit_ps = c.flit_ps != 0 ? c.flit_ps : static_cast<std::uint64_t>(std::llround(period_));
        router.free_ps[port] = next_free(router.free_ps[port], now_ps, period_, flit_ps);
    }
    ++count(item.packet).crossbar;
    count_port(r, port);
    return true;
}

/// What has waited long enough is dropped, or put aside to be injected again.
void TimeoutNetwork::give_up(std::uint32_t r, Cycle now) {
    Stage& s = routers_[r].stage;
    NocCounters& c = count(s.item.packet);
    if (spec_.router.reinject > 0) {
        ++c.reinjected;
        Queued again = s.item;
        again.emergency = kNoPort;
        again.ports = s.ports;
        ++in_flight_;
        arriving_.push({now + spec_.router.reinject, order_++, r, again});
    } else {
        for (std::uint64_t m = s.ports; m != 0; m &= m - 1)
            c.packets_dropped +=
                deliveries_behind(s.item.packet, r, static_cast<unsigned>(std::countr_zero(m)));
    }
    s.ports = 0;
}

void TimeoutNetwork::work(std::uint32_t r, Cycle now) {
    Router& router = routers_[r];
    Stage& s = router.stage;
    if (!s.busy) {
        const auto n = static_cast<unsigned>(router.inputs.size());
        for (unsigned i = 0; i < n; ++i) {
            const unsigned in = (router.next_input + i) % n;
            auto& queue = router.inputs[in];
            if (queue.empty()) continue;
            s.item = queue.front();
            queue.pop_front();
            if (s.item.ports == 0 || s.item.emergency != kNoPort) ++room_[r][s.item.in_port];
            buffer_cycles_[r] += now - s.item.arrived;
            ++count(s.item.packet).buffer_reads;
            s.busy = true;
            s.since = now;
            s.ports = route(r, s.item);
            if (s.ports == 0) ++count(s.item.packet).packets_dropped;
            router.next_input = (in + 1) % n;
            break;
        }
    }
    if (!s.busy) return;
    for (std::uint64_t m = s.ports; m != 0; m &= m - 1) {
        const auto port = static_cast<unsigned>(std::countr_zero(m));
        bool sent = false;
        const bool local = port >= topology_.link_ports();
        if (local || topology_.channel(r, port).peer != kNone) {
            // an emergency packet comes out of its detour as if it had taken the straight link
            sent = try_link(r, port, s.item, kNoPort, now);
        }
        if (!sent && !local && spec_.router.wait2 > 0 && now >= s.since + spec_.router.wait1 &&
            s.item.emergency == kNoPort) {
            const auto [first, second] = kTriangle[port];
            if (topology_.channel(r, first).peer != kNone)
                sent = try_link(r, first, s.item, static_cast<std::uint8_t>(second), now);
        }
        if (sent) s.ports &= ~(std::uint64_t{1} << port);
    }
    if (s.ports != 0 && now >= s.since + spec_.router.wait1 + spec_.router.wait2) give_up(r, now);
    if (s.ports != 0) return;
    s.busy = false;
    --in_flight_;
}

bool TimeoutNetwork::step(Cycle now) {
    while (!arriving_.empty() && arriving_.top().at <= now) {
        const Arriving& a = arriving_.top();
        Queued item = a.item;
        item.arrived = now;
        // after the second leg the packet arrives as over the straight link
        ++count(item.packet).buffer_writes;
        routers_[a.router].inputs[item.in_port].push_back(item);
        activate(a.router);
        arriving_.pop();
    }
    std::vector<std::uint32_t> ready;
    ready.swap(ready_);
    for (const std::uint32_t e : ready) {
        forget_ready(e);
        const std::uint32_t r = topology_.router_of(e);
        const unsigned port = topology_.port_of(e);
        Packet p;
        if (room_[r][port] == 0) {
            keep_ready(e);
            continue;
        }
        if (!next_packet(e, now, p)) continue;
        if (p.flits != 1) throw ModelError("the timeout router carries single-flit packets; use flits: 1");
        --room_[r][port];
        ++in_flight_;
        ++count(p).ni_in;
        arriving_.push({now + 1, order_++, r, {p, static_cast<std::uint8_t>(port), kNoPort, 0, 0}});
        if (has_packet(e, now)) keep_ready(e);
    }
    std::sort(active_.begin(), active_.end());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < active_.size(); ++i) {
        const std::uint32_t r = active_[i];
        work(r, now);
        bool more = routers_[r].stage.busy;
        for (const auto& q : routers_[r].inputs) more |= !q.empty();
        routers_[r].active = more;
        if (more) active_[kept++] = r;
    }
    active_.resize(kept);
    return !active_.empty() || !arriving_.empty() || !ready_.empty();
}

Cycles TimeoutNetwork::zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const {
    const Way w = way(index(from), index(to));
    if (!w.found || flits != 1) return 0;
    return 1 + 1 + w.latency + w.hops + 1 + topology_.local_latency;
}

std::string TimeoutNetwork::describe_stuck(std::size_t limit) const {
    std::vector<std::string> lines;
    for (std::uint32_t r = 0; r < routers_.size() && lines.size() < limit; ++r) {
        const Stage& s = routers_[r].stage;
        if (!s.busy) continue;
        lines.push_back(fmt::format("router {}: a packet from endpoint {} waits since cycle {} for port {}",
                                    topology_.router_name(r), index(s.item.packet.source), s.since,
                                    topology_.port_name(static_cast<unsigned>(std::countr_zero(s.ports)))));
    }
    return lines.empty() ? "the network is empty" : fmt::format("{}", fmt::join(lines, "; "));
}

}  // namespace loom::noc
