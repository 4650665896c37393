// SPDX-License-Identifier: Apache-2.0
#include "noc/packet_fabric.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "sim/base/error.hpp"

namespace loom::noc {

PacketFabric::PacketFabric(const arch::ChipSpec& spec, Topology topology, bool trees)
    : spec_(spec.noc), period_(spec.clock.period), topology_(std::move(topology)), trees_(trees) {
    links_.resize(topology_.n_endpoints());
    buffer_cycles_.resize(topology_.n_routers());
    port_flits_.resize(std::size_t{topology_.n_routers()} * topology_.max_ports());
    find_multicast_style(spec_.multicast.style);
}

std::uint32_t PacketFabric::add_set(EndpointId source, std::span<const std::uint32_t> members) {
    if (sets_ == nullptr) {
        arch::MulticastSpec m = spec_.multicast;
        if (!trees_ && m.style != "unicast") {
            throw ConfigError(
                fmt::format("noc.multicast.style: {} needs the vc or the timeout router, not {}", m.style,
                            spec_.router.kind));
        }
        sets_ = std::make_unique<MulticastSets>(topology_, *routing_, m);
    }
    sets_open_ = true;
    return sets_->add(index(source), members);
}

Cycle PacketFabric::evaluate(Cycle now) {
    if (sets_open_) sets_->finish();
    sets_open_ = false;
    if (!wakes_.empty()) {
        std::erase_if(wakes_, [&](const Wake& w) {
            if (w.at > now) return false;
            keep_ready(w.endpoint);
            return true;
        });
        std::sort(ready_.begin(), ready_.end());
    }
    return step(now) ? now + 1 : kNever;
}

bool PacketFabric::has_packet(std::uint32_t endpoint, Cycle now) const {
    const Link<Packet>* in = links_[endpoint].links.in;
    return in != nullptr && in->peek(now) != nullptr;
}

bool PacketFabric::next_packet(std::uint32_t endpoint, Cycle now, Packet& out) {
    Ends& e = links_[endpoint];
    while (has_packet(endpoint, now)) {
        const Packet& head = *e.links.in->peek(now);
        out = head;
        out.entered = static_cast<std::uint32_t>(now - 1);
        out.hops = 0;
        if (out.tag >= counters_.size()) counters_.resize(out.tag + 1u);
        NocCounters& c = counters_[out.tag];
        if (head.destination.kind == Destination::Kind::Endpoint) {
            const std::uint32_t to = head.destination.value;
            if (to >= links_.size() || links_[to].links.out == nullptr) {
                throw ModelError(fmt::format("a packet from endpoint {} to endpoint {}, which is not in use",
                                             endpoint, to));
            }
            ++c.packets;
            ++c.packets_expected;
            e.links.in->take(now);
            return true;
        }
        const std::uint32_t set = head.destination.value;
        const auto members = sets_->members(set);
        if (e.member == 0) {
            ++c.packets;
            c.packets_expected += members.size() + sets_->unreachable(set);
            c.packets_dropped += sets_->unreachable(set);
        }
        out.set = set;
        const bool one_by_one = sets_->style() == MulticastStyle::Unicast;
        if (members.empty()) {
            e.links.in->take(now);
            continue;
        }
        if (one_by_one) out.destination = Destination::endpoint(EndpointId{members[e.member]});
        if (!one_by_one || ++e.member == members.size()) {
            e.member = 0;
            e.links.in->take(now);
        }
        return true;
    }
    return false;
}

bool PacketFabric::deliver(std::uint32_t endpoint, Cycle now, const Packet& packet) {
    Link<Packet>* out = links_[endpoint].links.out;
    if (out == nullptr)
        throw ModelError(fmt::format("a packet to endpoint {}, which is not in use", endpoint));
    if (!out->can_send(now)) return false;
    out->send(now, packet);
    ++counters_[packet.tag].packets_delivered;
    return true;
}

PacketFabric::Way PacketFabric::way(std::uint32_t from, std::uint32_t to) const {
    Way w;
    PacketRecord p;
    address(topology_, from, to, p);
    std::uint32_t router = topology_.router_of(from);
    unsigned in_port = topology_.port_of(from);
    for (unsigned steps = 0; steps <= 2 * topology_.n_routers(); ++steps) {
        const Route route = (*routing_)({router, in_port, 0, p});
        if (route.ports == 0) return w;
        const auto port = static_cast<unsigned>(std::countr_zero(route.ports));
        if (port >= topology_.link_ports()) {
            w.found = true;
            return w;
        }
        const Channel& c = topology_.channel(router, port);
        w.latency += c.latency;
        ++w.hops;
        router = c.peer;
        in_port = c.peer_port;
    }
    return w;
}

unsigned PacketFabric::zero_load_hops(EndpointId from, EndpointId to) const {
    return way(index(from), index(to)).hops;
}

std::vector<PortUse> PacketFabric::port_use(std::uint32_t router) const {
    std::vector<PortUse> use;
    for (unsigned p = 0; p < topology_.n_ports(router); ++p) {
        const bool link = p < topology_.link_ports();
        if (link && topology_.channel(router, p).peer == kNone) continue;
        use.push_back({topology_.port_name(p), link ? topology_.channel(router, p).peer : kNone,
                       port_flits_[std::size_t{router} * topology_.max_ports() + p]});
    }
    return use;
}

}  // namespace loom::noc
