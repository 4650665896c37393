// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <vector>

#include "arch/chip_spec.hpp"
#include "base/clocking/link.hpp"
#include "base/clocking/packet.hpp"
#include "noc/network.hpp"

namespace loom::chip {

/// The network of a chip and the links between it and what sits at its endpoints. Owns both.
class Wiring {
  public:
    /// Packets that fit between a component's output and the network.
    static constexpr std::size_t kOutSlots = 4;
    /// Ports by which a component is told of its links (Clocked::announce).
    static constexpr unsigned kArrivals = 0, kCredits = 1;

    /// The links of an endpoint, as the component there sees them.
    struct Ends {
        Link<Packet>* in = nullptr;  ///< null: the component takes no packets
        Link<Packet>* out = nullptr;
    };

    /// The network is made and becomes the next component of `scheduler`.
    Wiring(const arch::ChipSpec& spec, Scheduler& scheduler);
    /// With a network that has been made.
    Wiring(std::unique_ptr<noc::Network> network, Scheduler& scheduler);

    /// Links for a component that is still to be made. `in_slots`: packets that fit in front of it; 0: it
    /// takes none.
    Ends add_links(std::size_t in_slots);
    /// Puts the component, `id` of the scheduler, at the other side of its links.
    void connect(EndpointId endpoint, Ends ends, Scheduler::ComponentId id, Clocked& component);

    noc::Network& network() { return *network_; }
    const noc::Network& network() const { return *network_; }
    /// The network's number in the scheduler.
    Scheduler::ComponentId network_component() const { return network_id_; }

  private:
    Scheduler& scheduler_;
    std::unique_ptr<noc::Network> network_;
    Scheduler::ComponentId network_id_;
    std::vector<std::unique_ptr<Link<Packet>>> links_;
};

}  // namespace loom::chip
