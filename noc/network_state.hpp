// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "noc/multicast/relays.hpp"
#include "noc/multicast/sets.hpp"
#include "noc/network.hpp"

namespace loom::noc {

/// What the parts of a network count and know in common.
struct NetworkState {
    std::vector<NocCounters> counters;  ///< [tag]
    const MulticastSets* sets = nullptr;
    /// Flits of packets that have been taken from their sender and neither delivered nor dropped, copies
    /// included.
    std::size_t in_flight = 0;
    Cycle epoch = kNever;  ///< first cycle since the last reset
    Cycle now = 0;         ///< the cycle that is evaluated
    Relays relays;
    /// Work that the chip waits for, a packet on its way being a piece of it; null: nobody waits.
    Activity* activity = nullptr;

    /// A packet to an endpoint does not arrive, nor at those that it would be relayed to.
    void drop(const Packet& packet) { lose(packet, sets == nullptr ? 1 : sets->lost_with(packet)); }
    /// So many deliveries of a packet do not happen: nobody waits for them any more.
    void lose(const Packet& packet, std::uint64_t deliveries) {
        counters[packet.tag].packets_dropped += deliveries;
        if (activity != nullptr) activity->lower(now, static_cast<std::int64_t>(deliveries));
    }
    /// Counts a delivery; true when the core has a copy to send on.
    bool delivered(std::uint32_t endpoint, const Packet& packet) {
        NocCounters& count = counters[packet.tag];
        ++count.packets_delivered;
        if (packet.set == kNone || !relays.send_on(*sets, endpoint, packet)) return false;
        ++count.relays;
        return true;
    }
    /// Makes room for the counters of a tag.
    void know_tag(std::uint16_t tag) {
        if (tag >= counters.size()) counters.resize(tag + 1u);
    }
    /// Turns a packet to a set, the next one of endpoint `from`, into its next copy. `member`: how far the
    /// source is with the set, 0 at the start. True: the last copy, the source is done with the packet.
    /// `members`: those of the set; when there are none, nothing is to be sent. ModelError for an unknown
    /// set.
    bool next_copy(Packet& packet, std::uint32_t& member, std::size_t& members);
};

}  // namespace loom::noc
