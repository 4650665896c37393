// SPDX-License-Identifier: Apache-2.0
// Dimension order on meshes, tori and triangular tori, in any order of the dimensions.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/key_error.hpp"
#include "base/rng.hpp"
#include "noc/routing/builders.hpp"

namespace loom::noc {
namespace {

class DimensionOrder final : public Routing {
  public:
    DimensionOrder(const Topology& t, unsigned n_vcs, Function f, std::vector<unsigned> order)
        : Routing(t, n_vcs, f), order_(std::move(order)) {
        for (std::uint32_t r = 0; r < t.n_routers(); ++r) here_.push_back(t.coord(r));
    }
    std::vector<unsigned> order_;
    std::vector<Coord> here_;
};

Route mesh(const Routing& base, const RouteQuery& q) {
    const auto& self = static_cast<const DimensionOrder&>(base);
    const Coord here = self.here_[q.router], to = q.packet.at;
    for (const unsigned d : self.order_) {
        if (here[d] == to[d]) continue;
        return {self.link(q.router, 2 * d + (here[d] < to[d] ? 0 : 1))};
    }
    return self.arrived(q);
}

Route xy(const Routing& base, const RouteQuery& q) {
    const auto& self = static_cast<const DimensionOrder&>(base);
    const Coord here = self.here_[q.router], to = q.packet.at;
    if (here.x != to.x) return {self.link(q.router, here.x < to.x ? 0 : 1)};
    if (here.y != to.y) return {self.link(q.router, here.y < to.y ? 2 : 3)};
    return self.arrived(q);
}

/// The same where no link is missing.
Route xy_regular(const Routing& base, const RouteQuery& q) {
    const Coord here = static_cast<const DimensionOrder&>(base).here_[q.router], to = q.packet.at;
    if (here.x != to.x) return {std::uint64_t{here.x < to.x ? 1u : 2u}};
    if (here.y != to.y) return {std::uint64_t{here.y < to.y ? 4u : 8u}};
    return {std::uint64_t{1} << q.packet.port};
}

/// Keeps the half of the VCs within a ring; on entering one, the upper half if the way crosses the edge
/// between the last node and the first.
Route ring(const DimensionOrder& self, const RouteQuery& q, unsigned port, bool crosses) {
    Route r{self.link(q.router, port)};
    const bool inside = q.in_port == (port ^ 1u);
    const bool high = inside ? q.in_vc >= self.vcs() / 2 && self.vcs() > 1 : crosses;
    r.vcs = high ? kHighHalf : kLowHalf;
    return r;
}

Route torus(const Routing& base, const RouteQuery& q) {
    const auto& self = static_cast<const DimensionOrder&>(base);
    const Coord here = self.here_[q.router], to = q.packet.at;
    for (const unsigned d : self.order_) {
        if (here[d] == to[d]) continue;
        const unsigned k = self.topology().grid[d];
        const unsigned up = (to[d] + k - here[d]) % k, down = k - up;
        const bool inside = q.in_port / 2 == d && q.in_port < self.topology().link_ports();
        const bool go_up =
            inside ? (q.in_port & 1u) != 0 : up < down || (up == down && ring_coin(q.packet, d));
        return ring(self, q, 2 * d + (go_up ? 0 : 1), go_up ? to[d] < here[d] : to[d] > here[d]);
    }
    return self.arrived(q);
}

/// Shortest vector of a triangular torus: steps along the diagonal, then x, then y.
struct Steps {
    int diagonal, x, y;
};
Steps shortest(int dx, int dy) {
    if (dx > 0 && dy > 0) {
        const int s = std::min(dx, dy);
        return {s, dx - s, dy - s};
    }
    if (dx < 0 && dy < 0) {
        const int s = std::max(dx, dy);
        return {s, dx - s, dy - s};
    }
    return {0, dx, dy};
}

Steps steps(const Topology& t, Coord a, Coord b) {
    const int kx = static_cast<int>(t.grid[0]), ky = static_cast<int>(t.grid[1]);
    const int dx = (b.x - a.x + kx) % kx, dy = (b.y - a.y + ky) % ky;
    Steps best{0, 0, 0};
    int least = 1 << 30;
    for (const int x : {dx, dx - kx}) {
        for (const int y : {dy, dy - ky}) {
            const Steps s = shortest(x, y);
            const int n = std::abs(s.diagonal) + std::abs(s.x) + std::abs(s.y);
            if (n < least) {
                least = n;
                best = s;
            }
        }
    }
    return best;
}

Route triangular(const Routing& base, const RouteQuery& q) {
    const auto& self = static_cast<const DimensionOrder&>(base);
    const Topology& t = self.topology();
    const Coord here = self.here_[q.router], to = q.packet.at;
    if (here == to) return self.arrived(q);
    const Steps s = steps(t, here, to);
    const int kx = static_cast<int>(t.grid[0]), ky = static_cast<int>(t.grid[1]);
    const auto crosses = [](int at, int n, int k) { return at + n >= k || at + n < 0; };
    if (s.diagonal != 0) return ring(self, q, s.diagonal > 0 ? 4 : 5, crosses(here.x, s.diagonal, kx));
    if (s.x != 0) return ring(self, q, s.x > 0 ? 0 : 1, crosses(here.x, s.x, kx));
    return ring(self, q, s.y > 0 ? 2 : 3, crosses(here.y, s.y, ky));
}

/// The packet carries the hops left in x and y, and every router counts one down.
Route relative(const Routing& base, const RouteQuery& q) {
    const auto& self = static_cast<const DimensionOrder&>(base);
    PacketRecord& p = q.packet;
    if (p.dx != 0) {
        const bool up = p.dx > 0;
        p.dx = static_cast<std::int16_t>(p.dx - (up ? 1 : -1));
        return {self.link(q.router, up ? 0 : 1)};
    }
    if (p.dy != 0) {
        const bool up = p.dy > 0;
        p.dy = static_cast<std::int16_t>(p.dy - (up ? 1 : -1));
        return {self.link(q.router, up ? 2 : 3)};
    }
    return self.arrived(q);
}

/// Chips joined by bridges: x, then y in the coordinates of the whole; a merger sends everything on towards
/// the bridge, a splitter back into the row or column that the packet is in.
Route bridged(const Routing& base, const RouteQuery& q) {
    const auto& self = static_cast<const DimensionOrder&>(base);
    const Topology& t = self.topology();
    if (q.router < t.n_cores() / t.cores_per_router()) return xy(base, q);
    const unsigned up = t.link_ports() - 1;
    if (q.in_port != up) return {self.link(q.router, up)};
    const Coord corner = self.here_[q.router];
    // port 0 of a second stage leads to a merger of the first, which has up to `up` channels
    const bool second = t.channel(q.router, 0).kind == kLinkOther;
    const bool in_x = second ? self.here_[t.channel(q.router, up).peer].x != corner.x
                             : axis(t.channel(q.router, 0).kind) == kLinkX;
    const auto row = static_cast<unsigned>(in_x ? q.packet.from.y - corner.y : q.packet.at.x - corner.x);
    return {self.link(q.router, second ? row / up : row)};
}

std::vector<unsigned> whole_order(const Topology& t, const std::string& first) {
    std::vector<unsigned> order;
    for (const char c : first) {
        const auto d = static_cast<unsigned>(c - 'x');
        if (d < t.grid.size()) order.push_back(d);
    }
    for (unsigned d = 0; d < t.grid.size(); ++d) {
        if (std::find(order.begin(), order.end(), d) == order.end()) order.push_back(d);
    }
    return order;
}

/// Routers beyond those with cores: those of bridges.
bool has_bridges(const Topology& t) {
    return t.n_routers() > t.n_cores() / t.cores_per_router();
}

void check_grid(const Topology& t) {
    if (!t.grid.empty()) return;
    throw KeyError("noc.routing",
                   fmt::format("dimension order needs a grid, not a {}; use up_down or table", t.name));
}

/// The dimensions of `first` ("yx"), then the others.
std::unique_ptr<Routing> build_in_order(const arch::NocSpec& spec, const Topology& t, unsigned vcs,
                                        const std::string& first) {
    check_grid(t);
    const std::vector<unsigned> order = whole_order(t, first);
    const bool plain = order.size() == 2 && order[0] == 0, chips = has_bridges(t);
    if ((chips || t.diagonals) && !plain) {
        throw KeyError("noc.routing",
                       fmt::format("{} is not known on this {}; use xy", spec.routing, t.name));
    }
    const Routing::Function f = chips         ? bridged
                                : t.diagonals ? triangular
                                : t.wraps     ? torus
                                : plain       ? (t.regular ? xy_regular : xy)
                                              : mesh;
    auto r = std::make_unique<DimensionOrder>(t, vcs, f, order);
    r->uses_halves = t.wraps;
    r->plain_xy = f == xy_regular;
    r->uses_source = chips;
    r->minimal = !chips;  // a merger could change rows
    r->by_coordinates = true;
    return r;
}

std::unique_ptr<Routing> build_relative(const arch::NocSpec& spec, const Topology& t, unsigned vcs) {
    check_grid(t);
    if (t.wraps || has_bridges(t) || t.grid.size() > 2)
        throw KeyError("noc.routing", "relative needs a mesh of 1 or 2 dimensions");
    const std::uint32_t widest = *std::max_element(t.grid.begin(), t.grid.end()) - 1;
    if (spec.address_bits != 0 && widest > (std::uint64_t{1} << (spec.address_bits - 1)) - 1) {
        throw KeyError("noc.address_bits",
                       fmt::format("{} bits reach {} hops, the mesh needs {}", spec.address_bits,
                                   (std::uint64_t{1} << (spec.address_bits - 1)) - 1, widest));
    }
    auto r = std::make_unique<DimensionOrder>(t, vcs, relative, whole_order(t, ""));
    r->uses_source = r->by_coordinates = true;
    return r;
}

}  // namespace

bool ring_coin(const PacketRecord& p, unsigned dimension) {
    std::uint32_t h = p.entered * 2654435761u + index(p.packet.source) * 40503u + p.packet.axon * 2246822519u;
    h ^= h >> 15;
    h *= 0x85ebca6bu;
    h ^= h >> 13;
    return (h >> dimension & 1u) != 0;
}

RoutingKind dimension_order(const std::string& order) {
    return {order, [order](const arch::NocSpec& spec, const Topology& t, unsigned vcs) {
                return build_in_order(spec, t, vcs, order);
            }};
}

RoutingKind natural_dimension_order() {
    RoutingKind kind = dimension_order("");
    kind.name = "dimension_order";
    return kind;
}

RoutingKind relative_routing() {
    return {"relative", build_relative, {"address_bits"}};
}

}  // namespace loom::noc
