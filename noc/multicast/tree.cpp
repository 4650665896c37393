// SPDX-License-Identifier: Apache-2.0
#include "noc/multicast/tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/key_error.hpp"

namespace loom::noc {

TreeBuilder::TreeBuilder(const Routing& routing)
    : routing_(routing), topology_(routing.topology()), position_(topology_.n_routers(), kNone) {}

/// Where a packet to the end of a way goes on when it has come to a router as the tree does.
unsigned TreeBuilder::next_port(const Branch& b, const Step& end) const {
    const bool host = end.router == topology_.router_of(topology_.n_cores()) &&
                      end.port == topology_.port_of(topology_.n_cores());
    const std::uint32_t to =
        host ? topology_.n_cores()
             : end.router * topology_.cores_per_router() + end.port - topology_.link_ports();
    PacketRecord p;
    address(topology_, to, to, p);
    const Route route = routing_({b.router, b.in_port, routing_.vcs() - 1, p});
    return route.ports == 0 ? kNoPort : static_cast<unsigned>(std::countr_zero(route.ports));
}

/// Cuts a router off where the tree enters it, and lets it be entered as the way does.
void TreeBuilder::lead_by(const std::vector<Step>& way, std::size_t step) {
    Branch* const moved = at(way[step].router);
    for (std::size_t i = 0; i < step; ++i) {
        // the new way must not hang on what it is to lead to
        for (const Branch* b = at(way[i].router); b != nullptr && b->in_port < topology_.link_ports();
             b = at(topology_.channel(b->router, b->in_port).peer)) {
            if (b != moved) continue;
            throw KeyError(
                "noc.multicast.style",
                fmt::format("the ways of a set cross at router {}, no tree holds them; use relay or unicast",
                            topology_.router_name(moved->router)));
        }
    }
    std::uint32_t router = moved->router, in_port = moved->in_port;
    while (in_port < topology_.link_ports()) {
        const Channel& c = topology_.channel(router, in_port);
        Branch& parent = *at(c.peer);
        parent.ports &= ~(std::uint64_t{1} << c.peer_port);
        parent.high &= parent.ports;
        if (parent.ports != 0 || parent.in_port >= topology_.link_ports()) break;
        router = parent.router;
        in_port = parent.in_port;
        position_[router] = kNone;  // led to nothing else
    }
    moved->in_port = way[step].in_port;
    for (std::uint64_t m = moved->ports; m != 0; m &= m - 1) {
        const auto port = static_cast<std::uint16_t>(std::countr_zero(m));
        if (port < topology_.link_ports())
            extra_.insert({moved->router, static_cast<std::uint16_t>(moved->in_port), port});
    }
}

void TreeBuilder::add(const std::vector<Step>& way) {
    std::size_t end = way.size();
    while (end != 0) {
        // the last router of the way that is in the tree already; those after it are new
        std::size_t fresh = end;
        while (fresh > 0 && at(way[fresh - 1].router) == nullptr) --fresh;
        for (std::size_t i = fresh; i < end; ++i) {
            position_[way[i].router] = static_cast<std::uint32_t>(tree_.size());
            tree_.push_back({way[i].router, way[i].in_port, std::uint64_t{1} << way[i].port, 0});
        }
        if (fresh == 0) break;
        const Step& s = way[fresh - 1];
        Branch& b = *at(s.router);
        const bool same = b.in_port == s.in_port;
        const bool follows = same || next_port(b, way.back()) == s.port;
        if (!same && follows && s.port < topology_.link_ports())
            extra_.insert({s.router, static_cast<std::uint16_t>(b.in_port), s.port});
        if (!follows) lead_by(way, fresh - 1);
        b.ports |= std::uint64_t{1} << s.port;
        end = follows ? 0 : fresh - 1;
    }
    for (const Step& s : way) {
        Branch* const b = at(s.router);
        const std::uint64_t bit = std::uint64_t{1} << s.port;
        if (s.high && b != nullptr && (b->ports & bit) != 0) b->high |= bit;
    }
}

std::vector<Branch> TreeBuilder::take() {
    std::vector<Branch> out;
    for (const Branch& b : tree_) {
        if (position_[b.router] == kNone || &b != at(b.router)) continue;
        out.push_back(b);
    }
    for (const Branch& b : tree_) position_[b.router] = kNone;
    tree_.clear();
    std::sort(out.begin(), out.end(), [](const Branch& a, const Branch& b) { return a.router < b.router; });
    return out;
}

}  // namespace loom::noc
