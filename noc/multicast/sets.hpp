// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "noc/multicast/key_mask.hpp"
#include "noc/routing/routing.hpp"

namespace loom::noc {

enum class MulticastStyle : std::uint8_t { Unicast, Tree, Relay, Region, Table };
/// ConfigError, naming the known ones.
MulticastStyle find_multicast_style(std::string_view name);

/// Destination sets and the trees by which packets reach them.
class MulticastSets {
  public:
    MulticastSets(const Topology& topology, const Routing& routing, const arch::MulticastSpec& spec);

    /// A set of one source. Members that cannot be reached (faults) are left out and counted.
    std::uint32_t add(std::uint32_t source, std::span<const std::uint32_t> members);
    /// Builds the routers' tables (style table), minimised when they are too large. MappingError when they
    /// do not fit even so.
    void finish();

    MulticastStyle style() const { return style_; }
    std::span<const std::uint32_t> members(std::uint32_t set) const {
        return {members_.data() + first_member_[set], first_member_[set + 1] - first_member_[set]};
    }
    std::uint32_t unreachable(std::uint32_t set) const { return unreachable_[set]; }
    bool contains(std::uint32_t set, std::uint32_t endpoint) const;
    std::size_t size() const { return first_member_.size() - 1; }

    /// All output ports of a set's packet at a router.
    Route route(std::uint32_t set, std::uint32_t router, unsigned in_port) const;
    /// Ports of `route` that take the upper half of the VCs (tori).
    std::uint64_t high_ports(std::uint32_t set, std::uint32_t router) const;
    /// Links of a set's tree, and the sum of its members' distances: the gain is their ratio.
    std::uint64_t tree_links(std::uint32_t set) const;
    std::uint64_t unicast_links(std::uint32_t set) const;

    struct TableSizes {
        std::size_t routers = 0, entries = 0, largest = 0;  ///< as used
        std::size_t entries_before = 0, largest_before = 0;
    };
    const TableSizes& table_sizes() const { return sizes_; }
    /// The same in words; empty for other styles.
    std::string describe_tables() const;

  private:
    struct Branch {
        std::uint32_t router;
        std::uint64_t ports, high;
    };
    const Branch* find(std::uint32_t set, std::uint32_t router) const;
    void grow(std::uint32_t source, std::uint32_t to, std::vector<Branch>& tree, bool& reached) const;

    const Topology& topology_;
    const Routing& routing_;
    arch::MulticastSpec spec_;
    MulticastStyle style_;
    std::vector<std::size_t> first_member_{0}, first_branch_{0};
    std::vector<std::uint32_t> members_, unreachable_;
    std::vector<Branch> branches_;
    std::vector<KeyMaskTable> tables_;
    TableSizes sizes_;
};

}  // namespace loom::noc
