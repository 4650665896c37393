// SPDX-License-Identifier: Apache-2.0
#include "sim/report/event_list.hpp"

#include <algorithm>
#include <array>

#include "noc/multicast/sets.hpp"
#include "noc/network.hpp"

namespace loom::stats {
namespace {

constexpr std::array<std::string_view, noc::kLinkKinds> kLinkEvents{
    "noc.link_x+", "noc.link_x-", "noc.link_y+",    "noc.link_y-",
    "noc.link_z+", "noc.link_z-", "noc.link_other", "noc.link_bridge"};

/// Events of the network that only some configurations have, and which.
struct NetworkEvent {
    std::string_view name;
    bool (*happens)(const arch::NocSpec&);
};
template <noc::MulticastStyle kStyle>
bool has_style(const arch::NocSpec& s) {
    return noc::find_multicast_style(s.multicast.style) == kStyle;
}
constexpr std::array<NetworkEvent, 4> kRareOfNetwork{
    {{"noc.table_lookups", has_style<noc::MulticastStyle::Table>},
     {"noc.relays", has_style<noc::MulticastStyle::Relay>},
     {"noc.filtered", has_style<noc::MulticastStyle::Region>},
     {"noc.reinjected",
      [](const arch::NocSpec& s) { return s.shape().drops_packets && s.router.reinject > 0; }}}};

const NetworkEvent* rare_of_network(std::string_view event) {
    const auto* it = std::find_if(kRareOfNetwork.begin(), kRareOfNetwork.end(),
                                  [&](const NetworkEvent& e) { return e.name == event; });
    return it == kRareOfNetwork.end() ? nullptr : it;
}

}  // namespace

EventList::EventList(const arch::CoreKinds& kinds) {
    arch::append_events<cores::CoreCounters>(events_);
    common_ = events_.size();
    for (const auto& kind : kinds.all()) {
        const std::size_t first = events_.size();
        for (EventInfo& e : kind->own_events()) events_.push_back(std::move(e));
        own_.push_back({std::string(kind->name()), first, events_.size()});
    }
    noc_ = events_.size();
    arch::append_events<noc::NocCounters>(events_);
    host_ = events_.size();
    events_.push_back({"host.packets", "packets injected by the host", true});
    barrier_ = events_.size();
    events_.push_back({"barrier.barriers", "barriers between timesteps", true});
}

std::size_t EventList::find(std::string_view name) const {
    const auto it =
        std::find_if(events_.begin(), events_.end(), [&](const auto& e) { return e.name == name; });
    return static_cast<std::size_t>(it - events_.begin());
}

std::size_t EventList::own(std::string_view kind) const {
    for (const Own& o : own_) {
        if (o.kind == kind) return o.first;
    }
    return common_;
}

std::uint64_t EventList::count(const cores::CoreTotals& totals, std::string_view kind,
                               std::size_t event) const {
    std::uint64_t found = 0;
    for_each_count(totals, kind, [&](std::size_t e, std::uint64_t n) { found += e == event ? n : 0; });
    return found;
}

bool EventList::rare(std::size_t event) const {
    if (of_cores(event)) return event >= common_;
    return link_kind(events_[event].name) != noc::kLinkKinds ||
           rare_of_network(events_[event].name) != nullptr;
}

bool EventList::possible(std::size_t event, const arch::ChipSpec& chip,
                         const std::array<bool, noc::kLinkKinds>& links) const {
    const std::string& name = events_[event].name;
    if (of_cores(event)) {
        const arch::CoreKind& kind = chip.core.type();
        const auto mine =
            std::find_if(own_.begin(), own_.end(), [&](const Own& o) { return o.kind == kind.name(); });
        const bool others =
            event >= common_ && (mine == own_.end() || event < mine->first || event >= mine->end);
        return !others && kind.counts(name, chip.core);
    }
    if (const noc::LinkKind kind = link_kind(name); kind != noc::kLinkKinds) return links[kind];
    const NetworkEvent* rare = rare_of_network(name);
    return rare == nullptr || rare->happens(chip.noc);
}

std::string_view link_event(noc::LinkKind kind) {
    return kLinkEvents.at(kind);
}

noc::LinkKind link_kind(std::string_view event) {
    return static_cast<noc::LinkKind>(std::find(kLinkEvents.begin(), kLinkEvents.end(), event) -
                                      kLinkEvents.begin());
}

std::string family_of(const std::string& event) {
    const bool way = event.ends_with('+') || event.ends_with('-');
    return way ? event.substr(0, event.size() - 1) : event;
}

}  // namespace loom::stats
