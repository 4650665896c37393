// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "noc/vc/router_cycle.hpp"

namespace loom::noc {

/// All routers of a network. Only those in which something can happen are looked at.
class RouterArray {
  public:
    RouterArray(Fabric& fabric, const Topology& topology, const Routing& routing, const RouterRules& rules);
    RouterArray(const RouterArray&) = delete;
    RouterArray& operator=(const RouterArray&) = delete;

    /// The flits and credits of this cycle.
    void receive(const EventList<Calendar::FlitAtRouter>& flits, Cycle now) { cycle_->receive(flits, now); }
    void receive(const EventList<Calendar::CreditAtRouter>& credits) { cycle_->receive(credits); }
    /// Allocation, switching and sending in all active routers.
    void evaluate(Cycle now) { cycle_->evaluate(now); }
    bool active() const { return state_.n_active != 0; }
    /// Some flit cannot go on before a credit is back.
    bool waits_for_credit() const { return state_.waiting != 0 || state_.buffered != 0; }
    /// Initial state of arbiters and credits; the network is empty.
    void reset();

    std::vector<PortUse> port_use(std::uint32_t router) const;
    std::uint64_t buffer_cycles(std::uint32_t router) const { return state_.router(router).buffer_cycles; }
    /// Appends a line per input buffer with flits, until there are `limit`.
    void describe(std::vector<std::string>& lines, std::size_t limit) const;
    /// Buffers that wait for each other in a circle, when nothing moves; empty: there are none.
    std::string wait_cycle() const;

  private:
    std::uint32_t waits_for(std::uint32_t index) const;
    std::string name_of(std::uint32_t index) const;

    RouterState state_;
    std::unique_ptr<RouterCycle> cycle_;
};

}  // namespace loom::noc
