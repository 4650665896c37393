// SPDX-License-Identifier: Apache-2.0
#include "noc/multicast/sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

#include "sim/base/error.hpp"

namespace loom::noc {

MulticastStyle find_multicast_style(std::string_view name) {
    if (name == "unicast") return MulticastStyle::Unicast;
    if (name == "tree") return MulticastStyle::Tree;
    if (name == "relay") return MulticastStyle::Relay;
    if (name == "region") return MulticastStyle::Region;
    if (name == "table") return MulticastStyle::Table;
    throw ConfigError(
        fmt::format("noc.multicast.style: unknown `{}`; known: unicast, tree, relay, region, table", name));
}

MulticastSets::MulticastSets(const Topology& topology, const Routing& routing,
                             const arch::MulticastSpec& spec)
    : topology_(topology), routing_(routing), spec_(spec), style_(find_multicast_style(spec.style)) {
    if (style_ == MulticastStyle::Region && topology.grid.empty()) {
        throw ConfigError("noc.multicast.style: a region is a box of a grid");
    }
    if (routing.several && style_ != MulticastStyle::Unicast && style_ != MulticastStyle::Relay) {
        throw ConfigError("noc.multicast.style: trees need a deterministic routing function");
    }
    if (style_ == MulticastStyle::Table && routing.uses_halves) {
        throw ConfigError(
            "noc.multicast.style: key/mask tables know no datelines; use tree on a torus, or the timeout "
            "router");
    }
}

/// Adds the way from the source to one member to a tree.
void MulticastSets::grow(std::uint32_t source, std::uint32_t to, std::vector<Branch>& tree,
                         bool& reached) const {
    PacketRecord p;
    address(topology_, source, to, p);
    p.packet.source = EndpointId{source};  // the coins of tori: the same for all members
    std::uint32_t router = topology_.router_of(source);
    unsigned in_port = topology_.port_of(source), in_vc = 0;
    std::vector<Branch> way;
    reached = false;
    for (unsigned steps = 0; steps <= 2 * topology_.n_routers() && !reached; ++steps) {
        const Route route = routing_({router, in_port, in_vc, p});
        if (route.ports == 0) return;
        const auto port = static_cast<unsigned>(std::countr_zero(route.ports));
        const std::uint64_t bit = std::uint64_t{1} << port;
        way.push_back({router, bit, route.vcs == kHighHalf ? bit : 0});
        reached = port >= topology_.link_ports();
        if (reached) break;
        const Channel& c = topology_.channel(router, port);
        router = c.peer;
        in_port = c.peer_port;
        in_vc = route.vcs == kHighHalf ? routing_.vcs() - 1 : 0;
    }
    for (const Branch& w : way) {
        const auto at =
            std::find_if(tree.begin(), tree.end(), [&](const Branch& b) { return b.router == w.router; });
        if (at == tree.end()) {
            tree.push_back(w);
        } else {
            at->ports |= w.ports;
            at->high |= w.high;
        }
    }
}

std::uint32_t MulticastSets::add(std::uint32_t source, std::span<const std::uint32_t> members) {
    std::vector<std::uint32_t> sorted(members.begin(), members.end());
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    std::vector<Branch> tree;
    std::uint32_t lost = 0;
    std::vector<std::uint32_t> kept;
    for (const std::uint32_t m : sorted) {
        if (m >= topology_.n_endpoints())
            throw ModelError(fmt::format("a destination set with endpoint {}", m));
        bool reached = false;
        grow(source, m, tree, reached);
        if (reached) {
            kept.push_back(m);
        } else {
            ++lost;
        }
    }
    if (style_ == MulticastStyle::Region && !kept.empty()) {
        // every core in the members' bounding box gets the packet and drops it if it is not for it
        std::array<std::uint16_t, 3> low{65535, 65535, 65535}, high{0, 0, 0};
        for (const std::uint32_t m : kept) {
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
            bool reached = false;
            if (inside) grow(source, e, tree, reached);
        }
    }
    if (style_ == MulticastStyle::Relay) {
        // from core to core, always to the nearest that is left
        std::uint32_t at = topology_.router_of(source);
        for (std::size_t i = 0; i < kept.size(); ++i) {
            const auto near = std::min_element(kept.begin() + static_cast<std::ptrdiff_t>(i), kept.end(),
                                               [&](auto a, auto b) {
                                                   return topology_.distance(at, topology_.router_of(a)) <
                                                          topology_.distance(at, topology_.router_of(b));
                                               });
            std::iter_swap(kept.begin() + static_cast<std::ptrdiff_t>(i), near);
            at = topology_.router_of(kept[i]);
        }
    }
    std::sort(tree.begin(), tree.end(), [](const Branch& a, const Branch& b) { return a.router < b.router; });
    members_.insert(members_.end(), kept.begin(), kept.end());
    branches_.insert(branches_.end(), tree.begin(), tree.end());
    first_member_.push_back(members_.size());
    first_branch_.push_back(branches_.size());
    unreachable_.push_back(lost);
    return static_cast<std::uint32_t>(size() - 1);
}

const MulticastSets::Branch* MulticastSets::find(std::uint32_t set, std::uint32_t router) const {
    const auto first = branches_.begin() + static_cast<std::ptrdiff_t>(first_branch_[set]);
    const auto last = branches_.begin() + static_cast<std::ptrdiff_t>(first_branch_[set + 1]);
    const auto at =
        std::lower_bound(first, last, router, [](const Branch& b, std::uint32_t r) { return b.router < r; });
    return at == last || at->router != router ? nullptr : &*at;
}

bool MulticastSets::contains(std::uint32_t set, std::uint32_t endpoint) const {
    const auto m = members(set);
    return std::find(m.begin(), m.end(), endpoint) != m.end();
}

Route MulticastSets::route(std::uint32_t set, std::uint32_t router, unsigned in_port) const {
    Route r;
    r.all = true;
    if (style_ == MulticastStyle::Table) {
        if (const auto ports = tables_[router].lookup(set)) {
            r.ports = *ports;
        } else if (in_port < topology_.link_ports()) {
            r.ports = routing_.link(router, in_port ^ 1u);  // straight on
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

std::uint64_t MulticastSets::tree_links(std::uint32_t set) const {
    std::uint64_t n = 0;
    const std::uint64_t links = (std::uint64_t{1} << topology_.link_ports()) - 1;
    for (std::size_t i = first_branch_[set]; i < first_branch_[set + 1]; ++i)
        n += static_cast<std::uint64_t>(std::popcount(branches_[i].ports & links));
    return n;
}

std::uint64_t MulticastSets::unicast_links(std::uint32_t set) const {
    // the root of a tree is the only router without a way in
    std::map<std::uint32_t, std::uint32_t> depth;
    std::vector<std::uint32_t> todo;
    for (std::size_t i = first_branch_[set]; i < first_branch_[set + 1]; ++i) depth[branches_[i].router] = 0;
    for (std::size_t i = first_branch_[set]; i < first_branch_[set + 1]; ++i) {
        for (std::uint64_t m = branches_[i].ports; m != 0; m &= m - 1) {
            const auto port = static_cast<unsigned>(std::countr_zero(m));
            if (port < topology_.link_ports()) depth[topology_.channel(branches_[i].router, port).peer] = 1;
        }
    }
    for (const auto& [router, inner] : depth) {
        if (inner == 0) todo.push_back(router);
    }
    std::uint64_t sum = 0;
    for (auto& [router, d] : depth) d = 0;
    for (std::size_t i = 0; i < todo.size(); ++i) {
        const Branch* b = find(set, todo[i]);
        for (std::uint64_t m = b == nullptr ? 0 : b->ports; m != 0; m &= m - 1) {
            const auto port = static_cast<unsigned>(std::countr_zero(m));
            if (port >= topology_.link_ports()) {
                sum += depth[todo[i]];
                continue;
            }
            const std::uint32_t peer = topology_.channel(todo[i], port).peer;
            depth[peer] = depth[todo[i]] + 1;
            todo.push_back(peer);
        }
    }
    return sum;
}

void MulticastSets::finish() {
    if (style_ != MulticastStyle::Table) return;
    std::vector<std::vector<KeyMaskEntry>> entries(topology_.n_routers());
    std::vector<std::vector<std::uint32_t>> pass(topology_.n_routers());
    for (std::uint32_t set = 0; set < size(); ++set) {
        for (std::size_t i = first_branch_[set]; i < first_branch_[set + 1]; ++i) {
            const Branch& b = branches_[i];
            // no entry where going straight on is all there is to do
            bool straight = false;
            if (std::popcount(b.ports) == 1 && !topology_.grid.empty()) {
                const auto out = static_cast<unsigned>(std::countr_zero(b.ports));
                const std::uint32_t before =
                    out < topology_.link_ports() ? topology_.channel(b.router, out ^ 1u).peer : kNone;
                const Branch* from = before == kNone ? nullptr : find(set, before);
                straight = from != nullptr && (from->ports >> out & 1u) != 0 &&
                           topology_.channel(before, out).peer == b.router;
            }
            if (straight) {
                pass[b.router].push_back(set);
            } else {
                entries[b.router].push_back({set, ~std::uint32_t{0}, b.ports});
            }
        }
    }
    sizes_ = {};
    tables_.clear();
    for (std::uint32_t r = 0; r < topology_.n_routers(); ++r) {
        KeyMaskTable table(entries[r]);
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

std::string MulticastSets::describe_tables() const {
    if (style_ != MulticastStyle::Table) return "";
    return fmt::format(
        "key/mask tables: {} entries in {} routers, largest {} (before minimisation {} and {})",
        sizes_.entries, sizes_.routers, sizes_.largest, sizes_.entries_before, sizes_.largest_before);
}

}  // namespace loom::noc
