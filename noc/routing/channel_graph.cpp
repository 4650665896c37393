// SPDX-License-Identifier: Apache-2.0
#include "noc/routing/channel_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace loom::noc {

ChannelGraph::ChannelGraph(const Topology& topology, const Routing& routing)
    : topology_(topology),
      routing_(routing),
      link_ports_(topology.link_ports()),
      groups_((routing.uses_halves || routing.uses_escape) && routing.vcs() > 1 ? 2 : 1),
      escape_(routing.uses_escape && groups_ == 2),
      edges_(std::size_t{n_channels()} * groups_) {}

std::vector<std::uint32_t> ChannelGraph::next_of(std::uint32_t c) const {
    std::vector<std::uint32_t> out;
    const std::uint32_t router = c / groups_ / link_ports_;
    for (unsigned g = 0; g < groups_; ++g) {
        for (std::uint64_t m = edges_[std::size_t{c} * groups_ + g]; m != 0; m &= m - 1) {
            const Channel& link = topology_.channel(router, static_cast<unsigned>(std::countr_zero(m)));
            out.push_back(channel(link.peer, link.peer_port, g));
        }
    }
    std::reverse(out.begin(), out.end());
    return out;
}

std::string ChannelGraph::cycle() const {
    enum : std::uint8_t { New, Open, Done };
    std::vector<std::uint8_t> state(n_channels(), New);
    struct Visit {
        std::uint32_t channel;
        std::vector<std::uint32_t> next;  ///< the first one at the end
    };
    std::vector<Visit> path;
    const auto open = [&](std::uint32_t c) {
        state[c] = Open;
        path.push_back({c, next_of(c)});
    };
    // in the order of those who send
    for (std::uint32_t i = 0; i < n_channels(); ++i) {
        const std::uint32_t link = i / groups_;
        const Channel& c = topology_.channel(link / link_ports_, link % link_ports_);
        if (c.peer == kNone) continue;
        const std::uint32_t root = channel(c.peer, c.peer_port, i % groups_);
        if (state[root] == New) open(root);
        while (!path.empty()) {
            Visit& v = path.back();
            if (v.next.empty()) {
                state[v.channel] = Done;
                path.pop_back();
                continue;
            }
            const std::uint32_t to = v.next.back();
            v.next.pop_back();
            if (state[to] == New) {
                open(to);
            } else if (state[to] == Open) {
                std::string text;
                auto at =
                    std::find_if(path.begin(), path.end(), [&](const Visit& x) { return x.channel == to; });
                for (; at != path.end(); ++at) text += name(at->channel) + " -> ";
                return text + name(to);
            }
        }
    }
    return "";
}

std::string ChannelGraph::name(std::uint32_t c) const {
    const std::uint32_t port = c / groups_;
    const Channel& back = topology_.channel(port / link_ports_, port % link_ports_);
    const std::string group = groups_ == 1           ? ""
                              : routing_.uses_escape ? (c % 2 == 0 ? " escape VC" : " other VCs")
                                                     : (c % 2 == 0 ? " lower VCs" : " upper VCs");
    return fmt::format("router {} {}{}", topology_.router_name(back.peer),
                       topology_.port_name(back.peer_port), group);
}

}  // namespace loom::noc
