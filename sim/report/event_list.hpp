// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arch/core_catalogue.hpp"
#include "cores/core_counters.hpp"
#include "noc/topology/topology.hpp"

namespace loom::stats {

using arch::EventInfo;

/// Every event that a chip can count, in the order of reports: those that kinds of cores have in common,
/// those of each kind of the catalogue, of the network, the host and the barrier. Prices, ledgers and reports
/// speak of an event by its number in this list.
class EventList {
  public:
    explicit EventList(const arch::CoreKinds& kinds);
    std::size_t size() const { return events_.size(); }
    const EventInfo& operator[](std::size_t event) const { return events_[event]; }
    auto begin() const { return events_.begin(); }
    auto end() const { return events_.end(); }
    /// The number of an event; size() when there is none of the name.
    std::size_t find(std::string_view name) const;

    /// Number of the first event that only a kind of core counts (size of the common ones, if it has none).
    std::size_t own(std::string_view kind) const;
    /// Numbers of the first event of the network, the host and the barrier; cores come first.
    std::size_t noc() const { return noc_; }
    std::size_t host() const { return host_; }
    std::size_t barrier() const { return barrier_; }
    bool of_cores(std::size_t event) const { return event < noc_; }
    bool of_network(std::size_t event) const { return event >= noc_ && event < host_; }

    /// Of what only some chips have: a kind of core, a way of multicast, links of a kind. Price lists may be
    /// silent about it.
    bool rare(std::size_t event) const;
    /// Can the first kind of the chip's cores, and its network, count this event? links: kinds that there
    /// are.
    bool possible(std::size_t event, const arch::ChipSpec& chip,
                  const std::array<bool, noc::kLinkKinds>& links) const;

    /// f(event, count) for everything that cores of a kind have counted, in the order of the list.
    template <class F>
    void for_each_count(const cores::CoreTotals& totals, std::string_view kind, F f) const {
        std::size_t event = 0;
        fields([&](const char*, const std::uint64_t& n, bool, const char*) { f(event++, n); },
               const_cast<cores::CoreCounters&>(totals.common));  // only read
        event = own(kind);
        for (const std::uint64_t n : totals.own) f(event++, n);
    }
    /// One of these counts.
    std::uint64_t count(const cores::CoreTotals& totals, std::string_view kind, std::size_t event) const;

  private:
    struct Own {
        std::string kind;
        std::size_t first = 0, end = 0;
    };
    std::vector<EventInfo> events_;
    std::size_t common_ = 0, noc_ = 0, host_ = 0, barrier_ = 0;
    std::vector<Own> own_;  ///< [kinds], in the order of their events
};

/// The event of flits over a kind of link, and back; kLinkKinds: no link.
std::string_view link_event(noc::LinkKind kind);
noc::LinkKind link_kind(std::string_view event);

/// "noc.link_x" of "noc.link_x+": the name that stands for both directions in a price list; else the name.
std::string family_of(const std::string& event);

}  // namespace loom::stats
