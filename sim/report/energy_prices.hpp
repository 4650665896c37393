// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arch/chip_spec.hpp"
#include "arch/price_words.hpp"
#include "noc/topology/topology.hpp"
#include "sim/report/event_list.hpp"

namespace loom::stats {

inline constexpr auto& kCategories = arch::kPriceCategories;

/// What a chip consists of, for leakage and for the events that can happen at all.
struct Inventory {
    explicit Inventory(const arch::ChipSpec& chip);
    std::uint64_t cores = 0, routers = 0, links = 0, bridges = 0;
    std::array<bool, noc::kLinkKinds> kinds{};
};

/// The entry of a price list's map for an event or its family; end() when there is none.
template <class Map>
auto find_price(const Map& map, const std::string& event) {
    const auto it = map.find(event);
    return it != map.end() ? it : map.find(family_of(event));
}

/// A price list made ready for one chip: prices per bit and mm multiplied out.
class PriceTable {
  public:
    struct Entry {
        double pj = 0;
        const arch::PriceSpec* spec = nullptr;  ///< null: free
        std::string formula;                    ///< "0.3 pJ/bit/mm * 32 bits * 0.24 mm"; empty when per event
        std::string reason;                     ///< of a free one
        bool excused = false;                   ///< the reason is the price list's
        bool possible = true;                   ///< this chip can count it
        std::uint32_t category = 3;
    };
    /// Throws ConfigError as check_prices. The chip must outlive the table.
    explicit PriceTable(const arch::ChipSpec& chip);
    /// The same with what several tables of a chip share.
    PriceTable(const arch::ChipSpec& chip, const Inventory& inventory,
               std::shared_ptr<const EventList> events);
    const EventList& events() const { return *events_; }
    const Entry& operator[](std::size_t event) const { return entries_[event]; }
    /// By name; of the flits over a kind of link. InternalError when there is no such event.
    const Entry& of(std::string_view event) const;
    const Entry& of_link(noc::LinkKind kind) const;
    const std::string& name() const { return name_; }

  private:
    std::string name_;
    std::shared_ptr<const EventList> events_;
    std::vector<Entry> entries_;  ///< [events]
};

/// The price tables of a chip's kinds of cores; the first serves network, host and barrier too.
class ChipPrices {
  public:
    explicit ChipPrices(const arch::ChipSpec& chip);
    ChipPrices(const arch::ChipSpec& chip, const Inventory& inventory);
    const EventList& events() const { return *events_; }
    const PriceTable& of_kind(std::size_t kind) const { return tables_[kind]; }
    /// The name of kind k's type, whose events its cores count.
    const std::string& kind_name(std::size_t k) const { return views_[k]->core.kind; }
    /// Of a core (endpoint); 0 for what is no core.
    std::size_t kind(std::uint32_t core) const { return core < kinds_.size() ? kinds_[core] : 0; }

  private:
    std::shared_ptr<const EventList> events_;
    std::vector<std::unique_ptr<const arch::ChipSpec>> views_;
    std::vector<PriceTable> tables_;
    std::vector<std::uint32_t> kinds_;
};

/// Which events must be priced or excused: all, or only those of a network that runs alone.
enum class PricedPart { Chip, Network };

/// Throws ConfigError when a price names no event, a category or grade is unknown, a price per bit or mm
/// has no bits or length to go with, or an event that this chip can count is neither priced nor excused.
void check_prices(const arch::ChipSpec& chip, PricedPart part = PricedPart::Chip);
/// What can be said of a price list without a chip: names, grades, and that events which every chip counts
/// are priced or excused (those of cores only if the list has any of them).
void check_price_list(const arch::EnergySpec& prices, const arch::CoreKinds& kinds);

}  // namespace loom::stats
