// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "noc/fabrics/active_list.hpp"
#include "noc/network_base.hpp"

namespace loom::noc {

/// What fabrics without credits share: links to the endpoints, repeated and relayed packets by the cores
/// (trees in the fabrics that can), damaged flits, counters of ports.
class PacketFabric : public NetworkBase {
  public:
    Cycle evaluate(Cycle now) override;
    void attach(EndpointId endpoint, EndpointLinks links) override {
        links_.at(index(endpoint)).links = links;
    }
    void reset() override;
    std::vector<PortUse> port_use(std::uint32_t router) const override;
    std::uint64_t buffer_cycles(std::uint32_t router) const override { return buffer_cycles_[router]; }

  protected:
    struct Abilities {
        bool trees = false;    ///< packets to sets are copied in the fabric
        bool classes = false;  ///< message classes have networks of their own
    };
    PacketFabric(const arch::ChipSpec& spec, Topology topology, Abilities can);

    /// Work of one cycle. The next one with any, arrivals at the endpoints' links aside, or kNever.
    virtual Cycle step(Cycle now) = 0;
    void prepare_for_sets(const MulticastSets& sets) override;
    /// Cycles since the first one with work: arbiters that turn with time start from it.
    Cycle age(Cycle now) const { return now - state_.epoch; }

    /// The next packet of an endpoint, copies of sets one by one; false when there is none. Counts it.
    bool next_packet(std::uint32_t endpoint, Cycle now, Packet& out);
    bool has_packet(std::uint32_t endpoint, Cycle now) const;
    /// Into the endpoint's link, as of cycle `at` >= now. False when it cannot take it now.
    bool deliver(std::uint32_t endpoint, Cycle now, Cycle at, const Packet& packet);
    NocCounters& count(const Packet& p) { return state_.counters[p.tag]; }
    /// A port in arrays over all routers.
    std::size_t port_at(std::uint32_t router, unsigned port) const {
        return std::size_t{router} * n_ports_ + port;
    }
    void count_port(std::uint32_t router, unsigned port) { ++port_flits_[port_at(router, port)]; }
    /// Whether the flit that was last counted at a port is damaged on its link.
    bool damaged(std::uint32_t router, unsigned port) const;
    /// Cycles that a flit takes a link.
    Cycles link_cycles(const Channel& c) const;

    const unsigned n_ports_;  ///< of every router, used or not
    NetworkState state_;
    std::vector<std::uint64_t> buffer_cycles_;
    ActiveList ready_;  ///< endpoints that may have a packet

  private:
    struct Ends {
        EndpointLinks links;
        std::uint32_t member = 0;
    };
    bool take_of_set(std::uint32_t endpoint, Cycle now, Packet& out);

    Abilities can_;
    std::vector<Ends> links_;
    std::vector<std::uint64_t> port_flits_;
    std::vector<std::uint64_t> port_flits_before_;  ///< losses: at the last reset
    CounterRng loss_rng_;
};

}  // namespace loom::noc
