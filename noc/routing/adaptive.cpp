// SPDX-License-Identifier: Apache-2.0
// Fully adaptive minimal routing on meshes with an escape channel (Duato 1993): VC 0 is the escape
// channel, and who is on it stays on it; the other VCs go any way that brings the packet nearer. The escape
// channel is dimension order, or up*/down* where links are dead: so whatever can be reached is reached.
#include <fmt/format.h>

#include <bit>

#include "base/key_error.hpp"
#include "noc/routing/builders.hpp"

namespace loom::noc {
namespace {

class Adaptive final : public Routing {
  public:
    Adaptive(const Topology& t, unsigned n_vcs, Function f, std::unique_ptr<Routing> escape)
        : Routing(t, n_vcs, f), escape_(std::move(escape)) {}
    std::unique_ptr<Routing> escape_;
};

Route adaptive(const Routing& base, const RouteQuery& q) {
    const auto& self = static_cast<const Adaptive&>(base);
    const Topology& t = self.topology();
    const Coord here = t.coord(q.router), to = q.packet.at;
    if (here == to) return self.arrived(q);
    const bool escaping = q.in_port < t.link_ports() && q.in_vc == 0;
    // who changes over to the escape channel starts anew on it
    const Route escape =
        (*self.escape_)({q.router, escaping ? q.in_port : t.link_ports(), q.in_vc, q.packet});
    if (escaping) return {escape.ports, kEscapeVc};
    Route r;
    r.vcs = kAdaptiveVcs;
    if (escape.ports == 0) return r;
    r.escape_port = static_cast<std::uint8_t>(std::countr_zero(escape.ports));
    for (unsigned d = 0; d < t.grid.size(); ++d) {
        if (here[d] != to[d]) r.ports |= self.link(q.router, 2 * d + (here[d] < to[d] ? 0 : 1));
    }
    return r;
}

std::unique_ptr<Routing> build(const arch::NocSpec& spec, const Topology& t, unsigned vcs) {
    if (t.grid.empty() || t.wraps || t.n_routers() > t.n_cores() / t.cores_per_router()) {
        throw KeyError("noc.routing", "adaptive needs a mesh");
    }
    if (vcs < 2)
        throw KeyError("noc.router.vcs", "adaptive routing needs 2 VCs of a message class, one to escape");
    const RoutingKind escape = t.regular ? natural_dimension_order() : up_down_routing();
    auto r = std::make_unique<Adaptive>(t, vcs, adaptive, escape.build(spec, t, vcs));
    r->several = r->uses_escape = true;
    r->minimal = r->by_coordinates = t.regular;
    r->safe = !t.regular;
    return r;
}

}  // namespace

RoutingKind adaptive_routing() {
    return {"adaptive", build};
}

}  // namespace loom::noc
