// SPDX-License-Identifier: Apache-2.0
#include "noc/fabrics/timeout_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/error.hpp"
#include "base/key_error.hpp"
#include "noc/round_robin.hpp"
#include "noc/router_kind.hpp"
#include "noc/routing/way.hpp"
#include "noc/slow_link.hpp"

namespace loom::noc {
namespace {

/// The two other sides of the triangle of a link: ports +x -x +y -y +x+y -x-y.
constexpr std::array<std::pair<unsigned, unsigned>, 6> kTriangle{
    {{4, 3}, {5, 2}, {4, 1}, {5, 0}, {0, 2}, {1, 3}}};

}  // namespace

TimeoutNetwork::TimeoutNetwork(const arch::ChipSpec& spec, Topology topology)
    : PacketFabric(spec, std::move(topology), {.trees = true}), active_(topology_.n_routers()) {
    if (spec.noc.router.buffer == 0 || spec.noc.router.buffer > 4096)
        throw KeyError("noc.router.buffer", fmt::format("{} is not in 1..4096", spec.noc.router.buffer));
    if (spec.noc.router.wait2 > 0 && !topology_.diagonals) {
        throw KeyError("noc.router.wait2", "emergency routes need the triangles of topology: triangular");
    }
    routing_ = make_routing(spec_, topology_, 2);
    if (routing_->several)
        throw KeyError("noc.routing", "the timeout router needs a deterministic routing function");
    routing_->uses_halves = false;
    routers_.resize(topology_.n_routers());
    queues_.resize(std::size_t{topology_.n_routers()} * n_ports_);
    free_ps_.resize(queues_.size());
    room_.assign(queues_.size(), static_cast<std::uint16_t>(spec.noc.router.buffer));
}

void TimeoutNetwork::reset() {
    PacketFabric::reset();
    std::fill(free_ps_.begin(), free_ps_.end(), std::uint64_t{0});
    for (Router& r : routers_) r.next_input = 0;
}

std::uint32_t TimeoutNetwork::core_at(std::uint32_t r, unsigned port) const {
    const std::uint32_t host = topology_.n_cores();
    if (topology_.router_of(host) == r && port == topology_.port_of(host)) return host;
    return r * topology_.cores_per_router() + port - topology_.link_ports();
}

/// In the region, but not a member.
bool TimeoutNetwork::is_stray(const Packet& p, std::uint32_t endpoint) const {
    return p.destination.kind == Destination::Kind::Set && sets_->style() == MulticastStyle::Region &&
           !sets_->contains(p.destination.value, endpoint);
}

std::uint64_t TimeoutNetwork::route(std::uint32_t r, Item& item) {
    if (item.ports != 0) return item.ports;
    const Packet& p = item.packet();
    if (p.destination.kind == Destination::Kind::Endpoint)
        return (*routing_)({r, item.in_port, 0, item.record}).ports;
    if (sets_->style() == MulticastStyle::Table) ++count(p).table_lookups;
    return sets_->route(p.destination.value, r, item.in_port).ports;
}

/// Deliveries that are lost with a copy by this port.
std::uint64_t TimeoutNetwork::deliveries_behind(const Item& item, std::uint32_t r, unsigned port) const {
    const Packet& p = item.packet();
    if (p.destination.kind != Destination::Kind::Set) return 1;
    std::uint64_t n = 0;
    struct Copy {
        std::uint32_t router;
        unsigned out, straight;
    };
    std::vector<Copy> todo{{r, port, item.straight}};
    while (!todo.empty()) {
        const Copy copy = todo.back();
        todo.pop_back();
        if (copy.out >= topology_.link_ports()) {
            if (!is_stray(p, core_at(copy.router, copy.out))) ++n;
            continue;
        }
        const Channel& c = topology_.channel(copy.router, copy.out);
        const unsigned in = copy.straight != kNoPort ? copy.straight : c.peer_port;
        for (std::uint64_t m = sets_->route(p.destination.value, c.peer, in).ports; m != 0; m &= m - 1)
            todo.push_back({c.peer, static_cast<unsigned>(std::countr_zero(m)), kNoPort});
    }
    return n;
}

bool TimeoutNetwork::try_core(std::uint32_t r, unsigned port, Cycle now) {
    const Item& item = items_[routers_[r].item];
    const std::uint32_t to = core_at(r, port);
    NocCounters& c = count(item.packet());
    if (is_stray(item.packet(), to)) {
        ++c.filtered;
    } else if (item.is_damaged) {
        state_.drop(item.packet());
    } else if (!deliver(to, now, now + 1, item.packet())) {
        return false;
    }
    ++c.local;
    ++c.ni_out;
    ++c.crossbar;
    count_port(r, port);
    return true;
}

/// A copy by a link; on its way round another one, if `instead_of` is a port.
bool TimeoutNetwork::try_link(std::uint32_t r, unsigned port, unsigned instead_of, Cycle now) {
    const Channel& c = topology_.channel(r, port);
    if (c.peer == kNone || room_[port_at(c.peer, c.peer_port)] == 0) return false;
    std::uint64_t& free_ps = free_ps_[port_at(r, port)];
    const double now_ps = static_cast<double>(now) * period_;
    if (static_cast<double>(free_ps) > now_ps) return false;
    if (c.flit_ps != 0) free_ps = next_free(free_ps, now_ps, period_, c.flit_ps);
    --room_[port_at(c.peer, c.peer_port)];
    const std::uint32_t id = items_.allocate();
    Item& copy = items_[id];
    const Item& item = items_[routers_[r].item];
    copy.record = item.record;
    ++copy.record.packet.hops;
    copy.place = static_cast<std::uint8_t>(c.peer_port);
    // from the second leg it comes as over the straight link
    copy.in_port = item.straight != kNoPort ? item.straight : copy.place;
    copy.straight = kNoPort;
    copy.ports = 0;
    if (instead_of != kNoPort) {
        copy.straight = static_cast<std::uint8_t>(instead_of ^ 1u);
        copy.ports = std::uint64_t{1} << kTriangle[instead_of].second;
    }
    NocCounters& n = count(item.packet());
    ++n.links[c.kind];
    ++n.crossbar;
    if (instead_of != kNoPort) ++n.emergency;
    count_port(r, port);
    copy.is_damaged = item.is_damaged || damaged(r, port);
    ++state_.in_flight;
    arriving_.push(now + 1 + c.latency, {c.peer, id});
    return true;
}

/// What has waited long enough is dropped, or put aside to be injected again.
void TimeoutNetwork::give_up(std::uint32_t r, Cycle now) {
    Router& router = routers_[r];
    if (spec_.router.reinject > 0) {
        ++count(items_[router.item].packet()).reinjected;
        const std::uint32_t id = items_.allocate();
        items_[id] = items_[router.item];
        items_[id].ports = router.ports;
        items_[id].place = kNoPort;
        ++state_.in_flight;
        arriving_.push(now + spec_.router.reinject, {r, id});
    } else {
        const Item& item = items_[router.item];
        for (std::uint64_t m = router.ports; m != 0; m &= m - 1)
            state_.lose(item.packet(),
                        deliveries_behind(item, r, static_cast<unsigned>(std::countr_zero(m))));
    }
    router.ports = 0;
}

/// The next packet, by input in turn.
void TimeoutNetwork::take(std::uint32_t r, Cycle now) {
    Router& router = routers_[r];
    if (router.occupied == 0) return;
    const unsigned in = rr_pick(router.occupied, router.next_input);
    Queue& q = queues_[port_at(r, in)];
    router.item = q.front;
    Item& item = items_[router.item];
    q.front = item.next;
    if (q.front == kNone) router.occupied &= ~(std::uint64_t{1} << in);
    if (item.place != kNoPort) ++room_[port_at(r, item.place)];
    buffer_cycles_[r] += now - item.arrived;
    ++count(item.packet()).buffer_reads;
    router.since = now;
    router.ports = route(r, item);
    if (router.ports == 0) state_.drop(item.packet());
    router.next_input = rr_next(in, n_ports_);
}

void TimeoutNetwork::work(std::uint32_t r, Cycle now) {
    Router& router = routers_[r];
    if (router.item == kNone) take(r, now);
    if (router.item == kNone) return;
    const bool may_detour = spec_.router.wait2 > 0 && now >= router.since + spec_.router.wait1 &&
                            items_[router.item].straight == kNoPort;
    for (std::uint64_t m = router.ports; m != 0; m &= m - 1) {
        const auto port = static_cast<unsigned>(std::countr_zero(m));
        const bool core = port >= topology_.link_ports();
        bool sent = core ? try_core(r, port, now) : try_link(r, port, kNoPort, now);
        if (!sent && !core && may_detour) sent = try_link(r, kTriangle[port].first, port, now);
        if (sent) router.ports &= ~(std::uint64_t{1} << port);
    }
    if (router.ports != 0 && now >= router.since + spec_.router.wait1 + spec_.router.wait2) give_up(r, now);
    if (router.ports != 0) return;
    items_.release(router.item);
    router.item = kNone;
    --state_.in_flight;
}

void TimeoutNetwork::arrive(const Arriving& a, Cycle now) {
    Item& item = items_[a.item];
    item.arrived = now;
    item.next = kNone;
    ++count(item.packet()).buffer_writes;
    // what is injected again waits where it came in
    const unsigned in = item.place != kNoPort ? item.place : item.in_port;
    Queue& q = queues_[port_at(a.router, in)];
    if (q.front == kNone) {
        q.front = a.item;
        routers_[a.router].occupied |= std::uint64_t{1} << in;
    } else {
        items_[q.back].next = a.item;
    }
    q.back = a.item;
    active_.add(a.router);
}

/// A core sends a packet. True when it has to be asked again.
bool TimeoutNetwork::inject(std::uint32_t e, Cycle now) {
    const std::uint32_t r = topology_.router_of(e);
    const unsigned port = topology_.port_of(e);
    if (room_[port_at(r, port)] == 0) return true;
    Packet p;
    if (!next_packet(e, now, p)) return false;
    if (p.flits != 1) throw ModelError("the timeout router carries single-flit packets; use flits: 1");
    --room_[port_at(r, port)];
    ++count(p).ni_in;
    const std::uint32_t id = items_.allocate();
    Item& item = items_[id];
    item = {};
    item.in_port = item.place = static_cast<std::uint8_t>(port);
    if (p.destination.kind == Destination::Kind::Endpoint)
        address(topology_, e, p.destination.value, item.record);
    item.record.packet = p;
    item.record.entered = static_cast<std::uint32_t>(age(now));
    arriving_.push(now + 1, {r, id});
    return has_packet(e, now);
}

Cycle TimeoutNetwork::step(Cycle now) {
    while (arriving_.due(now)) arrive(arriving_.pop(), now);
    ready_.take_each([&](std::uint32_t e) {
        if (inject(e, now)) ready_.add(e);
    });
    active_.sort();
    active_.keep_if([&](std::uint32_t r) {
        work(r, now);
        return routers_[r].item != kNone || routers_[r].occupied != 0;
    });
    return active_.empty() ? arriving_.next() : now + 1;
}

Cycles TimeoutNetwork::zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const {
    const WayCost w = cost_of(topology_, way_of(*routing_, index(from), index(to)));
    if (!w.found || flits != 1) return 0;
    return 1 + 1 + w.latency + w.hops + 1 + topology_.local_latency;
}

std::string TimeoutNetwork::describe_stuck(std::size_t limit) const {
    std::vector<std::string> lines;
    for (std::uint32_t r = 0; r < routers_.size() && lines.size() < limit; ++r) {
        const Router& s = routers_[r];
        if (s.item == kNone) continue;
        lines.push_back(fmt::format("router {}: a packet from endpoint {} waits since cycle {} for port {}",
                                    topology_.router_name(r), index(items_[s.item].packet().source), s.since,
                                    topology_.port_name(static_cast<unsigned>(std::countr_zero(s.ports)))));
    }
    return lines.empty() ? "the network is empty" : fmt::format("{}", fmt::join(lines, "; "));
}

RouterKind timeout_router() {
    return {.name = "timeout",
            .make = make_router<TimeoutNetwork>,
            .keys = {"buffer", "classes", "wait1", "wait2", "reinject"},
            .drops_packets = true,
            .single_flits = true,
            .longest_wait = [](const arch::RouterSpec& r) { return Cycles{r.wait1 + r.wait2 + r.reinject}; }};
}

}  // namespace loom::noc
