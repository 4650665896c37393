// SPDX-License-Identifier: Apache-2.0
// Channel dependency graph: which channel a packet may hold while it waits for which other.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_set>

#include "noc/routing/routing.hpp"

namespace loom::noc {
namespace {

/// Virtual channels that routing treats alike: the two halves, or the escape channel and the rest.
class Groups {
  public:
    explicit Groups(const Routing& r)
        : vcs_(r.vcs()), n_((r.uses_halves || r.uses_escape) && r.vcs() > 1 ? 2 : 1) {}
    unsigned count() const { return n_; }
    /// A VC of the group.
    unsigned vc(unsigned group) const { return group == 0 ? 0 : vcs_ - 1; }
    /// Groups of a class, as a mask.
    unsigned of(VcClass c) const {
        if (n_ == 1) return 1;
        return c == kLowHalf || c == kEscapeVc ? 1 : c == kHighHalf || c == kAdaptiveVcs ? 2 : 3;
    }

  private:
    unsigned vcs_, n_;
};

class Dependencies {
  public:
    Dependencies(const Topology& t, const Routing& r) : t_(t), r_(r), groups_(r) {
        edges_.resize(std::size_t{t.n_routers()} * t.link_ports() * groups_.count());
    }

    void run() {
        const std::uint32_t n = t_.n_cores() / t_.cores_per_router();
        for (std::uint32_t to = 0; to < n; ++to) {
            seen_.clear();
            for (std::uint32_t from = 0; from < n; ++from) {
                if (r_.uses_source) seen_.clear();
                // coin flips of tori: both outcomes of every dimension
                for (std::uint32_t flip = 0; flip < (t_.wraps ? 8u : 1u); ++flip) walk(from, to, flip);
            }
        }
    }

    std::string cycle() {
        state_.assign(edges_.size(), 0);
        for (std::uint32_t c = 0; c < edges_.size(); ++c) {
            if (state_[c] != 0) continue;
            const std::string found = search(c);
            if (!found.empty()) return found;
        }
        return "";
    }

  private:
    struct State {
        std::uint32_t router, channel;  ///< channel: the one it holds, or kNone at the source
        unsigned in_port, in_vc;
        std::int16_t dx, dy;
    };

    std::uint32_t channel(std::uint32_t router, unsigned port, unsigned group) const {
        return (router * t_.link_ports() + port) * groups_.count() + group;
    }

    void walk(std::uint32_t from, std::uint32_t to, std::uint32_t flip) {
        PacketRecord p;
        address(t_, from * t_.cores_per_router(), to * t_.cores_per_router(), p);
        p.packet.source = EndpointId{from * t_.cores_per_router()};
        p.packet.entered = flip * 7919u;
        std::vector<State> todo{{from, kNone, t_.link_ports(), 0, p.dx, p.dy}};
        while (!todo.empty()) {
            const State s = todo.back();
            todo.pop_back();
            p.dx = s.dx;
            p.dy = s.dy;
            const Route route = r_({s.router, s.in_port, s.in_vc, p});
            for (unsigned port = 0; port < t_.link_ports(); ++port) {
                unsigned groups = (route.ports >> port & 1u) != 0 ? groups_.of(route.vcs) : 0;
                if (route.escape_port == port) groups |= groups_.of(kEscapeVc);
                for (unsigned g = 0; g < groups_.count(); ++g) {
                    if ((groups >> g & 1u) == 0) continue;
                    const std::uint32_t next = channel(s.router, port, g);
                    if (s.channel != kNone && counts(s.channel) && counts(next)) add(s.channel, next);
                    if (!seen_.insert((std::uint64_t{next} << 3) | flip).second) continue;
                    const Channel& c = t_.channel(s.router, port);
                    todo.push_back({c.peer, next, c.peer_port, groups_.vc(g), p.dx, p.dy});
                }
            }
        }
    }

    /// With an escape channel only its dependencies count: who is on it stays on it, and it is always
    /// among the candidates.
    bool counts(std::uint32_t c) const { return !r_.uses_escape || groups_.count() == 1 || c % 2 == 0; }

    void add(std::uint32_t a, std::uint32_t b) {
        auto& e = edges_[a];
        if (std::find(e.begin(), e.end(), b) == e.end()) e.push_back(b);
    }

    std::string search(std::uint32_t root) {
        std::vector<std::pair<std::uint32_t, std::size_t>> path{{root, 0}};
        state_[root] = 1;
        while (!path.empty()) {
            auto& [c, next] = path.back();
            if (next == edges_[c].size()) {
                state_[c] = 2;
                path.pop_back();
                continue;
            }
            const std::uint32_t to = edges_[c][next++];
            if (state_[to] == 1) {
                std::string text;
                auto at =
                    std::find_if(path.begin(), path.end(), [&](const auto& e) { return e.first == to; });
                for (; at != path.end(); ++at) text += name(at->first) + " -> ";
                return text + name(to);
            }
            if (state_[to] == 0) {
                state_[to] = 1;
                path.emplace_back(to, 0);
            }
        }
        return "";
    }

    std::string name(std::uint32_t c) const {
        const std::uint32_t link = c / groups_.count();
        const std::string group = groups_.count() == 1 ? ""
                                  : r_.uses_escape     ? (c % 2 == 0 ? " escape VC" : " other VCs")
                                                       : (c % 2 == 0 ? " lower VCs" : " upper VCs");
        return fmt::format("router {} {}{}", t_.router_name(link / t_.link_ports()),
                           t_.port_name(link % t_.link_ports()), group);
    }

    const Topology& t_;
    const Routing& r_;
    Groups groups_;
    std::vector<std::vector<std::uint32_t>> edges_;
    std::unordered_set<std::uint64_t> seen_;
    std::vector<std::uint8_t> state_;
};

}  // namespace

std::string deadlock_cycle(const arch::NocSpec& spec, const Topology& topology, const Routing& routing) {
    constexpr std::uint64_t kSide = 12;
    const bool regular = topology.regular && !topology.grid.empty();
    const std::uint64_t most = topology.grid.size() == 3 ? 5 : kSide;
    if (regular &&
        std::any_of(topology.grid.begin(), topology.grid.end(), [&](auto k) { return k > most; })) {
        arch::NocSpec small = spec;
        small.cores_per_router = 1;
        small.address_bits = 0;
        small.router.kind = "vc";  // delays do not matter, so no time base is needed
        for (std::uint64_t& k : small.size) k = k > most ? most - 2 + k % 2 : k;
        const Topology t = make_topology(small, 1000, {0});
        const auto r = make_routing(small, t, routing.vcs());
        Dependencies d(t, *r);
        d.run();
        return d.cycle();
    }
    if (topology.n_routers() > 2048) return "";  // trees, stars: up*/down* is safe on any graph
    Dependencies d(topology, routing);
    d.run();
    return d.cycle();
}

}  // namespace loom::noc
