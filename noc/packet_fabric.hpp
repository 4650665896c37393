// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "noc/multicast/sets.hpp"
#include "noc/network.hpp"
#include "noc/routing/routing.hpp"

namespace loom::noc {

/// What fabrics without credits share: links to the endpoints, destination sets, counters, wake-ups.
/// A derived fabric evaluates one cycle at a time while anything is in it.
class PacketFabric : public Network {
  public:
    Cycle evaluate(Cycle now) override;
    void announce(unsigned port, Cycle at) override { wakes_.push_back({at, port / 2}); }
    void attach(EndpointId endpoint, EndpointLinks links) override {
        links_.at(index(endpoint)).links = links;
    }
    const Topology& topology() const override { return topology_; }
    std::size_t flits_in_flight() const override { return in_flight_; }
    std::span<const NocCounters> counters() const override { return counters_; }
    std::uint32_t add_set(EndpointId source, std::span<const std::uint32_t> members) override;
    SetLinks set_links(std::uint32_t set) const override {
        return {sets_->tree_links(set), sets_->unicast_links(set)};
    }
    std::uint32_t n_sets() const override {
        return sets_ == nullptr ? 0 : static_cast<std::uint32_t>(sets_->size());
    }
    std::string describe_tables() const override { return sets_ == nullptr ? "" : sets_->describe_tables(); }
    unsigned zero_load_hops(EndpointId from, EndpointId to) const override;
    std::vector<PortUse> port_use(std::uint32_t router) const override;
    std::uint64_t buffer_cycles(std::uint32_t router) const override { return buffer_cycles_[router]; }

  protected:
    /// routing may be null (fabrics that choose ways of their own). trees: packets to sets are copied
    /// in the fabric; otherwise they are repeated at the source.
    PacketFabric(const arch::ChipSpec& spec, Topology topology, bool trees);

    /// Work of one cycle. True while there is more to do in the next one.
    virtual bool step(Cycle now) = 0;

    /// The next packet of an endpoint, copies of sets one by one; false when there is none. Counts it.
    bool next_packet(std::uint32_t endpoint, Cycle now, Packet& out);
    bool has_packet(std::uint32_t endpoint, Cycle now) const;
    /// False when the endpoint cannot take it now.
    bool deliver(std::uint32_t endpoint, Cycle now, const Packet& packet);
    NocCounters& count(const Packet& p) { return counters_[p.tag]; }
    void count_port(std::uint32_t router, unsigned port) {
        ++port_flits_[std::size_t{router} * topology_.max_ports() + port];
    }
    /// Router output ports with the deterministic routing; the way at zero load.
    struct Way {
        bool found = false;
        Cycles latency = 0;
        unsigned hops = 0;
    };
    Way way(std::uint32_t from, std::uint32_t to) const;

    const arch::NocSpec spec_;
    const double period_;
    Topology topology_;
    std::unique_ptr<Routing> routing_;
    std::unique_ptr<MulticastSets> sets_;
    std::vector<NocCounters> counters_;
    std::vector<std::uint64_t> buffer_cycles_;
    std::size_t in_flight_ = 0;         ///< flits (packets, where a packet is one flit)
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
    bool trees_;
    bool sets_open_ = false;
    std::vector<Ends> links_;
    std::vector<Wake> wakes_;
    std::vector<std::uint64_t> port_flits_;
};

}  // namespace loom::noc
