// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "noc/network_base.hpp"
#include "noc/routing/way.hpp"
#include "noc/vc/endpoints.hpp"
#include "noc/vc/router_array.hpp"

namespace loom::noc {

/// Routers with virtual channels and credits, and their network interfaces. Packets of one source and
/// destination stay in order only with deterministic routing and one virtual channel.
class VcNetwork final : public NetworkBase {
  public:
    /// asynchronous: a hop takes the times of noc.router.async, which the topology's links have.
    VcNetwork(const arch::ChipSpec& spec, Topology topology, bool asynchronous);

    Cycle evaluate(Cycle now) override;
    void attach(EndpointId endpoint, EndpointLinks links) override;
    void reset() override;
    std::span<const NocCounters> counters() const override;
    std::vector<PortUse> port_use(std::uint32_t router) const override { return routers_->port_use(router); }
    std::uint64_t buffer_cycles(std::uint32_t router) const override {
        return routers_->buffer_cycles(router);
    }
    std::string describe_stuck(std::size_t limit) const override;
    Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const override;
    unsigned zero_load_hops(EndpointId from, EndpointId to) const override;

  protected:
    void prepare_for_sets(const MulticastSets& sets) override;
    void check_sets(const MulticastSets& sets) override;

  private:
    WayCost way_cost(EndpointId from, EndpointId to) const;
    /// Cycles of a head in front of a router before it bids for the switch, and from there to the link.
    Cycles head_cycles() const {
        return rules_.pipeline.route_cycles + (rules_.pipeline.speculative ? 0 : 1);
    }
    Cycles switch_delay() const { return rules_.asynchronous ? 0 : spec_.router.switch_cycles + 1; }
    Cycles flits_after(EndpointId from, EndpointId to, const WayCost& w, unsigned flits) const;

    RouterRules rules_;
    Fabric fabric_;
    mutable std::vector<NocCounters> totals_;  ///< what counters() shows
    std::unique_ptr<RouterArray> routers_;
    std::unique_ptr<Endpoints> endpoints_;
    Cycles even_latency_ = 0;  ///< of every link of a mesh with x-y routing; 0: otherwise, or not all alike
};

}  // namespace loom::noc
