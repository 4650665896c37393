// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign/foreign_network.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace loom::foreign {

ForeignNetwork::ForeignNetwork(NetworkModule& module, noc::Topology topology)
    : module_(module), topology_(std::move(topology)) {
    for (std::uint32_t e = 0; e < topology_.n_endpoints(); ++e) {
        Gate& gate = gates_.emplace_back(*this, e);
        gate.port = module_.face(e).connect(gate.end);
    }
}

void ForeignNetwork::bind(kernel::ClockDomain& domain, Scheduler::ComponentId component) {
    domain_ = &domain;
    id_ = component;
    for (Gate& gate : gates_) gate.end.bind(domain, component);
}

void ForeignNetwork::attach(EndpointId endpoint, EndpointLinks links) {
    Gate& gate = gates_[index(endpoint)];
    gate.end.attach(links.in, links.out);
    gate.receives = links.out != nullptr;
}

Cycle ForeignNetwork::evaluate(Cycle) {
    if (domain_ == nullptr) throw InternalError("a foreign network without a clock domain");
    if (!asked_) domain_->on_time(*this);
    asked_ = true;
    return kNever;
}

void ForeignNetwork::act(Cycle now) {
    asked_ = false;
    bool open = false;
    Cycle next = kNever;
    for (Gate& gate : gates_) {
        const Port::Exchange e = gate.port->exchange(now);
        open |= e.open;
        next = std::min(next, e.next);
    }
    if (next != kNever) domain_->wake_at(id_, next);
    const bool keep = open || inside_ != 0 || module_.busy();
    if (keep == keeps_time_) return;
    keeps_time_ = keep;
    keep ? domain_->keep_time() : domain_->release_time();
}

void ForeignNetwork::entering(Cycle, const Packet& packet) {
    if (packet.destination.kind != Destination::Kind::Endpoint) {
        throw UnsupportedError(std::string(module_.name()) + ": a foreign network has no destination sets");
    }
    const std::uint32_t to = packet.destination.value;
    if (to >= gates_.size() || !gates_[to].receives)
        throw ModelError(
            fmt::format("{}: a packet for endpoint {}, which is not in use", module_.name(), to));
    noc::NocCounters& c = counters_of(packet);
    ++c.packets;
    ++c.packets_expected;
    c.ni_in += packet.flits;
    ++inside_;
    flits_inside_ += packet.flits;
}

void ForeignNetwork::leaving(Cycle, std::uint32_t endpoint, Packet& packet) {
    if (packet.destination.kind != Destination::Kind::Endpoint || packet.destination.value != endpoint) {
        throw ModelError(fmt::format("{}: a packet for endpoint {} comes out at endpoint {}", module_.name(),
                                     packet.destination.value, endpoint));
    }
    if (inside_ == 0) throw ModelError(fmt::format("{}: more packets come out than went in", module_.name()));
    packet.hops = static_cast<std::uint16_t>(zero_load_hops(packet.source, EndpointId{endpoint}));
    noc::NocCounters& c = counters_of(packet);
    ++c.packets_delivered;
    c.ni_out += packet.flits;
    c.local += packet.flits;
    --inside_;
    flits_inside_ -= std::min<std::size_t>(flits_inside_, packet.flits);
}

noc::NocCounters& ForeignNetwork::counters_of(const Packet& packet) {
    if (packet.tag >= counters_.size()) counters_.resize(packet.tag + std::size_t{1});
    return counters_[packet.tag];
}

std::string ForeignNetwork::describe_stuck(std::size_t) const {
    return fmt::format("{} packets inside the network {}", inside_, module_.name());
}

Cycles ForeignNetwork::zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const {
    return module_.zero_load_latency(index(from), index(to), flits);
}

unsigned ForeignNetwork::zero_load_hops(EndpointId from, EndpointId to) const {
    return topology_.distance(topology_.router_of(index(from)), topology_.router_of(index(to)));
}

std::uint32_t ForeignNetwork::add_set(EndpointId, std::span<const std::uint32_t>) {
    throw UnsupportedError("noc.router.kind: a foreign network has no destination sets");
}

}  // namespace loom::foreign
