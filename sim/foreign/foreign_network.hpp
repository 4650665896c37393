// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <memory>
#include <vector>

#include "noc/network.hpp"
#include "sim/foreign/network_module.hpp"

namespace loom::foreign {

/// A user's module as the network of the chip. It counts packets and flits at the endpoints and checks that
/// every packet comes out once and where it should; what happens inside is the module's own.
class ForeignNetwork final : public noc::Network, public kernel::OnTime {
  public:
    /// The module lives as long as the network.
    ForeignNetwork(NetworkModule& module, noc::Topology topology);
    /// component: its number in the scheduler. Before the first step.
    void bind(kernel::ClockDomain& domain, Scheduler::ComponentId component);

    void attach(EndpointId endpoint, EndpointLinks links) override;
    Cycle evaluate(Cycle now) override;
    void act(Cycle now) override;
    void reset() override { module_.reset(); }

    const noc::Topology& topology() const override { return topology_; }
    /// Flits of the packets inside.
    std::size_t flits_in_flight() const override { return flits_inside_; }
    std::span<const noc::NocCounters> counters() const override { return counters_; }
    /// What routers do is not known: no ports, no waiting.
    std::vector<noc::PortUse> port_use(std::uint32_t) const override { return {}; }
    std::uint64_t buffer_cycles(std::uint32_t) const override { return 0; }
    std::string describe_stuck(std::size_t limit) const override;
    Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const override;
    /// Links between the two in the topology of the `noc` section.
    unsigned zero_load_hops(EndpointId from, EndpointId to) const override;
    /// Throws UnsupportedError: a foreign network carries packets to single endpoints only.
    std::uint32_t add_set(EndpointId source, std::span<const std::uint32_t> members) override;
    void clear_sets() override {}
    SetLinks set_links(std::uint32_t) const override { return {}; }
    std::uint32_t n_sets() const override { return 0; }

  private:
    /// An endpoint's place at the border.
    struct Gate final : Border {
        Gate(ForeignNetwork& n, std::uint32_t e) : network(n), endpoint(e), end(*this) {}
        void entering(Cycle now, const Packet& packet) override { network.entering(now, packet); }
        void leaving(Cycle now, Packet& packet) override { network.leaving(now, endpoint, packet); }
        ForeignNetwork& network;
        std::uint32_t endpoint;
        ChipEnd end;
        std::unique_ptr<Port> port;
        bool receives = false;
    };
    void entering(Cycle now, const Packet& packet);
    void leaving(Cycle now, std::uint32_t endpoint, Packet& packet);
    noc::NocCounters& counters_of(const Packet& packet);

    NetworkModule& module_;
    noc::Topology topology_;
    std::deque<Gate> gates_;  ///< [endpoints]
    kernel::ClockDomain* domain_ = nullptr;
    Scheduler::ComponentId id_ = 0;
    bool keeps_time_ = false, asked_ = false;
    std::size_t inside_ = 0, flits_inside_ = 0;
    std::vector<noc::NocCounters> counters_;
};

}  // namespace loom::foreign
