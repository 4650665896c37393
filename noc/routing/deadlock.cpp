// SPDX-License-Identifier: Apache-2.0
// The channel dependency graph of a routing function, by following packets between all pairs of routers.
#include <fmt/format.h>

#include <algorithm>

#include "base/key_error.hpp"
#include "noc/routing/channel_graph.hpp"

namespace loom::noc {
namespace {

/// Pairs (times ways of a pair) that are still followed; about a second.
constexpr std::uint64_t kMostPairs = std::uint64_t{1} << 24;

class Walker {
  public:
    Walker(const Topology& t, const Routing& r)
        : t_(t),
          r_(r),
          graph_(t, r),
          seen_(graph_.n_channels(), 0),
          sources_(t.n_cores() / t.cores_per_router()),
          // tori: every outcome of the coins that are thrown per dimension
          coins_(r.uses_halves && !t.diagonals ? 1u << t.grid.size() : 1u) {}

    std::uint64_t cost() const {
        // where the source matters every way is followed to its end, otherwise to the first known router
        return std::uint64_t{sources_} * sources_ * coins_ * (r_.uses_source ? 8 : 1);
    }

    ChannelGraph& graph() { return graph_; }

    /// Empty, or why the escape channel is no way out.
    std::string run() {
        for (std::uint32_t coins = 0; coins < coins_; ++coins) {
            std::vector<std::uint32_t> entered;
            for (std::uint32_t s = 0; s < sources_; ++s) entered.push_back(entered_for(s, coins));
            for (std::uint32_t to = 0; to < sources_; ++to) {
                ++stamp_;
                for (std::uint32_t from = 0; from < sources_; ++from) {
                    if (r_.uses_source) ++stamp_;
                    const std::string bad = walk(from, to, entered[from]);
                    if (!bad.empty()) return bad;
                }
            }
        }
        return "";
    }

  private:
    struct State {
        std::uint32_t router, channel;  ///< channel: the one it holds, or kNone at the source
        unsigned in_port, in_vc;
        std::int16_t dx, dy;
    };

    std::uint32_t endpoint(std::uint32_t router) const { return router * t_.cores_per_router(); }

    /// A cycle of entering in which the packets of a source draw these coins.
    std::uint32_t entered_for(std::uint32_t source, std::uint32_t coins) const {
        PacketRecord p;
        p.packet.source = EndpointId{endpoint(source)};
        const auto drawn = [&] {
            std::uint32_t bits = 0;
            for (unsigned d = 0; d < t_.grid.size(); ++d) bits |= (ring_coin(p, d) ? 1u : 0u) << d;
            return bits;
        };
        while (coins_ > 1 && drawn() != coins) ++p.entered;
        return p.entered;
    }

    std::string walk(std::uint32_t from, std::uint32_t to, std::uint32_t entered) {
        PacketRecord p;
        address(t_, endpoint(from), endpoint(to), p);
        p.packet.source = EndpointId{endpoint(from)};
        p.entered = entered;
        todo_ = {{from, kNone, t_.link_ports(), 0, p.dx, p.dy}};
        while (!todo_.empty()) {
            const State s = todo_.back();
            todo_.pop_back();
            p.dx = s.dx;
            p.dy = s.dy;
            const Route route = r_({s.router, s.in_port, s.in_vc, p});
            const bool escapes = route.escape_port != kNoPort;
            if (route.vcs == kAdaptiveVcs && route.ports != 0 && !escapes)
                return fmt::format("router {} has no escape channel", t_.router_name(s.router));
            for (unsigned port = 0; port < t_.link_ports(); ++port) {
                unsigned groups = (route.ports >> port & 1u) != 0 ? graph_.groups_of(route.vcs) : 0;
                if (escapes && route.escape_port == port) groups |= graph_.groups_of(kEscapeVc);
                for (unsigned g = 0; groups != 0 && g < graph_.groups(); ++g) {
                    if ((groups >> g & 1u) != 0) follow(s, port, g, p);
                }
            }
        }
        return "";
    }

    void follow(const State& s, unsigned port, unsigned group, const PacketRecord& p) {
        if (s.channel != kNone) graph_.add(s.channel, port, group);
        const Channel& c = t_.channel(s.router, port);
        const std::uint32_t next = graph_.channel(c.peer, c.peer_port, group);
        if (seen_[next] == stamp_) return;
        seen_[next] = stamp_;
        todo_.push_back({c.peer, next, c.peer_port, graph_.vc(group), p.dx, p.dy});
    }

    const Topology& t_;
    const Routing& r_;
    ChannelGraph graph_;
    std::vector<std::uint32_t> seen_;
    std::uint32_t stamp_ = 0;
    std::uint32_t sources_, coins_;
    std::vector<State> todo_;
};

/// The smallest grid with the same cycles: rings of four or five have ways of two links both ways round, and
/// odd-even looks at the parity of columns.
std::string by_small_grid(const arch::NocSpec& spec, const Topology& topology, const Routing& routing) {
    arch::NocSpec small;
    small.shapes = spec.shapes;
    small.topology = spec.topology;
    small.routing = spec.routing;
    small.size = spec.size;
    small.chips.grid = spec.chips.grid;
    for (std::uint64_t& k : small.size) k = k > 7 || topology.grid.size() > 2 ? std::min(k, 4 + k % 2) : k;
    for (std::uint64_t& k : small.chips.grid) k = std::min<std::uint64_t>(k, 3);
    const Topology t = make_topology(small, 1000, {0});
    const auto r = make_routing(small, t, routing.vcs());
    r->uses_halves = routing.uses_halves;
    return deadlock_cycle(t, *r, {});
}

}  // namespace

std::string deadlock_cycle(const Topology& topology, const Routing& routing, std::span<const Turn> extra) {
    Walker w(topology, routing);
    if (w.cost() > kMostPairs) {
        if (routing.safe && extra.empty()) return "";
        throw KeyError("noc.routing", fmt::format("this {} of {} routers is too large to be checked for "
                                                  "deadlocks; use a smaller one, or routing: up_down",
                                                  topology.name, topology.n_routers()));
    }
    const std::string bad = w.run();
    if (!bad.empty()) return bad;
    ChannelGraph& g = w.graph();
    for (const Turn& turn : extra) {
        for (unsigned a = 0; a < g.groups(); ++a) {
            for (unsigned b = 0; b < g.groups(); ++b)
                g.add(g.channel(turn.router, turn.in_port, a), turn.out_port, b);
        }
    }
    return g.cycle();
}

std::string deadlock_cycle(const arch::NocSpec& spec, const Topology& topology, const Routing& routing) {
    const bool large = topology.n_routers() > 64;
    if (routing.by_coordinates && !topology.diagonals && large) return by_small_grid(spec, topology, routing);
    return deadlock_cycle(topology, routing, {});
}

}  // namespace loom::noc
