// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arch/chip_spec.hpp"

namespace loom::arch {

/// The kind of every core, [endpoints]. Throws ConfigError ("cores.1.routers.0: ...") for places that the
/// chip does not have, kinds without a core and cores without a kind.
std::vector<std::uint32_t> core_kinds(const ChipSpec& chip);
/// Cores of every kind, [kinds].
std::vector<std::uint64_t> cores_of_kinds(const ChipSpec& chip);

/// "near" of `name: near`; empty for a chip whose cores are all alike.
std::string kind_name(const ChipSpec& chip, std::size_t kind);
/// "neurons of a core" -> "neurons of a core (kind 'near')" on a chip with several kinds.
std::string of_kind(const ChipSpec& chip, std::size_t kind, const std::string& resource);

/// What a kind of core pays for an event: its own price or reason for none, else the chip's.
struct EventPrice {
    const PriceSpec* price = nullptr;
    const std::string* reason = nullptr;  ///< why it has no price
    bool known() const { return price != nullptr || reason != nullptr; }
};
EventPrice price_of(const ChipSpec& chip, std::size_t kind, const std::string& event);

/// Static power of a core of a kind: its own entry, else the chip's; null when there is none.
const LeakageSpec* core_leakage(const ChipSpec& chip, std::size_t kind);

/// The chip with the prices that follow from its cores' descriptions (CoreKind::add_own_prices) in the lists
/// of its kinds of cores. Throws ConfigError.
ChipSpec with_derived_prices(ChipSpec chip);

/// Bits that an event of cores moves: of a word of the memory, of a packet; 0: no fixed number.
std::uint64_t event_bits(const CoreSpec& core, std::string_view event);

/// The chip as a kind of its cores sees it: all cores alike, the kind's prices over the chip's.
ChipSpec chip_of_kind(const ChipSpec& chip, std::size_t kind);

}  // namespace loom::arch
