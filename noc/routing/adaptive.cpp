// SPDX-License-Identifier: Apache-2.0
// Fully adaptive minimal routing on meshes with an escape channel (Duato 1993): VC 0 is dimension order,
// and who is on it stays on it; the other VCs go any way that brings the packet nearer.
#include <fmt/format.h>

#include "noc/routing/builders.hpp"
#include "sim/base/error.hpp"

namespace loom::noc {
namespace {

Route adaptive(const Routing& self, const RouteQuery& q) {
    const Topology& t = self.topology();
    const Coord here = t.coord(q.router), to = q.packet.at;
    if (here == to) return {std::uint64_t{1} << q.packet.port};
    Route r;
    std::uint64_t escape = 0;
    for (unsigned d = 0; d < t.grid.size(); ++d) {
        if (here[d] == to[d]) continue;
        const unsigned port = 2 * d + (here[d] < to[d] ? 0 : 1);
        if (r.escape_port == kNoPort) {
            r.escape_port = static_cast<std::uint8_t>(port);
            escape = self.link(q.router, port);
        }
        r.ports |= self.link(q.router, port);
    }
    if (escape == 0) r.escape_port = kNoPort;
    r.vcs = kAdaptiveVcs;
    if (q.in_port < t.link_ports() && q.in_vc == 0) {
        r.ports = escape;
        r.vcs = kEscapeVc;
        r.escape_port = kNoPort;
    }
    return r;
}

}  // namespace

std::unique_ptr<Routing> build_adaptive(const arch::NocSpec&, const Topology& t, unsigned vcs) {
    if (t.grid.empty() || t.wraps || t.n_routers() > t.n_cores() / t.cores_per_router()) {
        throw ConfigError("noc.routing: adaptive needs a mesh");
    }
    if (vcs < 2)
        throw ConfigError("noc.router.vcs: adaptive routing needs 2 VCs of a message class, one to escape");
    auto r = std::make_unique<Routing>(t, vcs, adaptive);
    r->several = r->uses_escape = true;
    return r;
}

}  // namespace loom::noc
