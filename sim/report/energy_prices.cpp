// SPDX-License-Identifier: Apache-2.0
#include "sim/report/energy_prices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cores/core_counters.hpp"
#include "noc/network.hpp"
#include "arch/core_kinds.hpp"
#include "base/error.hpp"
#include "base/nearest.hpp"
#include "base/config/quantity.hpp"
#include "sim/report/area.hpp"

namespace loom::stats {
namespace {

using Per = EnergyPrice::Per;

template <class C>
void collect_events(std::vector<EventInfo>& out) {
    C counters;
    fields(
        [&](const char* name, std::uint64_t&, bool priced, const char* doc) {
            out.push_back({name, doc, priced});
        },
        counters);
}

struct Events {
    std::vector<EventInfo> list;
    EventLayout layout;
};
const Events& events() {
    static const Events result = [] {
        Events e;
        collect_events<cores::CoreCounters>(e.list);
        e.layout.noc = e.list.size();
        collect_events<noc::NocCounters>(e.list);
        e.layout.host = e.list.size();
        e.list.push_back({"host.packets", "packets injected by the host", true});
        e.layout.barrier = e.list.size();
        e.list.push_back({"barrier.barriers", "barriers between timesteps", true});
        return e;
    }();
    return result;
}

constexpr std::array<std::string_view, noc::kLinkKinds> kLinkEvents{
    "noc.link_x+", "noc.link_x-", "noc.link_y+",    "noc.link_y-",
    "noc.link_z+", "noc.link_z-", "noc.link_other", "noc.link_bridge"};

/// A link's kind by the event of its flits; kLinkKinds: no link.
noc::LinkKind link_kind(const std::string& event) {
    return static_cast<noc::LinkKind>(std::find(kLinkEvents.begin(), kLinkEvents.end(), event) -
                                      kLinkEvents.begin());
}

/// Events of what only some chips have.
bool is_rare(const std::string& event) {
    static constexpr std::array<std::string_view, 4> others{"noc.table_lookups", "noc.relays", "noc.filtered",
                                                            "noc.reinjected"};
    return link_kind(event) != noc::kLinkKinds || event.starts_with("cim.") ||
           std::find(others.begin(), others.end(), event) != others.end();
}

bool is_network(std::size_t event) {
    return event >= event_layout().noc && event < event_layout().host;
}

/// Throws for an event that has no price in a list (its key), if it is one that needs it.
void need_price(const EventInfo& e, const std::string& list = "energy") {
    if (!e.priced) return;
    throw ConfigError(
        fmt::format("{}.actions.{}: missing; give it a price, or a reason under energy.unpriced ({})", list,
                    family_of(e.name), e.doc));
}

/// Can a kind of core count this event?
bool occurs(std::string_view event, const arch::CoreSpec& core) {
    if (!core.in_memory()) return !event.starts_with("cim.");
    if (event.starts_with("synapse.") || event.starts_with("dendrite.") || event == "axon_in.lookups")
        return false;
    if (!event.starts_with("cim.")) return true;
    static constexpr std::array<std::string_view, 5> digital{
        "cim.digital_rows", "cim.digital_active", "cim.row_adds", "cim.sweeps", "cim.cells_written"};
    static constexpr std::array<std::string_view, 5> both{
        "cim.fetch_beats", "cim.rows_driven", "cim.shift_adds", "cim.tree_adds", "cim.select_cycles"};
    const auto in = [&](const auto& list) {
        return std::find(list.begin(), list.end(), event) != list.end();
    };
    return in(both) || in(digital) == (core.cim && core.cim->array.type == arch::CimType::SramDigital);
}

/// Can a chip count this event?
bool can_happen(const std::string& event, const arch::ChipSpec& chip, const Inventory& inventory) {
    if (!occurs(event, chip.core)) return false;
    const noc::LinkKind kind = link_kind(event);
    if (kind != noc::kLinkKinds) return inventory.kinds[kind];
    const std::string& style = chip.noc.multicast.style;
    if (event == "noc.table_lookups") return style == "table";
    if (event == "noc.relays") return style == "relay";
    if (event == "noc.filtered") return style == "region";
    if (event == "noc.reinjected") return chip.noc.router.kind == "timeout" && chip.noc.router.reinject > 0;
    return true;
}

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
    if (event == "axon_in.packets" || event == "axon_out.packets" || event == "host.packets")
        return chip.core.axon_out.packet_bits;
    return event == "synapse.word_reads" ? chip.core.synapse.word : 0;
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
        throw ConfigError(
            fmt::format("energy.actions.{}.value: {} {}", key, config::format_price(price), why));
    };
    const std::uint64_t bits = bits_of(event, chip);
    if (bits == 0) fail("is a price per bit, but the event has no fixed number of bits; price it per event");
    entry.pj *= static_cast<double>(bits);
    entry.formula = fmt::format("{} * {} bits", config::format_price(price), bits);
    if (price.per == Per::Bit) return;
    const Length length = length_of(event, chip.noc);
    if (length.key.empty()) fail("is a price per mm, but the event has no length; price it per event or bit");
    if (length.mm <= 0) {
        throw ConfigError(fmt::format("{}: missing; energy.actions.{} is a price per mm ({})", length.key,
                                      key, config::format_price(price)));
    }
    entry.pj *= length.mm;
    entry.formula += fmt::format(" * {}", config::format_quantity(length.mm, Unit::Length));
}

std::uint32_t category_of(const std::string& name) {
    return static_cast<std::uint32_t>(std::find(kCategories.begin(), kCategories.end(), name) -
                                      kCategories.begin());
}

/// The entry of a map for an event or its family; end() when there is none.
template <class Map>
auto find_price(const Map& map, const std::string& event) {
    const auto it = map.find(event);
    return it != map.end() ? it : map.find(family_of(event));
}

/// list: the key of the prices.
void check_names(const arch::EnergySpec& prices, const std::string& list) {
    std::vector<std::string> names;
    for (const EventInfo& e : all_events()) {
        const std::string family = family_of(e.name);
        if (std::find(names.begin(), names.end(), family) == names.end()) names.push_back(family);
        if (family != e.name) names.push_back(e.name);
    }
    const auto known = [&](const std::string& path, const std::string& name) {
        if (std::find(names.begin(), names.end(), name) == names.end())
            throw ConfigError(path + ": no such event" + suggestion(name, names));
    };
    const auto one_of = [](const std::string& path, const std::string& value,
                           const std::vector<std::string>& of) {
        if (std::find(of.begin(), of.end(), value) == of.end())
            throw ConfigError(path + ": unknown " + quoted(value) + suggestion(value, of));
    };
    const std::vector<std::string> categories(kCategories.begin(), kCategories.end());
    const std::vector<std::string> grades{"measured", "simulated", "derived", "assumed"};
    for (const auto& [name, price] : prices.actions) {
        const std::string path = list + ".actions." + name;
        known(path, name);
        one_of(path + ".category", price.category, categories);
        one_of(path + ".grade", price.grade, grades);
        one_of(path + ".scope", price.scope, {"marginal", "all_in"});
        if (prices.unpriced.count(name) != 0)
            throw ConfigError(list + ".unpriced." + name + ": has a price as well");
    }
    for (const auto& [name, reason] : prices.unpriced) known(list + ".unpriced." + name, name);
    for (const auto& [name, leak] : prices.leakage) {
        const std::string path = list + ".leakage." + name;
        one_of(path, name, {"core", "router", "link", "bridge", "chip"});
        one_of(path + ".grade", leak.grade, grades);
        if (leak.value > 0 && leak.per_cycle > 0)
            throw ConfigError(path + ".per_cycle: there is a power (value) as well");
    }
    check_area(prices, list);
}

}  // namespace

const std::vector<EventInfo>& all_events() {
    return events().list;
}

const EventLayout& event_layout() {
    return events().layout;
}

std::string family_of(const std::string& event) {
    const bool way = event.ends_with('+') || event.ends_with('-');
    return way ? event.substr(0, event.size() - 1) : event;
}

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

PriceTable::PriceTable(const arch::ChipSpec& chip) : name_(chip.energy.name) {
    const Inventory inventory(chip);
    const arch::EnergySpec& prices = chip.energy;
    for (const EventInfo& e : all_events()) {
        Entry entry;
        entry.possible = can_happen(e.name, chip, inventory);
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
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (all_events()[i].name == event) return entries_[i];
    }
    throw InternalError(fmt::format("there is no event {}", event));
}

const PriceTable::Entry& PriceTable::of_link(noc::LinkKind kind) const {
    return of(kLinkEvents.at(kind));
}

ChipPrices::ChipPrices(const arch::ChipSpec& chip) : kinds_(arch::core_kinds(chip)) {
    for (std::size_t k = 0; k < chip.n_kinds(); ++k) {
        views_.push_back(std::make_unique<const arch::ChipSpec>(arch::chip_of_kind(chip, k)));
        tables_.emplace_back(*views_.back());
    }
}

void check_prices(const arch::ChipSpec& chip, PricedPart part) {
    check_names(chip.energy, "energy");
    for (std::size_t k = 0; k < chip.cores.size(); ++k)
        check_names(chip.cores[k].energy, fmt::format("cores.{}.energy", k));
    for (std::size_t k = 0; k < (part == PricedPart::Network ? 1 : chip.n_kinds()); ++k) {
        const arch::ChipSpec view = arch::chip_of_kind(chip, k);
        const PriceTable table(view);
        for (std::size_t i = 0; i < all_events().size(); ++i) {
            const bool core = i < event_layout().noc;
            if ((part == PricedPart::Network && !is_network(i)) || (k != 0 && !core)) continue;
            if (table[i].spec != nullptr || table[i].excused || !table[i].possible) continue;
            need_price(all_events()[i],
                       core && !chip.cores.empty() ? fmt::format("cores.{}.energy", k) : "energy");
        }
    }
}

void check_price_list(const arch::EnergySpec& prices) {
    check_names(prices, "energy");
    const auto named = [&](const EventInfo& e) {
        return find_price(prices.actions, e.name) != prices.actions.end() ||
               find_price(prices.unpriced, e.name) != prices.unpriced.end();
    };
    bool cores = false;
    for (std::size_t i = 0; i < all_events().size(); ++i) cores |= !is_network(i) && named(all_events()[i]);
    for (std::size_t i = 0; i < all_events().size(); ++i) {
        const EventInfo& e = all_events()[i];
        if ((cores || is_network(i)) && !is_rare(e.name) && !named(e)) need_price(e);
    }
}

}  // namespace loom::stats
