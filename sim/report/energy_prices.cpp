// SPDX-License-Identifier: Apache-2.0
#include "sim/report/energy_prices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "arch/core_kinds.hpp"
#include "base/config/quantity.hpp"
#include "base/error.hpp"
#include "base/key_error.hpp"
#include "noc/network.hpp"

namespace loom::stats {
namespace {

using Per = EnergyPrice::Per;

/// Bits that an event moves; 0: no fixed number.
std::uint64_t bits_of(const std::string& event, const arch::ChipSpec& chip) {
    static constexpr std::array<std::string_view, 7> flits{
        "noc.ni_in",    "noc.ni_out",     "noc.buffer_writes", "noc.buffer_reads",
        "noc.crossbar", "noc.link_other", "noc.link_bridge"};
    if (link_kind(event) != noc::kLinkKinds || event == "noc.local" ||
        std::find(flits.begin(), flits.end(), event) != flits.end()) {
        return chip.noc.flit_bits;
    }
    if (event == "noc.packets") return chip.noc.flit_bits * chip.packet_flits(0, false);
    return event == "host.packets" ? chip.core.axon_out.packet_bits : arch::event_bits(chip.core, event);
}

struct Length {
    double mm = 0;
    std::string key;  ///< where it is set; empty: the event has none
};
Length length_of(const std::string& event, const arch::NocSpec& noc) {
    if (event == "noc.local") return {noc.local_length, "noc.local_length"};
    const noc::LinkKind kind = noc::axis(link_kind(event));
    if (kind == noc::kLinkKinds || kind == noc::kLinkBridge) return {};
    if (kind == noc::kLinkY && noc.link_length_y > 0) return {noc.link_length_y, "noc.link_length_y"};
    if (kind == noc::kLinkZ && noc.link_length_z > 0) return {noc.link_length_z, "noc.link_length_z"};
    return {noc.link_length, "noc.link_length"};
}

/// Multiplies a price out. ConfigError where there is nothing to multiply it with.
void resolve(const std::string& event, const std::string& key, const arch::ChipSpec& chip,
             PriceTable::Entry& entry) {
    const EnergyPrice& price = entry.spec->value;
    entry.pj = price.pj;
    if (price.per == Per::Event) return;
    const auto fail = [&](const std::string& why) {
        throw KeyError(fmt::format("energy.actions.{}.value", key),
                       fmt::format("{} {}", config::format_price(price), why));
    };
    const std::uint64_t bits = bits_of(event, chip);
    if (bits == 0) fail("is a price per bit, but the event has no fixed number of bits; price it per event");
    entry.pj *= static_cast<double>(bits);
    entry.formula = fmt::format("{} * {} bits", config::format_price(price), bits);
    if (price.per == Per::Bit) return;
    const Length length = length_of(event, chip.noc);
    if (length.key.empty()) fail("is a price per mm, but the event has no length; price it per event or bit");
    if (length.mm <= 0) {
        throw KeyError(length.key, fmt::format("missing; energy.actions.{} is a price per mm ({})", key,
                                               config::format_price(price)));
    }
    entry.pj *= length.mm;
    entry.formula += fmt::format(" * {}", config::format_quantity(length.mm, Unit::Length));
}

std::uint32_t category_of(const std::string& name) {
    return static_cast<std::uint32_t>(std::find(kCategories.begin(), kCategories.end(), name) -
                                      kCategories.begin());
}

}  // namespace

Inventory::Inventory(const arch::ChipSpec& chip) : cores(chip.n_cores()) {
    const noc::Topology t = noc::make_topology(chip.noc, chip.clock.period, chip.io.router);
    routers = t.n_routers();
    std::uint64_t ways = 0, bridge_ways = 0;
    for (std::uint32_t r = 0; r < t.n_routers(); ++r) {
        for (unsigned p = 0; p < t.link_ports(); ++p) {
            const noc::Channel& c = t.channel(r, p);
            if (c.peer == noc::kNone) continue;
            kinds[c.kind] = true;
            ++(c.kind == noc::kLinkBridge ? bridge_ways : ways);
        }
    }
    links = ways / 2;
    bridges = bridge_ways / 2;
}

PriceTable::PriceTable(const arch::ChipSpec& chip)
    : PriceTable(chip, Inventory(chip), std::make_shared<const EventList>(chip.kinds())) {}

PriceTable::PriceTable(const arch::ChipSpec& chip, const Inventory& inventory,
                       std::shared_ptr<const EventList> events)
    : name_(chip.energy.name), events_(std::move(events)) {
    const arch::EnergySpec& prices = chip.energy;
    for (std::size_t i = 0; i < events_->size(); ++i) {
        const EventInfo& e = (*events_)[i];
        Entry entry;
        entry.possible = events_->possible(i, chip, inventory.kinds);
        const auto price = find_price(prices.actions, e.name);
        const auto excuse = find_price(prices.unpriced, e.name);
        // "noc.link_x+" comes before "noc.link_x", whichever map it is in
        const bool excused = excuse != prices.unpriced.end() && excuse->first == e.name;
        if (price != prices.actions.end() && !(excused && price->first != e.name)) {
            entry.spec = &price->second;
            entry.category = category_of(price->second.category);
            if (entry.possible || price->second.value.per == Per::Event)
                resolve(e.name, price->first, chip, entry);
        } else {
            entry.excused = excuse != prices.unpriced.end();
            entry.reason = entry.excused ? excuse->second : "not in the price list";
        }
        entries_.push_back(std::move(entry));
    }
}

const PriceTable::Entry& PriceTable::of(std::string_view event) const {
    const std::size_t i = events_->find(event);
    if (i == entries_.size()) throw InternalError(fmt::format("there is no event {}", event));
    return entries_[i];
}

const PriceTable::Entry& PriceTable::of_link(noc::LinkKind kind) const {
    return of(link_event(kind));
}

ChipPrices::ChipPrices(const arch::ChipSpec& chip) : ChipPrices(chip, Inventory(chip)) {}

ChipPrices::ChipPrices(const arch::ChipSpec& chip, const Inventory& inventory)
    : events_(std::make_shared<const EventList>(chip.kinds())), kinds_(arch::core_kinds(chip)) {
    for (std::size_t k = 0; k < chip.n_kinds(); ++k) {
        views_.push_back(std::make_unique<const arch::ChipSpec>(arch::chip_of_kind(chip, k)));
        tables_.emplace_back(*views_.back(), inventory, events_);
    }
}

}  // namespace loom::stats
