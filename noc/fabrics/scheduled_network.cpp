// SPDX-License-Identifier: Apache-2.0
#include "noc/fabrics/scheduled_network.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/key_error.hpp"
#include "noc/router_kind.hpp"
#include "noc/routing/way.hpp"

namespace loom::noc {
namespace {

constexpr Cycles kFirstSlots = 64, kMostSlots = 65536;

}  // namespace

ScheduledNetwork::ScheduledNetwork(const arch::ChipSpec& spec, Topology topology)
    : PacketFabric(spec, std::move(topology), {.classes = true}),
      grows_(spec.noc.router.slots == 0),
      slots_(grows_ ? kFirstSlots : spec.noc.router.slots),
      n_lanes_(2 * topology_.max_ports()) {
    if (slots_ > kMostSlots)
        throw KeyError("noc.router.slots", fmt::format("{} is not in 0..{}", slots_, kMostSlots));
    if (spec.noc.router.classes > 64)
        throw KeyError("noc.router.classes", fmt::format("{} is not in 1..64", spec.noc.router.classes));
    routing_ = make_routing(spec_, topology_, 2);
    if (routing_->several) throw KeyError("noc.routing", "a schedule needs a deterministic routing function");
    owner_.resize(spec.noc.router.classes * topology_.n_routers() * n_lanes_);
}

void ScheduledNetwork::reset() {
    PacketFabric::reset();
    flows_.clear();
    known_.clear();
    for (auto& slots : owner_) slots.clear();
    if (grows_) slots_ = kFirstSlots;
    busy_until_ = hold_until_ = 0;
}

/// The links of a flow, and when its flits cross them.
void ScheduledNetwork::lay(Flow& f) const {
    const std::vector<Step> way = way_of(*routing_, f.from, f.to);
    if (way.empty()) return;
    f.way.push_back({way[0].router, topology_.max_ports() + way[0].in_port, 0, 1});
    for (const Step& s : way) {
        const bool core = s.port >= topology_.link_ports();
        const Cycles cycles = core ? 1 : link_cycles(topology_.channel(s.router, s.port));
        f.way.push_back({s.router, s.port, f.length, cycles});
        f.per_flit = std::max(f.per_flit, cycles);
        if (!core) f.length += topology_.channel(s.router, s.port).latency;
    }
}

/// use(slot) for the slots that a flow takes of a link, until it says false.
template <class F>
void ScheduledNetwork::each_slot(const Flow& f, const Hop& h, Cycle slot, F use) const {
    for (Cycles k = 0; k < f.flits; ++k) {
        for (Cycles c = 0; c < h.cycles; ++c) {
            if (!use((slot + h.after + k * f.per_flit + c) % slots_)) return;
        }
    }
}

/// Who owns what the flow would need if it began in a slot.
ScheduledNetwork::Conflict ScheduledNetwork::conflict(const Flow& f, Cycle slot) const {
    Conflict found;
    for (const Hop& h : f.way) {
        const auto& owner = owner_[lane(f, h)];
        each_slot(f, h, slot, [&](Cycle s) {
            if (s < owner.size() && owner[s] != 0) found = {owner[s] - 1, h};
            return found.flow == kNone;
        });
        if (found.flow != kNone) break;
    }
    return found;
}

void ScheduledNetwork::take(std::uint32_t flow) {
    const Flow& f = flows_[flow];
    for (const Hop& h : f.way) {
        auto& owner = owner_[lane(f, h)];
        each_slot(f, h, f.slot, [&](Cycle s) {
            if (s >= owner.size()) owner.resize(slots_);
            owner[s] = flow + 1;
            return true;
        });
    }
}

void ScheduledNetwork::fail(const Flow& f, const Conflict& c) const {
    const bool itself = c.flow == kNone;
    const std::string port =
        c.hop.port >= topology_.max_ports() ? "the core's own link" : topology_.port_name(c.hop.port);
    std::string other = "it is longer than the table";
    if (!itself) {
        other = fmt::format("flow {} -> {} has router {} {}", flows_[c.flow].from, flows_[c.flow].to,
                            topology_.router_name(c.hop.router), port);
    }
    throw MappingError("schedule slots",
                       fmt::format("flow {} -> {} of message class {}: {} ({} flows have slots)", f.from,
                                   f.to, unsigned{f.message_class}, other, flows_.size() - 1),
                       static_cast<double>(slots_ + f.flits), static_cast<double>(slots_));
}

/// The first slot that is free on all links. A longer table repeats every flow less often: what owned slot s
/// of every n cycles owns slot s of every 2 n, so nobody has to move.
void ScheduledNetwork::place(std::uint32_t flow) {
    Flow& f = flows_[flow];
    while (true) {
        // the flow must not run into itself one period later
        const Cycles longest = is_lane() ? 1 : f.flits * f.per_flit;
        Conflict last;
        for (Cycle s = 0; longest <= slots_ && s < slots_; ++s) {
            last = conflict(f, s);
            if (last.flow != kNone) continue;
            f.slot = s;
            take(flow);
            return;
        }
        if (!grows_ || 2 * slots_ > kMostSlots) fail(f, last);
        slots_ *= 2;
        // packets that have been given slots of the shorter table go first
        f.next = hold_until_ = busy_until_;
    }
}

ScheduledNetwork::Flow& ScheduledNetwork::flow_of(std::uint32_t from, const Packet& p) {
    const std::uint64_t key = ((std::uint64_t{p.message_class} << 28 | from) << 28) | p.destination.value;
    const auto [at, fresh] = known_.try_emplace(key, static_cast<std::uint32_t>(flows_.size()));
    if (fresh) {
        Flow f;
        f.from = from;
        f.to = p.destination.value;
        f.message_class = p.message_class;
        f.flits = p.flits;
        f.next = hold_until_;
        lay(f);
        flows_.push_back(std::move(f));
        if (!flows_.back().way.empty()) place(at->second);
    }
    Flow& f = flows_[at->second];
    if (p.flits > f.flits && !f.way.empty() && !is_lane()) {
        throw ModelError(
            fmt::format("a packet of {} flits in the flow {} -> {}, whose slot has {}; give all "
                        "packets of a flow one length",
                        p.flits, f.from, f.to, f.flits));
    }
    return f;
}

/// A packet gets the first slot of its flow that is still to come.
void ScheduledNetwork::send(std::uint32_t e, Packet p, Cycle now) {
    Flow& f = flow_of(e, p);
    if (f.way.empty()) {
        state_.in_flight -= p.flits;
        state_.drop(p);
        return;
    }
    // slot 0 of the first table is the cycle after the first packet
    Cycle start = std::max(age(now), f.next);
    start += (f.slot + slots_ - start % slots_) % slots_;
    f.next = start + (is_lane() ? p.flits * f.per_flit : slots_);
    const Cycles flits_after = (p.flits - 1) * f.per_flit;
    busy_until_ = std::max(busy_until_, start + f.length + flits_after + f.per_flit);
    const Cycle begin = start + now + 1 - age(now);
    p.entered = static_cast<std::uint32_t>(begin);
    count(p).ni_in += p.flits;
    const auto flow = static_cast<std::uint32_t>(&f - flows_.data());
    arriving_.push(begin + f.length + flits_after, {p, flow});
}

/// Counts a packet's way when it is at its end: before, it has still to cross links. False: damaged.
bool ScheduledNetwork::account(const Flow& f, Packet& p) {
    NocCounters& c = count(p);
    c.ni_out += p.flits;
    bool is_damaged = false;
    for (const Hop& h : f.way) {
        if (h.port >= topology_.max_ports()) continue;
        if (h.port < topology_.link_ports()) {
            c.links[topology_.channel(h.router, h.port).kind] += p.flits;
            ++p.hops;
        } else {
            c.local += p.flits;
        }
        for (unsigned k = 0; k < p.flits; ++k) {
            count_port(h.router, h.port);
            is_damaged |= h.port < topology_.link_ports() && damaged(h.router, h.port);
        }
    }
    return !is_damaged;
}

Cycle ScheduledNetwork::step(Cycle now) {
    while (arriving_.due(now)) {
        Booked b = arriving_.pop();
        if (!account(flows_[b.flow], b.packet)) {
            state_.drop(b.packet);
        } else if (!deliver(b.packet.destination.value, now, now, b.packet)) {
            throw ModelError(fmt::format("endpoint {} does not take a scheduled packet in time",
                                         b.packet.destination.value));
        }
        state_.in_flight -= b.packet.flits;
    }
    ready_.take_each([&](std::uint32_t e) {
        Packet p;
        while (next_packet(e, now, p)) send(e, p, now);
    });
    return arriving_.next();
}

Cycles ScheduledNetwork::zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const {
    const WayCost w = cost_of(topology_, way_of(*routing_, index(from), index(to)));
    if (!w.found) return 0;
    const Cycles per_flit = w.slowest == 0 ? 1 : link_cycles({.flit_ps = w.slowest});
    return 1 + 1 + w.latency + topology_.local_latency + (flits - 1) * per_flit;
}

std::string ScheduledNetwork::describe_tables() const {
    const std::string sets = PacketFabric::describe_tables();
    return fmt::format("{}{}schedule of {} slots: {} flows", sets, sets.empty() ? "" : "; ", slots_,
                       flows_.size());
}

std::string ScheduledNetwork::describe_stuck(std::size_t) const {
    if (state_.in_flight == 0) return "the network is empty";
    return fmt::format("{} flits on their way by schedule", state_.in_flight);
}

RouterKind scheduled_router() {
    return {.name = "scheduled",
            .make = make_router<ScheduledNetwork>,
            .keys = {"slots"},
            .one_length_per_flow = true,
            .longest_wait = [](const arch::RouterSpec& r) { return Cycles{2 * r.slots}; }};
}

}  // namespace loom::noc
