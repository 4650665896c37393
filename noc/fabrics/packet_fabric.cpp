// SPDX-License-Identifier: Apache-2.0
#include "noc/fabrics/packet_fabric.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "base/key_error.hpp"

namespace loom::noc {

PacketFabric::PacketFabric(const arch::ChipSpec& spec, Topology topology, Abilities can)
    : NetworkBase(spec, std::move(topology), state_),
      n_ports_(topology_.max_ports()),
      buffer_cycles_(topology_.n_routers()),
      ready_(topology_.n_endpoints()),
      can_(can),
      links_(topology_.n_endpoints()),
      port_flits_(port_at(topology_.n_routers(), 0)),
      loss_rng_(spec.noc.faults.seed, 77) {
    if (spec_.router.classes == 0 || (spec_.router.classes > 1 && !can.classes)) {
        throw KeyError("noc.router.classes", fmt::format("the {} router has 1 message class, not {}",
                                                         spec_.router.kind, spec_.router.classes));
    }
}

void PacketFabric::reset() {
    NetworkBase::reset();
    if (spec_.faults.loss > 0) port_flits_before_ = port_flits_;
}

void PacketFabric::prepare_for_sets(const MulticastSets& sets) {
    if (can_.trees || !sets.in_tree()) return;
    throw KeyError("noc.multicast.style", fmt::format("{} needs the vc or the timeout router, not {}",
                                                      spec_.multicast.style, spec_.router.kind));
}

Cycle PacketFabric::evaluate(Cycle now) {
    begin(now);
    each_woken(now, [&](std::uint32_t endpoint) { ready_.add(endpoint); });
    ready_.sort();
    const Cycle next = step(now);
    return ready_.empty() ? next : now + 1;
}

bool PacketFabric::has_packet(std::uint32_t endpoint, Cycle now) const {
    if (state_.relays.has(endpoint)) return true;
    const Link<Packet>* in = links_[endpoint].links.in;
    return in != nullptr && in->peek(now) != nullptr;
}

bool PacketFabric::next_packet(std::uint32_t endpoint, Cycle now, Packet& out) {
    bool found = false;
    if (const Packet* relayed = state_.relays.front(endpoint)) {
        out = *relayed;
        state_.relays.pop(endpoint);
        found = true;
    }
    while (!found && has_packet(endpoint, now)) {
        Link<Packet>& in = *links_[endpoint].links.in;
        out = *in.peek(now);
        if (out.message_class >= spec_.router.classes) {
            throw ModelError(fmt::format("a packet of message class {}; the network has {}",
                                         out.message_class, spec_.router.classes));
        }
        state_.know_tag(out.tag);
        if (out.destination.kind == Destination::Kind::Set) {
            found = take_of_set(endpoint, now, out);
            continue;
        }
        in.take(now);
        ++count(out).packets;
        ++count(out).packets_expected;
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
    state_.in_flight += out.flits;
    return true;
}

/// The packet at the front is for a set: its next copy, if any member can be reached.
bool PacketFabric::take_of_set(std::uint32_t endpoint, Cycle now, Packet& out) {
    Ends& e = links_[endpoint];
    std::size_t members = 0;
    if (state_.next_copy(out, e.member, members)) e.links.in->take(now);
    return members != 0;
}

bool PacketFabric::deliver(std::uint32_t endpoint, Cycle now, Cycle at, const Packet& packet) {
    Link<Packet>* const out = links_[endpoint].links.out;
    if (out == nullptr)
        throw ModelError(fmt::format("a packet to endpoint {}, which is not in use", endpoint));
    if (!out->can_send(now)) return false;
    out->send(at, packet);
    if (state_.delivered(endpoint, packet)) ready_.add(endpoint);
    return true;
}

bool PacketFabric::damaged(std::uint32_t router, unsigned port) const {
    if (spec_.faults.loss <= 0) return false;
    const std::size_t at = port_at(router, port);
    const std::uint64_t flit = port_flits_[at] - (port_flits_before_.empty() ? 0 : port_flits_before_[at]);
    return loss_rng_.bernoulli(spec_.faults.loss, (std::uint64_t{router} << 8) | port,
                               static_cast<std::uint32_t>(flit));
}

Cycles PacketFabric::link_cycles(const Channel& c) const {
    return c.flit_ps == 0 ? 1
                          : static_cast<Cycles>(std::ceil(static_cast<double>(c.flit_ps) / period_ - 1e-9));
}

std::vector<PortUse> PacketFabric::port_use(std::uint32_t router) const {
    std::vector<PortUse> use;
    for (unsigned p = 0; p < topology_.n_ports(router); ++p) {
        const bool link = p < topology_.link_ports();
        if (link && topology_.channel(router, p).peer == kNone) continue;
        use.push_back({topology_.port_name(p), link ? topology_.channel(router, p).peer : kNone,
                       port_flits_[port_at(router, p)]});
    }
    return use;
}

}  // namespace loom::noc
