// SPDX-License-Identifier: Apache-2.0
#include "noc/multicast/sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/error.hpp"
#include "base/key_error.hpp"
#include "base/nearest.hpp"
#include "noc/names.hpp"

namespace loom::noc {
namespace {

struct StyleName {
    const char* name;
    MulticastStyle style;
};
/// The catalogue: a line per style.
constexpr std::array<StyleName, 5> kStyles{{{"unicast", MulticastStyle::Unicast},
                                            {"tree", MulticastStyle::Tree},
                                            {"relay", MulticastStyle::Relay},
                                            {"region", MulticastStyle::Region},
                                            {"table", MulticastStyle::Table}}};

}  // namespace

std::vector<std::string> multicast_style_names() {
    return names_of(kStyles);
}

MulticastStyle find_multicast_style(std::string_view name) {
    for (const StyleName& s : kStyles) {
        if (s.name == name) return s.style;
    }
    throw KeyError("noc.multicast.style", unknown_name(std::string(name), multicast_style_names()));
}

MulticastSets::MulticastSets(const Topology& topology, const Routing& routing,
                             const arch::MulticastSpec& spec)
    : topology_(topology),
      routing_(routing),
      spec_(spec),
      style_(find_multicast_style(spec.style)),
      tree_(routing) {
    if (style_ == MulticastStyle::Region && topology.grid.empty()) {
        throw KeyError("noc.multicast.style", "a region is a box of a grid");
    }
    if (routing.several && in_tree()) {
        throw KeyError("noc.multicast.style", "trees need a deterministic routing function");
    }
    if (style_ == MulticastStyle::Table && routing.uses_halves) {
        throw KeyError("noc.multicast.style",
                       "key/mask tables know no datelines; use tree on a torus, or the timeout "
                       "router");
    }
}

void MulticastSets::clear() {
    sets_.assign(1, {});
    members_.clear();
    branches_.clear();
    tables_.clear();
    sizes_ = {};
}

/// Every core in the members' bounding box gets the packet, and drops it if it is not for it.
void MulticastSets::add_region(std::uint32_t source, std::span<const std::uint32_t> members) {
    std::array<std::uint16_t, 3> low{65535, 65535, 65535}, high{0, 0, 0};
    for (const std::uint32_t m : members) {
        const Coord c = topology_.coord(topology_.router_of(m));
        for (unsigned d = 0; d < 3; ++d) {
            low[d] = std::min(low[d], c[d]);
            high[d] = std::max(high[d], c[d]);
        }
    }
    for (std::uint32_t e = 0; e < topology_.n_cores(); ++e) {
        const Coord c = topology_.coord(topology_.router_of(e));
        bool inside = true;
        for (unsigned d = 0; d < 3; ++d) inside &= c[d] >= low[d] && c[d] <= high[d];
        if (inside) tree_.add(way_of(routing_, source, e));
    }
}

/// From core to core, always to the nearest that is left and can be reached from there. Links of the chain.
std::uint32_t MulticastSets::order_chain(std::uint32_t source, std::vector<std::uint32_t>& members,
                                         std::uint32_t& lost) const {
    std::uint32_t at = source, links = 0;
    for (auto first = members.begin(); first != members.end(); ++first) {
        const auto nearer = [&](std::uint32_t a, std::uint32_t b) {
            const std::uint32_t from = topology_.router_of(at);
            return topology_.distance(from, topology_.router_of(a)) <
                   topology_.distance(from, topology_.router_of(b));
        };
        bool found = false;
        for (auto rest = first; rest != members.end() && !found; ++rest) {
            std::iter_swap(rest, std::min_element(rest, members.end(), nearer));
            const std::vector<Step> way = way_of(routing_, at, *rest);
            if (way.empty()) continue;
            found = true;
            links += static_cast<std::uint32_t>(way.size() - 1);
            std::iter_swap(first, rest);
        }
        if (!found) {
            lost += static_cast<std::uint32_t>(members.end() - first);
            members.erase(first, members.end());
            break;
        }
        at = *first;
    }
    return links;
}

std::uint32_t MulticastSets::add(std::uint32_t source, std::span<const std::uint32_t> members) {
    std::vector<std::uint32_t> kept(members.begin(), members.end());
    std::sort(kept.begin(), kept.end());
    kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
    if (!kept.empty() && kept.back() >= topology_.n_endpoints())
        throw ModelError(fmt::format("a destination set with endpoint {}", kept.back()));
    Set& set = sets_.back();
    std::vector<std::uint64_t> links;  // repeated unicast: those that a tree would use
    std::erase_if(kept, [&](std::uint32_t m) {
        const std::vector<Step> way = way_of(routing_, source, m);
        if (way.empty()) {
            ++set.unreachable;
            return true;
        }
        set.unicast_links += static_cast<std::uint32_t>(way.size() - 1);
        if (in_tree()) tree_.add(way);
        if (style_ != MulticastStyle::Unicast) return false;
        for (std::size_t i = 0; i + 1 < way.size(); ++i)
            links.push_back(std::uint64_t{way[i].router} << 8 | way[i].port);
        return false;
    });
    if (style_ == MulticastStyle::Region && !kept.empty()) add_region(source, kept);
    if (style_ == MulticastStyle::Relay) set.tree_links = order_chain(source, kept, set.unreachable);
    std::sort(links.begin(), links.end());
    set.tree_links += static_cast<std::uint32_t>(std::unique(links.begin(), links.end()) - links.begin());
    const std::uint64_t link_ports = (std::uint64_t{1} << topology_.link_ports()) - 1;
    for (const Branch& b : tree_.take()) {
        set.tree_links += static_cast<std::uint32_t>(std::popcount(b.ports & link_ports));
        branches_.push_back(b);
    }
    members_.insert(members_.end(), kept.begin(), kept.end());
    sets_.push_back({members_.size(), branches_.size(), 0, 0, 0});
    return static_cast<std::uint32_t>(size() - 1);
}

const Branch* MulticastSets::find(std::uint32_t set, std::uint32_t router) const {
    const auto first = branches_.begin() + static_cast<std::ptrdiff_t>(sets_[set].first_branch);
    const auto last = branches_.begin() + static_cast<std::ptrdiff_t>(sets_[set + 1].first_branch);
    const auto at =
        std::lower_bound(first, last, router, [](const Branch& b, std::uint32_t r) { return b.router < r; });
    return at == last || at->router != router ? nullptr : &*at;
}

bool MulticastSets::contains(std::uint32_t set, std::uint32_t endpoint) const {
    const auto m = members(set);
    return std::find(m.begin(), m.end(), endpoint) != m.end();
}

std::span<const std::uint32_t> MulticastSets::behind(std::uint32_t set, std::uint32_t member) const {
    const auto m = members(set);
    const auto at = static_cast<std::size_t>(std::find(m.begin(), m.end(), member) - m.begin());
    return at == m.size() ? m.subspan(at) : m.subspan(at + 1);
}

/// Where a packet goes that no entry matches: to the opposite side of a grid's router.
unsigned MulticastSets::straight_on(unsigned in_port) const {
    const std::size_t sides = 2 * topology_.grid.size() + (topology_.diagonals ? 2 : 0);
    return in_port < sides ? in_port ^ 1u : kNoPort;
}

Route MulticastSets::route(std::uint32_t set, std::uint32_t router, unsigned in_port) const {
    Route r;
    r.all = true;
    if (style_ == MulticastStyle::Table) {
        if (const auto ports = tables_[router].lookup(set)) {
            r.ports = *ports;
        } else if (const unsigned out = straight_on(in_port); out != kNoPort) {
            r.ports = routing_.link(router, out);
        }
        return r;
    }
    if (const Branch* b = find(set, router)) r.ports = b->ports;
    return r;
}

std::uint64_t MulticastSets::high_ports(std::uint32_t set, std::uint32_t router) const {
    const Branch* b = find(set, router);
    return b == nullptr ? 0 : b->high;
}

std::string MulticastSets::deadlock() const {
    if (!in_tree() || tree_.extra_turns().empty()) return "";
    const std::vector<Turn> turns(tree_.extra_turns().begin(), tree_.extra_turns().end());
    return deadlock_cycle(topology_, routing_, turns);
}

std::string MulticastSets::describe_tables() const {
    if (style_ != MulticastStyle::Table) return "";
    return fmt::format(
        "key/mask tables: {} entries in {} routers, largest {} (before minimisation {} and {})",
        sizes_.entries, sizes_.routers, sizes_.largest, sizes_.entries_before, sizes_.largest_before);
}

void MulticastSets::finish() {
    if (style_ != MulticastStyle::Table) return;
    std::vector<std::vector<KeyMaskEntry>> entries(topology_.n_routers());
    std::vector<std::vector<std::uint32_t>> pass(topology_.n_routers());
    for (std::uint32_t set = 0; set < size(); ++set) {
        for (std::size_t i = sets_[set].first_branch; i < sets_[set + 1].first_branch; ++i) {
            const Branch& b = branches_[i];
            // no entry where going straight on is all there is to do
            const unsigned out = straight_on(b.in_port);
            if (out != kNoPort && b.ports == std::uint64_t{1} << out) {
                pass[b.router].push_back(set);
            } else {
                entries[b.router].push_back({set, ~std::uint32_t{0}, b.ports});
            }
        }
    }
    sizes_ = {};
    tables_.clear();
    for (std::uint32_t r = 0; r < topology_.n_routers(); ++r) {
        KeyMaskTable table(std::move(entries[r]));
        sizes_.entries_before += table.size();
        sizes_.largest_before = std::max(sizes_.largest_before, table.size());
        if (spec_.minimise && table.size() > spec_.table_entries) table = minimise(table, pass[r]);
        if (table.size() > spec_.table_entries) {
            throw MappingError("key/mask table entries", fmt::format("router {}", topology_.router_name(r)),
                               static_cast<double>(table.size()), static_cast<double>(spec_.table_entries));
        }
        if (table.size() != 0) ++sizes_.routers;
        sizes_.entries += table.size();
        sizes_.largest = std::max(sizes_.largest, table.size());
        tables_.push_back(std::move(table));
    }
}

}  // namespace loom::noc
