// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "noc/multicast/sets.hpp"
#include "noc/endpoint_port.hpp"
#include "noc/network.hpp"
#include "noc/routing/routing.hpp"
#include "base/rng.hpp"

namespace loom::noc {

/// What fabrics without credits share: links to the endpoints, destination sets (repeated and relayed ones
/// by the cores; trees in the fabrics that can), damaged flits, counters, wake-ups.
class PacketFabric : public Network {
  public:
    Cycle evaluate(Cycle now) override;
    void announce(unsigned port, Cycle at) override { wakes_.push_back({at, EndpointPort::of(port).endpoint}); }
    void attach(EndpointId endpoint, EndpointLinks links) override {
        links_.at(index(endpoint)).links = links;
    }
    void reset() override;
    const Topology& topology() const override { return topology_; }
    std::size_t flits_in_flight() const override { return in_flight_; }
    std::span<const NocCounters> counters() const override { return counters_; }
    std::uint32_t add_set(EndpointId source, std::span<const std::uint32_t> members) override;
    void clear_sets() override;
    SetLinks set_links(std::uint32_t set) const override {
        return {sets_->tree_links(set), sets_->unicast_links(set)};
    }
    std::uint32_t n_sets() const override {
        return sets_ == nullptr ? 0 : static_cast<std::uint32_t>(sets_->size());
    }
    std::string describe_tables() const override;
    unsigned zero_load_hops(EndpointId from, EndpointId to) const override;
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
    /// Cycles since the first one with work: arbiters that turn with time start from it.
    Cycle age(Cycle now) const { return now - epoch_; }

    /// The next packet of an endpoint, copies of sets one by one; false when there is none. Counts it.
    bool next_packet(std::uint32_t endpoint, Cycle now, Packet& out);
    bool has_packet(std::uint32_t endpoint, Cycle now) const;
    /// Into the endpoint's link, as of cycle `at` >= now. False when it cannot take it now.
    bool deliver(std::uint32_t endpoint, Cycle now, Cycle at, const Packet& packet);
    /// A packet to an endpoint does not arrive, nor at those that it would be relayed to.
    void drop(const Packet& packet);
    NocCounters& count(const Packet& p) { return counters_[p.tag]; }
    void count_port(std::uint32_t router, unsigned port) {
        ++port_flits_[std::size_t{router} * topology_.max_ports() + port];
    }
    /// Whether the flit that was last counted at a port is damaged on its link.
    bool damaged(std::uint32_t router, unsigned port) const;
    /// Cycles that a flit takes a link.
    Cycles link_cycles(const Channel& c) const;

    const arch::NocSpec spec_;
    const double period_;
    Topology topology_;
    std::unique_ptr<Routing> routing_;
    std::unique_ptr<MulticastSets> sets_;
    std::vector<NocCounters> counters_;
    std::vector<std::uint64_t> buffer_cycles_;
    std::size_t in_flight_ = 0;         ///< flits of packets taken from their source, copies included
    std::vector<std::uint32_t> ready_;  ///< endpoints that may have a packet, in order
    void keep_ready(std::uint32_t endpoint) {
        if (links_[endpoint].listed) return;
        links_[endpoint].listed = true;
        ready_.push_back(endpoint);
    }
    void forget_ready(std::uint32_t endpoint) { links_[endpoint].listed = false; }

  private:
    struct Ends {
        EndpointLinks links;
        std::uint32_t member = 0;
        bool listed = false;
    };
    struct Wake {
        Cycle at;
        std::uint32_t endpoint;
    };
    bool take_of_set(std::uint32_t endpoint, Cycle now, Packet& out);

    Abilities can_;
    bool sets_open_ = false;
    Cycle epoch_ = kNever;
    std::vector<Ends> links_;
    std::vector<Wake> wakes_;
    std::map<std::uint32_t, std::deque<Packet>> relays_;  ///< [endpoint]: copies that its core sends on
    std::vector<std::uint64_t> port_flits_;
    std::vector<std::uint64_t> port_flits_before_;  ///< losses: at the last reset
    CounterRng loss_rng_;
};

}  // namespace loom::noc
