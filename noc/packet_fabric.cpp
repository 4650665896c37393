// SPDX-License-Identifier: Apache-2.0
#include "noc/packet_fabric.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "noc/routing/way.hpp"
#include "base/error.hpp"

namespace loom::noc {

PacketFabric::PacketFabric(const arch::ChipSpec& spec, Topology topology, Abilities can)
    : spec_(spec.noc),
      period_(spec.clock.period),
      topology_(std::move(topology)),
      can_(can),
      loss_rng_(spec.noc.faults.seed, 77) {
    links_.resize(topology_.n_endpoints());
    buffer_cycles_.resize(topology_.n_routers());
    port_flits_.resize(std::size_t{topology_.n_routers()} * topology_.max_ports());
    find_multicast_style(spec_.multicast.style);
    if (spec_.router.classes == 0 || (spec_.router.classes > 1 && !can.classes)) {
        throw ConfigError(fmt::format("noc.router.classes: the {} router has 1 message class, not {}",
                                      spec_.router.kind, spec_.router.classes));
    }
}

void PacketFabric::reset() {
    if (in_flight_ != 0 || !relays_.empty())
        throw InternalError("the network is reset while packets are in it");
    epoch_ = kNever;
    if (spec_.faults.loss > 0) port_flits_before_ = port_flits_;
}

std::uint32_t PacketFabric::add_set(EndpointId source, std::span<const std::uint32_t> members) {
    if (sets_ == nullptr) {
        sets_ = std::make_unique<MulticastSets>(topology_, *routing_, spec_.multicast);
        if (sets_->in_tree() && !can_.trees) {
            throw ConfigError(
                fmt::format("noc.multicast.style: {} needs the vc or the timeout router, not {}",
                            spec_.multicast.style, spec_.router.kind));
        }
    }
    sets_open_ = true;
    return sets_->add(index(source), members);
}

void PacketFabric::clear_sets() {
    if (in_flight_ != 0) throw InternalError("sets are cleared while packets are in the network");
    if (sets_ != nullptr) sets_->clear();
}

std::string PacketFabric::describe_tables() const {
    return sets_ == nullptr ? "" : sets_->describe_tables();
}

Cycle PacketFabric::evaluate(Cycle now) {
    if (sets_open_) sets_->finish();
    sets_open_ = false;
    if (epoch_ == kNever) epoch_ = now;
    if (!wakes_.empty()) {
        std::erase_if(wakes_, [&](const Wake& w) {
            if (w.at > now) return false;
            keep_ready(w.endpoint);
            return true;
        });
    }
    std::sort(ready_.begin(), ready_.end());
    const Cycle next = step(now);
    return ready_.empty() ? next : now + 1;
}

bool PacketFabric::has_packet(std::uint32_t endpoint, Cycle now) const {
    if (!relays_.empty() && relays_.count(endpoint) != 0) return true;
    const Link<Packet>* in = links_[endpoint].links.in;
    return in != nullptr && in->peek(now) != nullptr;
}

bool PacketFabric::next_packet(std::uint32_t endpoint, Cycle now, Packet& out) {
    bool found = false;
    const auto relayed = relays_.empty() ? relays_.end() : relays_.find(endpoint);
    if (relayed != relays_.end()) {
        out = relayed->second.front();
        relayed->second.pop_front();
        if (relayed->second.empty()) relays_.erase(relayed);
        found = true;
    }
    while (!found && has_packet(endpoint, now)) {
        Link<Packet>& in = *links_[endpoint].links.in;
        out = *in.peek(now);
        if (out.message_class >= spec_.router.classes) {
            throw ModelError(fmt::format("a packet of message class {}; the network has {}",
                                         out.message_class, spec_.router.classes));
        }
        if (out.tag >= counters_.size()) counters_.resize(out.tag + 1u);
        if (out.destination.kind == Destination::Kind::Set) {
            found = take_of_set(endpoint, now, out);
            continue;
        }
        in.take(now);
        ++counters_[out.tag].packets;
        ++counters_[out.tag].packets_expected;
        found = true;
    }
    if (!found) return false;
    const std::uint32_t to = out.destination.value;
    if (out.destination.kind == Destination::Kind::Endpoint &&
        (to >= links_.size() || links_[to].links.out == nullptr)) {
        throw ModelError(
            fmt::format("a packet from endpoint {} to endpoint {}, which is not in use", endpoint, to));
    }
    out.entered = static_cast<std::uint32_t>(now - 1);
    out.hops = 0;
    in_flight_ += out.flits;
    return true;
}

/// The packet at the front is for a set: its next copy, if any member can be reached.
bool PacketFabric::take_of_set(std::uint32_t endpoint, Cycle now, Packet& out) {
    const std::uint32_t set = out.destination.value;
    if (set >= n_sets()) throw ModelError(fmt::format("a packet to destination set {} of {}", set, n_sets()));
    Ends& e = links_[endpoint];
    const auto members = sets_->members(set);
    if (e.member == 0) {
        NocCounters& c = counters_[out.tag];
        ++c.packets;
        c.packets_expected += members.size() + sets_->unreachable(set);
        c.packets_dropped += sets_->unreachable(set);
    }
    out.set = set;
    if (!sets_->in_tree() && !members.empty())
        out.destination = Destination::endpoint(EndpointId{members[e.member]});
    const bool repeated = sets_->style() == MulticastStyle::Unicast && !members.empty();
    if (!repeated || ++e.member == members.size()) {
        e.member = 0;
        e.links.in->take(now);
    }
    return !members.empty();
}

bool PacketFabric::deliver(std::uint32_t endpoint, Cycle now, Cycle at, const Packet& packet) {
    Link<Packet>* const out = links_[endpoint].links.out;
    if (out == nullptr)
        throw ModelError(fmt::format("a packet to endpoint {}, which is not in use", endpoint));
    if (!out->can_send(now)) return false;
    out->send(at, packet);
    ++counters_[packet.tag].packets_delivered;
    if (packet.set == kNone || sets_->style() != MulticastStyle::Relay) return true;
    const auto behind = sets_->behind(packet.set, endpoint);
    if (behind.empty()) return true;
    Packet copy = packet;
    copy.destination = Destination::endpoint(EndpointId{behind.front()});
    relays_[endpoint].push_back(copy);
    keep_ready(endpoint);
    ++counters_[packet.tag].relays;
    return true;
}

void PacketFabric::drop(const Packet& packet) {
    counters_[packet.tag].packets_dropped += sets_ == nullptr ? 1 : sets_->lost_with(packet);
}

bool PacketFabric::damaged(std::uint32_t router, unsigned port) const {
    if (spec_.faults.loss <= 0) return false;
    const std::size_t at = std::size_t{router} * topology_.max_ports() + port;
    const std::uint64_t flit = port_flits_[at] - (port_flits_before_.empty() ? 0 : port_flits_before_[at]);
    return loss_rng_.bernoulli(spec_.faults.loss, (std::uint64_t{router} << 8) | port,
                               static_cast<std::uint32_t>(flit));
}

Cycles PacketFabric::link_cycles(const Channel& c) const {
    return c.flit_ps == 0 ? 1
                          : static_cast<Cycles>(std::ceil(static_cast<double>(c.flit_ps) / period_ - 1e-9));
}

unsigned PacketFabric::zero_load_hops(EndpointId from, EndpointId to) const {
    return cost_of(topology_, way_of(*routing_, index(from), index(to))).hops;
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
