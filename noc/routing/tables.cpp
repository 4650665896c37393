// SPDX-License-Identifier: Apache-2.0
// Routing by tables on any graph: shortest ways, and shortest legal ways up and down a spanning tree.
#include <fmt/format.h>

#include "base/key_error.hpp"
#include "noc/routing/builders.hpp"

namespace loom::noc {
namespace {

constexpr std::uint64_t kMaxEntries = std::uint64_t{1} << 27;

/// [destination router][state] -> port; state: router, or router * 2 + "has gone down".
class TableRouting final : public Routing {
  public:
    TableRouting(const Topology& t, unsigned n_vcs, Function f, unsigned states)
        : Routing(t, n_vcs, f),
          states_(states),
          ports_(std::size_t{t.n_routers()} * t.n_routers() * states, kNoPort) {}
    std::uint8_t& at(std::uint32_t to, std::uint32_t state) {
        return ports_[std::size_t{to} * topology_.n_routers() * states_ + state];
    }
    std::uint8_t at(std::uint32_t to, std::uint32_t state) const {
        return ports_[std::size_t{to} * topology_.n_routers() * states_ + state];
    }
    std::vector<std::uint8_t> is_up_;  ///< [router][port]: the link leads up

  private:
    unsigned states_;
    std::vector<std::uint8_t> ports_;
};

Route shortest_hop(const Routing& base, const RouteQuery& q) {
    const auto& self = static_cast<const TableRouting&>(base);
    if (q.router == q.packet.router) return self.arrived(q);
    const unsigned port = self.at(q.packet.router, q.router);
    return {port == kNoPort ? 0 : std::uint64_t{1} << port};
}

Route up_down(const Routing& base, const RouteQuery& q) {
    const auto& self = static_cast<const TableRouting&>(base);
    const Topology& t = self.topology();
    if (q.router == q.packet.router) return self.arrived(q);
    // came down: the link back leads up
    const bool down =
        q.in_port < t.link_ports() && self.is_up_[std::size_t{q.router} * t.link_ports() + q.in_port] != 0;
    const unsigned port = self.at(q.packet.router, 2 * q.router + (down ? 1 : 0));
    return {port == kNoPort ? 0 : std::uint64_t{1} << port};
}

void check_size(const Topology& t) {
    const std::uint64_t n = std::uint64_t{t.n_routers()} * t.n_routers() * 2;
    if (n > kMaxEntries) {
        throw KeyError("noc.routing", fmt::format("tables for {} routers need {} entries, the limit is {}",
                                                  t.n_routers(), n, kMaxEntries));
    }
}

/// Level of every router in a breadth-first tree; several trees when the graph is in pieces. The root is
/// the router with the most links (the last of them: trees and stars are numbered from the leaves).
std::vector<std::uint32_t> levels(const Topology& t) {
    std::vector<std::uint32_t> level(t.n_routers(), kNone);
    const auto degree = [&](std::uint32_t r) {
        unsigned n = 0;
        for (unsigned p = 0; p < t.link_ports(); ++p) n += t.channel(r, p).peer != kNone ? 1u : 0u;
        return n;
    };
    while (true) {
        std::uint32_t root = kNone;
        for (std::uint32_t r = t.n_routers(); r-- > 0;) {
            if (level[r] == kNone && (root == kNone || (!t.root_is_last && degree(r) >= degree(root))))
                root = r;
        }
        if (root == kNone) return level;
        std::vector<std::uint32_t> queue{root};
        level[root] = 0;
        for (std::size_t i = 0; i < queue.size(); ++i) {
            for (unsigned p = 0; p < t.link_ports(); ++p) {
                const std::uint32_t peer = t.channel(queue[i], p).peer;
                if (peer == kNone || level[peer] != kNone) continue;
                level[peer] = level[queue[i]] + 1;
                queue.push_back(peer);
            }
        }
    }
}

std::unique_ptr<Routing> build_table(const arch::NocSpec&, const Topology& t, unsigned vcs) {
    check_size(t);
    auto r = std::make_unique<TableRouting>(t, vcs, shortest_hop, 1);
    for (std::uint32_t to = 0; to < t.n_routers(); ++to) {
        const auto distance = t.distances_to(to);
        for (std::uint32_t at = 0; at < t.n_routers(); ++at) {
            for (unsigned p = 0; p < t.link_ports() && distance[at] != kNone; ++p) {
                const std::uint32_t peer = t.channel(at, p).peer;
                if (peer == kNone || distance[peer] + 1 != distance[at]) continue;
                r->at(to, at) = static_cast<std::uint8_t>(p);
                break;
            }
        }
    }
    return r;
}

std::unique_ptr<Routing> build_up_down(const arch::NocSpec&, const Topology& t, unsigned vcs) {
    check_size(t);
    auto r = std::make_unique<TableRouting>(t, vcs, up_down, 2);
    const auto level = levels(t);
    const auto up = [&](std::uint32_t from, std::uint32_t to) {
        return level[to] < level[from] || (level[to] == level[from] && to > from);
    };
    r->is_up_.resize(std::size_t{t.n_routers()} * t.link_ports());
    for (std::uint32_t a = 0; a < t.n_routers(); ++a) {
        for (unsigned p = 0; p < t.link_ports(); ++p) {
            const std::uint32_t b = t.channel(a, p).peer;
            if (b != kNone) r->is_up_[std::size_t{a} * t.link_ports() + p] = up(a, b) ? 1 : 0;
        }
    }
    r->minimal = false;
    r->safe = true;
    std::vector<std::uint32_t> distance, queue;
    for (std::uint32_t to = 0; to < t.n_routers(); ++to) {
        // backwards from the destination over (router, has gone down)
        distance.assign(std::size_t{t.n_routers()} * 2, kNone);
        queue = {2 * to, 2 * to + 1};
        distance[2 * to] = distance[2 * to + 1] = 0;
        for (std::size_t i = 0; i < queue.size(); ++i) {
            const std::uint32_t router = queue[i] / 2;
            const bool down = queue[i] % 2 == 1;
            for (unsigned p = 0; p < t.link_ports(); ++p) {
                const Channel& c = t.channel(router, p);
                if (c.peer == kNone) continue;
                // a step peer -> router: goes down when the way back leads up
                const bool step_down = up(router, c.peer);
                if (step_down != down)
                    continue;  // after a step down the state is "down", after one up it is "up"
                for (const std::uint32_t before : {0u, 1u}) {
                    if (!step_down && before == 1) continue;  // never up again
                    const std::uint32_t state = 2 * c.peer + before;
                    if (distance[state] != kNone) continue;
                    distance[state] = distance[queue[i]] + 1;
                    r->at(to, state) = static_cast<std::uint8_t>(c.peer_port);
                    queue.push_back(state);
                }
            }
        }
    }
    return r;
}

}  // namespace

RoutingKind table_routing() {
    return {"table", build_table};
}

RoutingKind up_down_routing() {
    return {"up_down", build_up_down};
}

}  // namespace loom::noc
