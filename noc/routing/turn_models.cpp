// SPDX-License-Identifier: Apache-2.0
// Partially adaptive routing by forbidden turns on 2-D meshes (Glass and Ni 1992; odd-even: Chiu 2000).
// North is -y, as in Noxim; candidates as in Noxim's routers.
#include <fmt/format.h>

#include "base/key_error.hpp"
#include "noc/routing/routing_kind.hpp"

namespace loom::noc {
namespace {

constexpr unsigned kEast = 0, kWest = 1, kSouth = 2, kNorth = 3;

struct Turn {
    const Routing& routing;
    const RouteQuery& q;
    Coord here, to;
    Turn(const Routing& r, const RouteQuery& query)
        : routing(r), q(query), here(r.topology().coord(query.router)), to(query.packet.at) {}
    bool arrived() const { return here == to; }
    std::uint64_t local() const { return routing.arrived(q).ports; }
    std::uint64_t port(unsigned p) const { return routing.link(q.router, p); }
    std::uint64_t x() const { return here.x == to.x ? 0 : port(here.x < to.x ? kEast : kWest); }
    std::uint64_t y() const { return here.y == to.y ? 0 : port(here.y < to.y ? kSouth : kNorth); }
};

Route west_first(const Routing& r, const RouteQuery& q) {
    const Turn t(r, q);
    if (t.arrived()) return {t.local()};
    return {t.to.x < t.here.x ? t.x() : t.x() | t.y()};
}

Route north_last(const Routing& r, const RouteQuery& q) {
    const Turn t(r, q);
    if (t.arrived()) return {t.local()};
    if (t.to.y < t.here.y) return {t.here.x != t.to.x ? t.x() : t.y()};
    return {t.x() | t.y()};
}

Route negative_first(const Routing& r, const RouteQuery& q) {
    const Turn t(r, q);
    if (t.arrived()) return {t.local()};
    const std::uint64_t negative = (t.to.x < t.here.x ? t.x() : 0) | (t.to.y < t.here.y ? t.y() : 0);
    const bool any_negative = t.to.x < t.here.x || t.to.y < t.here.y;
    return {any_negative ? negative : t.x() | t.y()};
}

Route odd_even(const Routing& r, const RouteQuery& q) {
    const Turn t(r, q);
    if (t.arrived()) return {t.local()};
    if (t.here.x == t.to.x) return {t.y()};
    if (t.to.x > t.here.x) {
        if (t.here.y == t.to.y) return {t.x()};
        const bool turn_y = t.here.x % 2 == 1 || t.here.x == q.packet.from.x;
        const bool go_on = t.to.x % 2 == 1 || t.to.x - t.here.x != 1;
        return {(turn_y ? t.y() : 0) | (go_on ? t.x() : 0)};
    }
    return {t.x() | (t.here.x % 2 == 0 ? t.y() : 0)};
}

std::unique_ptr<Routing> build(const arch::NocSpec& spec, const Topology& t, unsigned vcs,
                               Routing::Function f) {
    const bool extra = t.n_routers() > t.n_cores() / t.cores_per_router();
    if (t.grid.size() != 2 || t.wraps || extra) {
        throw KeyError("noc.routing", fmt::format("{} needs a mesh of 2 dimensions", spec.routing));
    }
    auto r = std::make_unique<Routing>(t, vcs, f);
    r->several = r->by_coordinates = true;
    r->uses_source = f == odd_even;
    return r;
}

RoutingKind kind(const char* name, Routing::Function f) {
    return {name, [f](const arch::NocSpec& spec, const Topology& t, unsigned vcs) {
                return build(spec, t, vcs, f);
            }};
}

}  // namespace

RoutingKind west_first_routing() {
    return kind("west_first", west_first);
}
RoutingKind north_last_routing() {
    return kind("north_last", north_last);
}
RoutingKind negative_first_routing() {
    return kind("negative_first", negative_first);
}
RoutingKind odd_even_routing() {
    return kind("odd_even", odd_even);
}

}  // namespace loom::noc
