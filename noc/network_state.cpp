// SPDX-License-Identifier: Apache-2.0
#include "noc/network_state.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace loom::noc {

bool NetworkState::next_copy(Packet& packet, std::uint32_t& member, std::size_t& members) {
    const std::uint32_t set = packet.destination.value;
    const std::size_t known = sets == nullptr ? 0 : sets->size();
    if (set >= known) throw ModelError(fmt::format("a packet to destination set {} of {}", set, known));
    const auto all = sets->members(set);
    members = all.size();
    if (member == 0) {
        NocCounters& count = counters[packet.tag];
        ++count.packets;
        count.packets_expected += all.size() + sets->unreachable(set);
        lose(packet, sets->unreachable(set));
    }
    packet.set = set;
    if (all.empty()) return true;
    if (!sets->in_tree()) packet.destination = Destination::endpoint(EndpointId{all[member]});
    if (sets->style() == MulticastStyle::Unicast && ++member != all.size()) return false;
    member = 0;
    return true;
}

}  // namespace loom::noc
