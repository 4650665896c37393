// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace loom::noc {

/// An entry of a ternary table: matches a key k when (k & mask) == key. ports: links and local cores.
struct KeyMaskEntry {
    std::uint32_t key = 0, mask = 0;
    std::uint64_t ports = 0;
    bool matches(std::uint32_t k) const { return (k & mask) == key; }
    /// Some key matches both.
    bool meets(const KeyMaskEntry& o) const { return ((key ^ o.key) & mask & o.mask) == 0; }
    /// Every key that matches `o` matches this one.
    bool covers(const KeyMaskEntry& o) const { return (mask & ~o.mask) == 0 && ((key ^ o.key) & mask) == 0; }
};

/// A router's ordered table: the first match wins; no match: the packet goes straight on.
class KeyMaskTable {
  public:
    KeyMaskTable() = default;
    explicit KeyMaskTable(std::vector<KeyMaskEntry> entries);
    std::optional<std::uint64_t> lookup(std::uint32_t key) const;
    std::size_t size() const { return entries_.size(); }
    const std::vector<KeyMaskEntry>& entries() const { return entries_; }

  private:
    std::vector<KeyMaskEntry> entries_;
    bool exact_ = false;  ///< sorted by key, all bits compared: found by bisection
};

/// A smaller table that agrees with `table` on every key that it matches, and still matches none of the
/// `pass` keys (those that go straight on here). Keys that are neither are don't-cares: nobody sends them.
/// Order-exploiting covering after Mundy et al. (HPSR 2016): the keys of a port set are covered by as
/// general entries as possible; small sets come first, so that large ones below may cover their keys too.
/// Cost: entries x 32 x (entries + pass).
KeyMaskTable minimise(const KeyMaskTable& table, std::span<const std::uint32_t> pass = {});

/// A key that `before` matches and on which the two differ, exactly, over the whole key space. With
/// `misses`, also keys that `before` does not match and `after` does.
std::optional<std::uint32_t> first_difference(const KeyMaskTable& before, const KeyMaskTable& after,
                                              bool misses = false);

}  // namespace loom::noc
