// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <set>
#include <vector>

#include "noc/routing/way.hpp"

namespace loom::noc {

/// A router of a tree: where packets come from and where copies go.
struct Branch {
    std::uint32_t router;
    std::uint32_t in_port;
    std::uint64_t ports, high;  ///< high: those that take the upper half of the VCs (tori)
};

/// Joins the ways of a routing function to a tree: every router is entered by one link only. Where ways
/// part and meet again, the later one follows the tree, or the tree is led along the later one: whichever
/// the routing function would do. Turns that no single packet makes are noted.
class TreeBuilder {
  public:
    explicit TreeBuilder(const Routing& routing);

    /// Adds the way from the source to one member. ConfigError when ways cross so that no tree holds both.
    void add(const std::vector<Step>& way);
    /// The tree, sorted by router; the builder is empty again.
    std::vector<Branch> take();
    /// Turns of all trees so far that are on no way.
    const std::set<Turn>& extra_turns() const { return extra_; }

  private:
    Branch* at(std::uint32_t router) {
        return position_[router] == kNone ? nullptr : &tree_[position_[router]];
    }
    unsigned next_port(const Branch& b, const Step& end) const;
    void lead_by(const std::vector<Step>& way, std::size_t step);

    const Routing& routing_;
    const Topology& topology_;
    std::vector<Branch> tree_;
    std::vector<std::uint32_t> position_;  ///< [router]: in tree_, or kNone
    std::set<Turn> extra_;
};

}  // namespace loom::noc
