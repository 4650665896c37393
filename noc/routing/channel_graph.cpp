// SPDX-License-Identifier: Apache-2.0
#include "noc/routing/channel_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/depth_first_search.hpp>

namespace loom::noc {

ChannelGraph::ChannelGraph(const Topology& topology, const Routing& routing)
    : topology_(topology),
      routing_(routing),
      link_ports_(topology.link_ports()),
      groups_((routing.uses_halves || routing.uses_escape) && routing.vcs() > 1 ? 2 : 1),
      escape_(routing.uses_escape && groups_ == 2),
      edges_(std::size_t{n_channels()} * groups_) {}

namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;

/// Found by the search: a channel that waits for one that is still on the way to it.
struct Circle {
    std::vector<std::uint32_t> channels;  ///< the first one again at the end
};

/// Stops a search at its first edge back.
class FirstCircle : public boost::dfs_visitor<> {
  public:
    explicit FirstCircle(std::vector<std::uint32_t>& came_from) : came_from_(came_from) {}
    void tree_edge(const Graph::edge_descriptor& e, const Graph& g) const {
        came_from_[target(e, g)] = static_cast<std::uint32_t>(source(e, g));
    }
    [[noreturn]] void back_edge(const Graph::edge_descriptor& e, const Graph& g) const {
        const auto first = static_cast<std::uint32_t>(target(e, g));
        Circle circle{{first}};
        for (auto at = static_cast<std::uint32_t>(source(e, g)); at != first; at = came_from_[at])
            circle.channels.push_back(at);
        circle.channels.push_back(first);
        std::reverse(circle.channels.begin(), circle.channels.end());
        throw circle;
    }

  private:
    std::vector<std::uint32_t>& came_from_;
};

}  // namespace

std::string ChannelGraph::cycle() const {
    // Channels in the order of those who send: the search begins with them, and so the words are the same
    // whatever the ports are called at the other end.
    std::vector<std::uint32_t> channels, place(n_channels(), kNone);
    for (std::uint32_t i = 0; i < n_channels(); ++i) {
        const std::uint32_t link = i / groups_;
        const Channel& c = topology_.channel(link / link_ports_, link % link_ports_);
        if (c.peer == kNone) continue;
        channels.push_back(channel(c.peer, c.peer_port, i % groups_));
        place[channels.back()] = static_cast<std::uint32_t>(channels.size() - 1);
    }
    Graph graph(channels.size());
    for (std::uint32_t v = 0; v < channels.size(); ++v) {
        const std::uint32_t router = channels[v] / groups_ / link_ports_;
        for (unsigned g = 0; g < groups_; ++g) {
            for (std::uint64_t m = edges_[std::size_t{channels[v]} * groups_ + g]; m != 0; m &= m - 1) {
                const Channel& link = topology_.channel(router, static_cast<unsigned>(std::countr_zero(m)));
                add_edge(v, place[channel(link.peer, link.peer_port, g)], graph);
            }
        }
    }
    std::vector<std::uint32_t> came_from(channels.size(), kNone);
    try {
        boost::depth_first_search(graph, boost::visitor(FirstCircle(came_from)));
    } catch (const Circle& circle) {
        std::string text;
        for (const std::uint32_t v : circle.channels)
            text += (text.empty() ? "" : " -> ") + name(channels[v]);
        return text;
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
