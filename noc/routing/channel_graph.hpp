// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "noc/routing/routing.hpp"

namespace loom::noc {

/// Which channel a packet may hold while it waits for which other. A channel is a link and a group of
/// virtual channels that routing treats alike: the two halves, or the escape channel and the rest.
class ChannelGraph {
  public:
    ChannelGraph(const Topology& topology, const Routing& routing);

    unsigned groups() const { return groups_; }
    /// A VC of the group.
    unsigned vc(unsigned group) const { return group == 0 ? 0 : routing_.vcs() - 1; }
    /// Groups of a class, as a mask.
    unsigned groups_of(VcClass c) const {
        if (groups_ == 1) return 1;
        return c == kLowHalf || c == kEscapeVc ? 1 : c == kHighHalf || c == kAdaptiveVcs ? 2 : 3;
    }
    /// Number of the channel that comes in at a port.
    std::uint32_t channel(std::uint32_t router, unsigned in_port, unsigned group) const {
        return (router * link_ports_ + in_port) * groups_ + group;
    }
    std::uint32_t n_channels() const { return topology_.n_routers() * link_ports_ * groups_; }

    /// Whoever holds `channel` may wait for the group of the router's output port. With an escape channel
    /// only its own dependencies count: who is on it stays on it, and it is always among the candidates.
    void add(std::uint32_t channel, unsigned out_port, unsigned group) {
        if (escape_ && (channel % 2 != 0 || group != 0)) return;
        edges_[std::size_t{channel} * groups_ + group] |= std::uint64_t{1} << out_port;
    }
    /// A cycle in words; empty when there is none. Cost: channels and edges.
    std::string cycle() const;

  private:
    std::string name(std::uint32_t channel) const;

    const Topology& topology_;
    const Routing& routing_;
    unsigned link_ports_, groups_;
    bool escape_;
    std::vector<std::uint64_t> edges_;  ///< [channel][group waited for]: output ports
};

}  // namespace loom::noc
