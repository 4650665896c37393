// SPDX-License-Identifier: Apache-2.0
#include "noc/mesh_network.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/error.hpp"

namespace loom::noc {
namespace {

unsigned checked(const char* key, std::uint64_t value, std::uint64_t max) {
    if (value == 0 || value > max)
        throw ConfigError(fmt::format("noc.router.{}: {} is not in 1..{}", key, value, max));
    return static_cast<unsigned>(value);
}

std::uint64_t longest_delay(const Mesh& mesh) {
    return std::max(mesh.latency_x(), mesh.latency_y()) + 4;
}

}  // namespace

MeshNetwork::MeshNetwork(const arch::ChipSpec& spec)
    : mesh_(spec),
      pipeline_(find_pipeline(spec.noc.router.pipeline)),
      fabric_(checked("vcs", spec.noc.router.vcs, 64), checked("buffer", spec.noc.router.buffer, 4096),
              longest_delay(mesh_)),
      routers_(fabric_, mesh_, pipeline_, find_routing(spec.noc.routing)),
      endpoints_(fabric_, mesh_) {}

void MeshNetwork::attach(EndpointId endpoint, EndpointLinks links) {
    endpoints_.attach(index(endpoint), links);
}

Cycle MeshNetwork::evaluate(Cycle now) {
    Calendar& calendar = fabric_.calendar;
    calendar.drain_credits(now, [&](const Calendar::Credits& c) {
        for (const auto& e : c.router) routers_.receive(e);
        for (const auto& e : c.endpoint) endpoints_.receive(e);
    });
    if (calendar.flits_due(now)) {
        const Calendar::Flits& f = calendar.flits(now);
        for (const auto& e : f.router) routers_.receive(e, now);
        for (const auto& e : f.endpoint) endpoints_.receive(e);
        calendar.clear_flits(now);
    }
    if (!wakes_.empty()) {
        std::erase_if(wakes_, [&](const Wake& w) {
            if (w.at > now) return false;
            endpoints_.activate(w.endpoint);
            return true;
        });
    }
    if (routers_.active()) routers_.evaluate(now);
    if (endpoints_.active()) endpoints_.evaluate(now);
    if (routers_.active() || endpoints_.active()) return now + 1;
    return calendar.next(now, routers_.waits_for_credit() || endpoints_.waits_for_credit());
}

void MeshNetwork::reset() {
    if (fabric_.in_flight != 0) throw InternalError("the network is reset while packets are in it");
    fabric_.calendar.clear_all();  // credits on their way: all are given back below
    routers_.reset();
    endpoints_.reset();
}

std::vector<std::uint64_t> MeshNetwork::port_flits(std::size_t router) const {
    return routers_.port_flits(static_cast<std::uint32_t>(router));
}

std::string MeshNetwork::describe_stuck(std::size_t limit) const {
    std::vector<std::string> lines;
    routers_.describe(lines, limit);
    endpoints_.describe(lines, limit);
    return lines.empty() ? "the network is empty" : fmt::format("{}", fmt::join(lines, "; "));
}

Cycles MeshNetwork::zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const {
    const Coord a = mesh_.coord(mesh_.router_of(index(from))), b = mesh_.coord(mesh_.router_of(index(to)));
    const Cycles router = pipeline_.hop_cycles() - 1;
    const auto distance = [](std::uint16_t p, std::uint16_t q) {
        return static_cast<Cycles>(p > q ? p - q : q - p);
    };
    const Cycles dx = distance(a.x, b.x), dy = distance(a.y, b.y);
    // link to the interface, link to the router, hops, last router, link to the core, further flits
    return 1 + 1 + dx * (router + mesh_.latency_x()) + dy * (router + mesh_.latency_y()) + router +
           mesh_.local_latency() + (flits - 1);
}

}  // namespace loom::noc
