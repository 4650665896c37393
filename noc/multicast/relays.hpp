// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <map>

#include "noc/multicast/sets.hpp"

namespace loom::noc {

/// Packets that cores send on to the next member of a set (style relay), in order per core.
class Relays {
  public:
    bool empty() const { return waiting_.empty(); }
    bool has(std::uint32_t endpoint) const { return !empty() && waiting_.count(endpoint) != 0; }
    /// The next packet of an endpoint; nullptr when there is none.
    const Packet* front(std::uint32_t endpoint) const {
        if (empty()) return nullptr;
        const auto at = waiting_.find(endpoint);
        return at == waiting_.end() ? nullptr : &at->second.front();
    }
    /// Forgets the packet that front() names.
    void pop(std::uint32_t endpoint) {
        const auto at = waiting_.find(endpoint);
        at->second.pop_front();
        if (at->second.empty()) waiting_.erase(at);
    }
    /// A packet has arrived at a member: true if there is a next one, and a copy for it waits from now on.
    bool send_on(const MulticastSets& sets, std::uint32_t endpoint, const Packet& packet) {
        if (sets.style() != MulticastStyle::Relay) return false;
        const auto behind = sets.behind(packet.set, endpoint);
        if (behind.empty()) return false;
        Packet copy = packet;
        copy.destination = Destination::endpoint(EndpointId{behind.front()});
        waiting_[endpoint].push_back(copy);
        return true;
    }

  private:
    std::map<std::uint32_t, std::deque<Packet>> waiting_;
};

}  // namespace loom::noc
