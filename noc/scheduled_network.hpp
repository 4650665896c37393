// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <queue>

#include "noc/packet_fabric.hpp"

namespace loom::noc {

/// A statically scheduled fabric (NorthPole's networks, circuit-switched lanes): every flow, a source and a
/// destination, owns a slot of a table of `slots` cycles on every link of its way, so that nothing is ever
/// arbitrated or buffered. A packet waits at its source for the flow's slot. A flow for which no slot is
/// free on all of its links does not fit: MappingError.
class ScheduledNetwork final : public PacketFabric {
  public:
    ScheduledNetwork(const arch::ChipSpec& spec, Topology topology);
    void reset() override;
    std::string describe_stuck(std::size_t limit) const override;
    Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const override;
    std::string describe_tables() const override;

  protected:
    bool step(Cycle now) override;

  private:
    struct Hop {
        std::uint32_t router;
        unsigned port;
        Cycles after;  ///< cycles from the start
    };
    struct Flow {
        std::vector<Hop> way;
        Cycles length = 0;  ///< to the core
        Cycle slot = 0, next = 0;
        std::uint16_t flits = 1;
    };
    struct Arriving {
        Cycle at;
        std::uint64_t order;
        Packet packet;
        bool operator>(const Arriving& o) const { return at != o.at ? at > o.at : order > o.order; }
    };
    Flow& flow(std::uint32_t from, std::uint32_t to, std::uint16_t flits);
    bool fits(const Flow& f, Cycle slot) const;

    Cycles slots_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, Flow> flows_;
    std::vector<std::vector<bool>> taken_;      ///< [router x port]: slots in use
    std::vector<std::vector<bool>> injecting_;  ///< [endpoint]: slots in use
    std::priority_queue<Arriving, std::vector<Arriving>, std::greater<>> arriving_;
    std::uint64_t order_ = 0;
};

}  // namespace loom::noc
