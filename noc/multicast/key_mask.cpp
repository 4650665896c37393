// SPDX-License-Identifier: Apache-2.0
#include "noc/multicast/key_mask.hpp"

#include <algorithm>
#include <map>

namespace loom::noc {
namespace {

/// The parts of `cube` that do not match `hole`, as disjoint cubes.
void subtract(KeyMaskEntry cube, const KeyMaskEntry& hole, std::vector<KeyMaskEntry>& out) {
    if (!cube.meets(hole)) {
        out.push_back(cube);
        return;
    }
    for (unsigned b = 0; b < 32; ++b) {
        const std::uint32_t bit = 1u << b;
        if ((hole.mask & bit) == 0 || (cube.mask & bit) != 0) continue;
        KeyMaskEntry part = cube;
        part.mask |= bit;
        part.key |= ~hole.key & bit;
        out.push_back(part);
        cube.mask |= bit;
        cube.key |= hole.key & bit;
    }
}

/// The keys that each entry really gets, as disjoint cubes in the order of the table. Empty when there
/// would be more than `limit`.
std::vector<KeyMaskEntry> disjoint(const KeyMaskTable& table, std::size_t limit) {
    std::vector<KeyMaskEntry> all, parts, next;
    const auto& entries = table.entries();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        parts = {entries[i]};
        for (std::size_t above = 0; above < i && !parts.empty(); ++above) {
            if (!entries[i].meets(entries[above])) continue;
            next.clear();
            for (const KeyMaskEntry& p : parts) subtract(p, entries[above], next);
            parts.swap(next);
        }
        all.insert(all.end(), parts.begin(), parts.end());
        if (all.size() > limit) return {};
    }
    return all;
}

/// Makes `cube` as general as it can be without meeting one of `off`, preferring what covers more of `on`.
KeyMaskEntry expanded(KeyMaskEntry cube, const std::vector<KeyMaskEntry>& on,
                      const std::vector<KeyMaskEntry>& off) {
    const auto free = [&](const KeyMaskEntry& c) {
        return std::none_of(off.begin(), off.end(), [&](const KeyMaskEntry& o) { return c.meets(o); });
    };
    const auto without = [](KeyMaskEntry c, unsigned bit) {
        c.mask &= ~(1u << bit);
        c.key &= c.mask;
        return c;
    };
    // bits in which the group's keys differ first, from below: blocks of keys grow into aligned ones
    std::uint32_t differ = 0;
    for (const KeyMaskEntry& o : on) differ |= (o.key ^ cube.key) | ~o.mask;
    for (const bool wanted : {true, false}) {
        for (unsigned b = 0; b < 32; ++b) {
            if ((cube.mask >> b & 1u) == 0 || (differ >> b & 1u) != (wanted ? 1u : 0u)) continue;
            const KeyMaskEntry c = without(cube, b);
            if (free(c)) cube = c;
        }
    }
    return cube;
}

struct Comparison {
    const std::vector<KeyMaskEntry>& after;

    /// `cube` must get its ports from after[first...].
    std::optional<std::uint32_t> differs(const KeyMaskEntry& cube, std::size_t first) const {
        for (std::size_t i = first; i < after.size(); ++i) {
            if (!after[i].meets(cube)) continue;
            KeyMaskEntry both = cube;
            both.mask |= after[i].mask;
            both.key |= after[i].key;
            if (after[i].ports != cube.ports) return both.key;
            std::vector<KeyMaskEntry> rest;
            subtract(cube, after[i], rest);
            for (const KeyMaskEntry& r : rest) {
                if (const auto d = differs(r, i + 1)) return d;
            }
            return std::nullopt;
        }
        return cube.key;  // no match
    }
};

}  // namespace

KeyMaskTable::KeyMaskTable(std::vector<KeyMaskEntry> entries) : entries_(std::move(entries)) {
    exact_ = std::all_of(entries_.begin(), entries_.end(),
                         [](const auto& e) { return e.mask == ~std::uint32_t{0}; }) &&
             std::is_sorted(entries_.begin(), entries_.end(),
                            [](const auto& a, const auto& b) { return a.key < b.key; });
}

std::optional<std::uint64_t> KeyMaskTable::lookup(std::uint32_t key) const {
    if (exact_) {
        const auto at = std::lower_bound(entries_.begin(), entries_.end(), key,
                                         [](const KeyMaskEntry& e, std::uint32_t k) { return e.key < k; });
        if (at == entries_.end() || at->key != key) return std::nullopt;
        return at->ports;
    }
    for (const KeyMaskEntry& e : entries_) {
        if (e.matches(key)) return e.ports;
    }
    return std::nullopt;
}

KeyMaskTable minimise(const KeyMaskTable& table, std::span<const std::uint32_t> pass) {
    const std::vector<KeyMaskEntry> cubes = disjoint(table, 16 * table.size() + 64);
    if (cubes.empty()) return table;  // in too many pieces, or nothing
    std::map<std::uint64_t, std::vector<KeyMaskEntry>> by_ports;
    for (const KeyMaskEntry& c : cubes) by_ports[c.ports].push_back(c);
    std::vector<const std::vector<KeyMaskEntry>*> groups;
    for (const auto& [ports, group] : by_ports) groups.push_back(&group);
    std::stable_sort(groups.begin(), groups.end(),
                     [](const auto* a, const auto* b) { return a->size() < b->size(); });
    std::vector<KeyMaskEntry> out;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        std::vector<KeyMaskEntry> off;  // what entries of this group must leave to those below
        for (const std::uint32_t k : pass) off.push_back({k, ~std::uint32_t{0}, 0});
        for (std::size_t below = g + 1; below < groups.size(); ++below)
            off.insert(off.end(), groups[below]->begin(), groups[below]->end());
        std::vector<bool> covered(groups[g]->size(), false);
        for (std::size_t i = 0; i < groups[g]->size(); ++i) {
            if (covered[i]) continue;
            const KeyMaskEntry cube = expanded((*groups[g])[i], *groups[g], off);
            for (std::size_t k = 0; k < groups[g]->size(); ++k)
                covered[k] = covered[k] || cube.covers((*groups[g])[k]);
            out.push_back(cube);
        }
    }
    return out.size() < table.size() ? KeyMaskTable(std::move(out)) : table;
}

std::optional<std::uint32_t> first_difference(const KeyMaskTable& before, const KeyMaskTable& after,
                                              bool misses) {
    const Comparison compare{after.entries()};
    for (const KeyMaskEntry& c : disjoint(before, ~std::size_t{0})) {
        if (const auto d = compare.differs(c, 0)) return d;
    }
    if (!misses) return std::nullopt;
    std::vector<KeyMaskEntry> parts, next;
    for (const KeyMaskEntry& a : after.entries()) {
        parts = {a};
        for (const KeyMaskEntry& b : before.entries()) {
            next.clear();
            for (const KeyMaskEntry& p : parts) subtract(p, b, next);
            parts.swap(next);
        }
        if (!parts.empty()) return parts.front().key;
    }
    return std::nullopt;
}

}  // namespace loom::noc
