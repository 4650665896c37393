// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "noc/multicast/key_mask.hpp"
#include "noc/multicast/tree.hpp"

namespace loom::noc {

enum class MulticastStyle : std::uint8_t { Unicast, Tree, Relay, Region, Table };
/// ConfigError, naming the known ones.
MulticastStyle find_multicast_style(std::string_view name);
std::vector<std::string> multicast_style_names();
/// Packets are copied in the routers, not sent again by cores.
constexpr bool copied_in_routers(MulticastStyle style) {
    return style != MulticastStyle::Unicast && style != MulticastStyle::Relay;
}

/// Destination sets and the trees by which packets reach them. Memory: 4 bytes per member, 24 per router of
/// a tree, 32 per set.
class MulticastSets {
  public:
    MulticastSets(const Topology& topology, const Routing& routing, const arch::MulticastSpec& spec);

    /// A set of one source. Members that cannot be reached (faults) are left out and counted.
    std::uint32_t add(std::uint32_t source, std::span<const std::uint32_t> members);
    /// Forgets all sets; numbers start at 0 again. No packet may be on its way to one.
    void clear();
    /// Builds the routers' tables (style table), minimised when they are too large. MappingError when they
    /// do not fit even so.
    void finish();
    /// A cycle of channels that copies in the routers may close beyond those of single packets (which have
    /// none); empty: there is none.
    std::string deadlock() const;

    MulticastStyle style() const { return style_; }
    bool in_tree() const { return copied_in_routers(style_); }
    std::span<const std::uint32_t> members(std::uint32_t set) const {
        return {members_.data() + sets_[set].first_member,
                sets_[set + 1].first_member - sets_[set].first_member};
    }
    std::uint32_t unreachable(std::uint32_t set) const { return sets_[set].unreachable; }
    bool contains(std::uint32_t set, std::uint32_t endpoint) const;
    std::size_t size() const { return sets_.size() - 1; }

    /// All output ports of a set's packet at a router.
    Route route(std::uint32_t set, std::uint32_t router, unsigned in_port) const;
    /// Ports of `route` that take the upper half of the VCs (tori).
    std::uint64_t high_ports(std::uint32_t set, std::uint32_t router) const;
    /// Relay: members that get the packet after `member`.
    std::span<const std::uint32_t> behind(std::uint32_t set, std::uint32_t member) const;
    /// Deliveries that are lost with a packet to an endpoint: its own, and those that it would be relayed to.
    std::size_t lost_with(const Packet& packet) const {
        const bool chain = packet.set != kNone && style_ == MulticastStyle::Relay;
        return chain ? 1 + behind(packet.set, packet.destination.value).size() : 1;
    }
    /// Links that a packet to the set crosses (relay: along the chain; region: with strays; unicast: as a
    /// tree), and the sum of its members' distances: the gain is their ratio.
    std::uint64_t tree_links(std::uint32_t set) const { return sets_[set].tree_links; }
    std::uint64_t unicast_links(std::uint32_t set) const { return sets_[set].unicast_links; }

    /// Entries of the routers' tables in words; empty for styles without tables.
    std::string describe_tables() const;

  private:
    struct TableSizes {
        std::size_t routers = 0, entries = 0, largest = 0;  ///< as used
        std::size_t entries_before = 0, largest_before = 0;
    };
    struct Set {
        std::size_t first_member = 0, first_branch = 0;
        std::uint32_t unreachable = 0, tree_links = 0, unicast_links = 0;
    };
    void add_region(std::uint32_t source, std::span<const std::uint32_t> members);
    std::uint32_t order_chain(std::uint32_t source, std::vector<std::uint32_t>& members,
                              std::uint32_t& lost) const;
    const Branch* find(std::uint32_t set, std::uint32_t router) const;
    unsigned straight_on(unsigned in_port) const;

    const Topology& topology_;
    const Routing& routing_;
    arch::MulticastSpec spec_;
    MulticastStyle style_;
    TreeBuilder tree_;
    std::vector<Set> sets_{{}};  ///< one more than there are: where the next one begins
    std::vector<std::uint32_t> members_;
    std::vector<Branch> branches_;  ///< of a set: sorted by router
    std::vector<KeyMaskTable> tables_;
    TableSizes sizes_;
};

}  // namespace loom::noc
