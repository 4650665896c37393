// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>

#include "noc/vc/router_state.hpp"

namespace loom::noc {

/// What routers do in a cycle: input-buffered virtual channels with credits, wormhole switching, allocation
/// of virtual channels and of the switch. Chosen once for all routers of a network. In every cycle: credits,
/// flits, evaluate.
class RouterCycle {
  public:
    virtual ~RouterCycle() = default;
    virtual void receive(const EventList<Calendar::FlitAtRouter>& flits, Cycle now) = 0;
    virtual void receive(const EventList<Calendar::CreditAtRouter>& credits) = 0;
    /// Allocation, switching and sending in all active routers.
    virtual void evaluate(Cycle now) = 0;
    /// Before RouterState::reset().
    virtual void reset() {}
    /// Output ports that would do for the packet at the front of an input VC.
    virtual std::uint64_t candidates(std::uint32_t router, unsigned input) const = 0;
};

/// Routers whose state fits a few masks: one port per route, default allocators, links alike and of a flit
/// per cycle, nothing damaged, at most 64 input VCs. nullptr when these are not such routers.
std::unique_ptr<RouterCycle> make_plain_cycle(RouterState& state);
/// Routers of any kind.
std::unique_ptr<RouterCycle> make_general_cycle(RouterState& state);

}  // namespace loom::noc
