// SPDX-License-Identifier: Apache-2.0
#include "noc/scheduled_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "sim/base/error.hpp"

namespace loom::noc {

ScheduledNetwork::ScheduledNetwork(const arch::ChipSpec& spec, Topology topology)
    : PacketFabric(spec, std::move(topology), false),
      slots_(spec.noc.router.slots != 0 ? spec.noc.router.slots
                                        : std::max<Cycles>(64, 4 * topology_.n_cores())) {
    routing_ = make_routing(spec_, topology_, 2);
    if (routing_->several)
        throw ConfigError("noc.routing: a schedule needs a deterministic routing function");
    taken_.resize(std::size_t{topology_.n_routers()} * topology_.max_ports());
    injecting_.resize(topology_.n_endpoints());
}

void ScheduledNetwork::reset() {
    if (in_flight_ != 0) throw InternalError("the network is reset while packets are in it");
    for (auto& [key, f] : flows_) f.next = 0;
}

bool ScheduledNetwork::fits(const Flow& f, Cycle slot) const {
    for (const Hop& h : f.way) {
        const auto& taken = taken_[std::size_t{h.router} * topology_.max_ports() + h.port];
        for (unsigned k = 0; k < f.flits && !taken.empty(); ++k) {
            if (taken[(slot + h.after + k) % slots_]) return false;
        }
    }
    return true;
}

ScheduledNetwork::Flow& ScheduledNetwork::flow(std::uint32_t from, std::uint32_t to, std::uint16_t flits) {
    const auto [at, fresh] = flows_.try_emplace({from, to});
    Flow& f = at->second;
    if (!fresh && flits <= f.flits) return f;
    if (!fresh)
        throw ModelError("a packet longer than the slot of its flow; give all packets of a flow one length");
    f.flits = flits;
    PacketRecord p;
    address(topology_, from, to, p);
    p.packet.source = EndpointId{from};
    std::uint32_t router = topology_.router_of(from);
    unsigned in_port = topology_.port_of(from);
    for (unsigned steps = 0; steps <= 2 * topology_.n_routers(); ++steps) {
        const Route route = (*routing_)({router, in_port, 0, p});
        if (route.ports == 0) break;
        const auto port = static_cast<unsigned>(std::countr_zero(route.ports));
        f.way.push_back({router, port, f.length});
        if (port >= topology_.link_ports()) break;
        const Channel& c = topology_.channel(router, port);
        f.length += c.latency;
        router = c.peer;
        in_port = c.peer_port;
    }
    auto& mine = injecting_[from];
    if (mine.empty()) mine.resize(slots_);
    for (Cycle s = 0; s < slots_; ++s) {
        bool free = f.flits <= slots_;
        for (unsigned k = 0; k < f.flits && free; ++k) free = !mine[(s + k) % slots_];
        if (!free || !fits(f, s)) continue;
        f.slot = s;
        for (unsigned k = 0; k < f.flits; ++k) mine[(s + k) % slots_] = true;
        for (const Hop& h : f.way) {
            auto& taken = taken_[std::size_t{h.router} * topology_.max_ports() + h.port];
            if (taken.empty()) taken.resize(slots_);
            for (unsigned k = 0; k < f.flits; ++k) taken[(s + h.after + k) % slots_] = true;
        }
        return f;
    }
    throw MappingError("schedule slots",
                       fmt::format("flow {} -> {} ({} flows have one)", from, to, flows_.size() - 1),
                       static_cast<double>(slots_ + flits), static_cast<double>(slots_));
}

bool ScheduledNetwork::step(Cycle now) {
    while (!arriving_.empty() && arriving_.top().at <= now) {
        const Packet& p = arriving_.top().packet;
        if (!deliver(p.destination.value, now, p)) {
            throw ModelError(
                fmt::format("endpoint {} does not take a scheduled packet in time", p.destination.value));
        }
        in_flight_ -= p.flits;
        arriving_.pop();
    }
    std::vector<std::uint32_t> ready;
    ready.swap(ready_);
    for (const std::uint32_t e : ready) {
        forget_ready(e);
        Packet p;
        while (next_packet(e, now, p)) {
            Flow& f = flow(e, p.destination.value, p.flits);
            if (f.way.empty() || f.way.back().port < topology_.link_ports()) {
                ++count(p).packets_dropped;
                continue;
            }
            // the first slot of the flow that is still to come
            Cycle start = std::max(now + 1, f.next);
            start += (f.slot + slots_ - start % slots_) % slots_;
            f.next = start + slots_;
            p.entered = static_cast<std::uint32_t>(start);
            NocCounters& c = count(p);
            c.ni_in += p.flits;
            c.ni_out += p.flits;
            for (const Hop& h : f.way) {
                if (h.port < topology_.link_ports()) {
                    c.links[topology_.channel(h.router, h.port).kind] += p.flits;
                    ++p.hops;
                } else {
                    c.local += p.flits;
                }
                for (unsigned k = 0; k < p.flits; ++k) count_port(h.router, h.port);
            }
            in_flight_ += p.flits;
            arriving_.push({start + f.length + p.flits - 1, order_++, p});
        }
    }
    return !arriving_.empty();
}

Cycles ScheduledNetwork::zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const {
    const Way w = way(index(from), index(to));
    // without the wait for the slot
    return w.found ? 1 + 1 + w.latency + topology_.local_latency + (flits - 1) : 0;
}

std::string ScheduledNetwork::describe_tables() const {
    return fmt::format("schedule of {} slots: {} flows", slots_, flows_.size());
}

std::string ScheduledNetwork::describe_stuck(std::size_t) const {
    return fmt::format("{} flits on their way by schedule", in_flight_);
}

}  // namespace loom::noc
