// SPDX-License-Identifier: Apache-2.0
#include "noc/vc/vc_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/key_error.hpp"
#include "noc/allocation/allocators.hpp"
#include "noc/router_kind.hpp"
#include "noc/routing/way.hpp"
#include "noc/slow_link.hpp"

namespace loom::noc {
namespace {

unsigned checked(const char* key, std::uint64_t value, std::uint64_t max) {
    if (value == 0 || value > max)
        throw KeyError(fmt::format("noc.router.{}", key), fmt::format("{} is not in 1..{}", value, max));
    return static_cast<unsigned>(value);
}

unsigned checked_classes(const arch::RouterSpec& r) {
    const unsigned classes = checked("classes", r.classes, 64);
    if (r.vcs % classes != 0) {
        throw KeyError("noc.router.classes",
                       fmt::format("{} classes do not share {} VCs evenly", classes, r.vcs));
    }
    return classes;
}

RouterRules make_rules(const arch::ChipSpec& spec, bool asynchronous) {
    const auto& r = spec.noc.router;
    RouterRules rules;
    rules.pipeline = find_pipeline(r.pipeline);
    rules.asynchronous = asynchronous;
    if (asynchronous) rules.pipeline = {"async", 0, true};
    if (r.route_cycles) rules.pipeline.route_cycles = static_cast<unsigned>(*r.route_cycles);
    if (r.speculative) rules.pipeline.speculative = *r.speculative;
    rules.spec = r;
    rules.period = spec.clock.period;
    rules.loss = spec.noc.faults.loss;
    rules.loss_seed = spec.noc.faults.seed;
    // names are checked before the first packet
    find_arbiter(r.arbiter);
    make_allocator("vc_allocator", r.vc_allocator, {1, 1});
    make_allocator("switch_allocator", r.switch_allocator, {1, 1});
    return rules;
}

/// 0: they differ, or take longer than a cycle per flit.
Cycles latency_of_all_links(const Topology& t) {
    Cycles latency = 0;
    for (std::uint32_t r = 0; r < t.n_routers(); ++r) {
        for (unsigned port = 0; port < t.link_ports(); ++port) {
            const Channel& c = t.channel(r, port);
            if (c.peer == kNone) continue;
            if (c.flit_ps != 0 || (latency != 0 && c.latency != latency)) return 0;
            latency = c.latency;
        }
    }
    return latency;
}

}  // namespace

VcNetwork::VcNetwork(const arch::ChipSpec& spec, Topology topology, bool asynchronous)
    : NetworkBase(spec, std::move(topology), fabric_),
      rules_(make_rules(spec, asynchronous)),
      fabric_(checked("vcs", spec.noc.router.vcs, 64), checked("buffer", spec.noc.router.buffer, 4096),
              checked_classes(spec.noc.router),
              topology_.longest_latency() + spec.noc.router.switch_cycles + 8) {
    if (topology_.max_ports() * fabric_.vcs > 65535)
        throw KeyError("noc.router.vcs", "more than 65535 ports times VCs");
    routing_ = make_routing(spec_, topology_, fabric_.vcs_per_class());
    const std::string cycle = spec_.check_deadlock ? deadlock_cycle(spec_, topology_, *routing_) : "";
    if (!cycle.empty()) {
        throw KeyError(
            "noc.routing",
            fmt::format("{} can deadlock on this {} with {} VC{} per message class (up_down cannot): {}",
                        spec_.routing, topology_.name, fabric_.vcs_per_class(),
                        fabric_.vcs_per_class() == 1 ? "" : "s", cycle));
    }
    routers_ = std::make_unique<RouterArray>(fabric_, topology_, *routing_, rules_);
    endpoints_ = std::make_unique<Endpoints>(fabric_, topology_);
    if (routing_->plain_xy) even_latency_ = latency_of_all_links(topology_);
}

void VcNetwork::attach(EndpointId endpoint, EndpointLinks links) {
    endpoints_->attach(index(endpoint), links);
}

/// Routers keep the branches of a packet beside the route of plain ones.
void VcNetwork::prepare_for_sets(const MulticastSets& sets) {
    fabric_.sets = &sets;
    routers_ = std::make_unique<RouterArray>(fabric_, topology_, *routing_, rules_);
}

void VcNetwork::check_sets(const MulticastSets& sets) {
    const std::string cycle = sets.deadlock();
    if (cycle.empty()) return;
    throw KeyError("noc.multicast.style", fmt::format("trees with routing {} can deadlock on this {}: {}",
                                                      spec_.routing, topology_.name, cycle));
}

/// Every flit that leaves a router has been read, granted the switch and taken through the crossbar; every
/// one that enters a link is written at its end (and counted as written from the start). VCs are counted when
/// the packet's tail gives them back.
std::span<const NocCounters> VcNetwork::counters() const {
    totals_ = fabric_.counters;
    for (NocCounters& c : totals_) {
        c.buffer_reads = c.switch_grants = c.crossbar = c.flit_hops() + c.local;
        c.buffer_writes = c.flit_hops() + c.ni_in;
    }
    return totals_;
}

Cycle VcNetwork::evaluate(Cycle now) {
    begin(now);
    Calendar& calendar = fabric_.calendar;
    calendar.drain_credits(now, [&](const Calendar::Credits& c) {
        routers_->receive(c.router);
        endpoints_->receive(c.endpoint);
    });
    if (calendar.flits_due(now)) {
        const Calendar::Flits& f = calendar.flits(now);
        routers_->receive(f.router, now);
        endpoints_->receive(f.endpoint, now);
        calendar.clear_flits(now);
    }
    each_woken(now, [&](std::uint32_t endpoint) { endpoints_->activate(endpoint); });
    if (routers_->active()) routers_->evaluate(now);
    if (endpoints_->active()) endpoints_->evaluate(now);
    if (routers_->active() || endpoints_->active()) return now + 1;
    return calendar.next(now, routers_->waits_for_credit() || endpoints_->waits_for_credit());
}

void VcNetwork::reset() {
    NetworkBase::reset();
    fabric_.calendar.clear_all();  // credits on their way: all are given back below
    routers_->reset();
    endpoints_->reset();
}

std::string VcNetwork::describe_stuck(std::size_t limit) const {
    std::vector<std::string> lines;
    if (std::string cycle = routers_->wait_cycle(); !cycle.empty()) lines.push_back(std::move(cycle));
    routers_->describe(lines, limit);
    endpoints_->describe(lines, limit);
    return lines.empty() ? "the network is empty" : fmt::format("{}", fmt::join(lines, "; "));
}

/// Cycles from the first flit to the last at the core. One per flit, unless links take longer; then a flit
/// leaves a router when it is there, the one before has left, and the link is free.
Cycles VcNetwork::flits_after(EndpointId from, EndpointId to, const WayCost& w, unsigned flits) const {
    const double local = rules_.local_flit_ps(), period = rules_.period;
    if (static_cast<double>(w.slowest) <= period && local == 0) return flits - 1;
    const std::vector<Step> way = way_of(*routing_, index(from), index(to));
    const Cycles head = head_cycles();
    std::vector<Cycles> left(way.size());
    std::vector<std::uint64_t> free(way.size(), 0);
    Cycles first = 0;
    for (unsigned k = 0; k < flits; ++k) {
        Cycles at = k;
        for (std::size_t i = 0; i < way.size(); ++i) {
            const bool core = way[i].port >= topology_.link_ports();
            const Channel c = core ? Channel{} : topology_.channel(way[i].router, way[i].port);
            const double ps = core ? local : static_cast<double>(c.flit_ps);
            at += k == 0 ? head : 0;
            if (k != 0)
                at = std::max({at, left[i] + 1,
                               static_cast<Cycles>(std::ceil(static_cast<double>(free[i]) / period - 1e-9))});
            left[i] = at;
            free[i] = ps <= period ? 0
                                   : next_free(free[i], static_cast<double>(at) * period, period,
                                               static_cast<std::uint64_t>(ps));
            at += switch_delay() + (core ? 0 : c.latency);
        }
        if (k == 0) first = at;
        if (k + 1 == flits) return at - first;
    }
    return 0;
}

/// Of x-y routing on a mesh with even links: the distance.
WayCost VcNetwork::way_cost(EndpointId from, EndpointId to) const {
    if (even_latency_ == 0) return cost_of(topology_, way_of(*routing_, index(from), index(to)));
    const Coord a = topology_.coord(topology_.router_of(index(from)));
    const Coord b = topology_.coord(topology_.router_of(index(to)));
    const auto hops = static_cast<unsigned>(std::abs(a.x - b.x) + std::abs(a.y - b.y));
    return {true, hops, hops * even_latency_, hops == 0 ? 0 : even_latency_, 0};
}

Cycles VcNetwork::zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const {
    const WayCost w = way_cost(from, to);
    if (!w.found) return 0;
    // link to the interface, link to the router, routers and links, link to the core, further flits
    return 1 + 1 + w.latency + (head_cycles() + switch_delay()) * (w.hops + 1) +
           (rules_.asynchronous ? 1 : 0) + topology_.local_latency + flits_after(from, to, w, flits);
}

unsigned VcNetwork::zero_load_hops(EndpointId from, EndpointId to) const {
    return way_cost(from, to).hops;
}

RouterKind vc_router() {
    return {.name = "vc",
            .make = [](const arch::ChipSpec& spec, Topology t) -> std::unique_ptr<Network> {
                return std::make_unique<VcNetwork>(spec, std::move(t), false);
            },
            .keys = {"pipeline", "route_cycles", "speculative", "switch_cycles", "vcs", "buffer", "classes",
                     "vc_allocator", "switch_allocator", "arbiter", "iterations"}};
}

RouterKind async_router() {
    return {.name = "async",
            .make = [](const arch::ChipSpec& spec, Topology t) -> std::unique_ptr<Network> {
                return std::make_unique<VcNetwork>(spec, std::move(t), true);
            },
            .keys = {"pipeline", "route_cycles", "speculative", "vcs", "buffer", "classes", "vc_allocator",
                     "switch_allocator", "arbiter", "iterations", "async"},
            .asynchronous = true};
}

}  // namespace loom::noc
