// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "noc/endpoint_port.hpp"
#include "noc/endpoints.hpp"
#include "noc/multicast/sets.hpp"
#include "noc/router_array.hpp"
#include "noc/routing/way.hpp"

namespace loom::noc {

/// Routers with virtual channels and credits, and their network interfaces. Packets of one source and
/// destination stay in order only with deterministic routing and one virtual channel.
class VcNetwork final : public Network {
  public:
    /// asynchronous: a hop takes the times of noc.router.async, which the topology's links have.
    VcNetwork(const arch::ChipSpec& spec, Topology topology, bool asynchronous);

    Cycle evaluate(Cycle now) override;
    void announce(unsigned port, Cycle at) override { wakes_.push_back({at, EndpointPort::of(port).endpoint}); }
    void attach(EndpointId endpoint, EndpointLinks links) override;
    void reset() override;
    const Topology& topology() const override { return topology_; }
    std::size_t flits_in_flight() const override { return fabric_.in_flight; }
    std::span<const NocCounters> counters() const override;
    std::vector<PortUse> port_use(std::uint32_t router) const override { return routers_->port_use(router); }
    std::uint64_t buffer_cycles(std::uint32_t router) const override {
        return routers_->buffer_cycles(router);
    }
    std::string describe_stuck(std::size_t limit) const override;
    Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const override;
    unsigned zero_load_hops(EndpointId from, EndpointId to) const override;
    std::uint32_t add_set(EndpointId source, std::span<const std::uint32_t> members) override;
    void clear_sets() override;
    SetLinks set_links(std::uint32_t set) const override;
    std::uint32_t n_sets() const override {
        return sets_ == nullptr ? 0 : static_cast<std::uint32_t>(sets_->size());
    }
    std::string describe_tables() const override;

  private:
    void finish_sets();
    WayCost way_cost(EndpointId from, EndpointId to) const;
    /// Cycles of a head in front of a router before it bids for the switch, and from there to the link.
    Cycles head_cycles() const {
        return rules_.pipeline.route_cycles + (rules_.pipeline.speculative ? 0 : 1);
    }
    Cycles switch_delay() const { return rules_.asynchronous ? 0 : spec_.router.switch_cycles + 1; }
    Cycles flits_after(EndpointId from, EndpointId to, const WayCost& w, unsigned flits) const;

    const arch::NocSpec spec_;
    Topology topology_;
    RouterRules rules_;
    Fabric fabric_;
    mutable std::vector<NocCounters> totals_;  ///< what counters() shows
    std::unique_ptr<Routing> routing_;
    std::unique_ptr<MulticastSets> sets_;
    std::unique_ptr<RouterArray> routers_;
    std::unique_ptr<Endpoints> endpoints_;
    struct Wake {
        Cycle at;
        std::uint32_t endpoint;
    };
    std::vector<Wake> wakes_;  ///< endpoints whose links have something, and when
    bool sets_open_ = false;
    Cycles even_latency_ = 0;  ///< of every link of a mesh with x-y routing; 0: otherwise, or not all alike
};

}  // namespace loom::noc
