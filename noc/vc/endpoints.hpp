// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "noc/network.hpp"
#include "noc/vc/fabric.hpp"

namespace loom::noc {

/// The network interfaces: cut packets into flits (one flit per cycle and endpoint) and put them
/// together again. A packet that its receiver cannot take yet holds its last flit's credit, so that
/// the pressure goes back into the routers.
class Endpoints {
  public:
    Endpoints(Fabric& fabric, const Topology& topology);

    void attach(std::uint32_t endpoint, Network::EndpointLinks links);
    void receive(const EventList<Calendar::FlitAtEndpoint>& flits, Cycle now);
    void receive(const EventList<Calendar::CreditAtEndpoint>& credits);
    void activate(std::uint32_t endpoint) {
        Endpoint& p = endpoints_[endpoint];
        if (p.is_active) return;
        p.is_active = true;
        active_[n_active_++] = endpoint;
        stop_starving(p);
        touch(endpoint, p);
    }
    void evaluate(Cycle now);
    bool active() const { return n_active_ != 0; }
    bool waits_for_credit() const { return starving_ != 0; }
    void reset();
    void describe(std::vector<std::string>& lines, std::size_t limit) const;

  private:
    struct Endpoint {
        Network::EndpointLinks links;
        std::uint32_t router = 0;
        Coord coord;                   ///< of the router
        std::uint16_t port = 0;        ///< local one of the router
        std::uint16_t first_vc = 0;    ///< of that port, as in the calendar
        std::uint32_t packet = kNone;  ///< being cut
        std::uint32_t member = 0;      ///< repeated unicast: next member of the set
        std::uint16_t flits_left = 0;
        std::uint16_t vc = 0;
        std::uint16_t inject_pointer = 0;
        std::uint16_t eject_pointer = 0;
        std::uint64_t credit = 0;   ///< VCs of the router's local port with a credit
        std::uint64_t waiting = 0;  ///< VCs with flits to be ejected
        std::uint64_t damaged = 0;  ///< VCs whose packet has a damaged flit
        bool is_active = false;
        bool is_touched = false;  ///< not in the initial state
        bool starving = false;    ///< waits for a credit
    };

    /// Where a cycle's events go.
    struct Step {
        Cycle now;
        Calendar::FlitAtRouter* injected;
        EventList<Calendar::CreditAtRouter>* credits;
    };
    void touch(std::uint32_t e, Endpoint& p) {
        if (p.is_touched) return;
        p.is_touched = true;
        touched_.push_back(e);
    }
    std::uint64_t free_vcs(const Endpoint& p, const Packet& packet) const {
        return p.credit & fabric_.masks[packet.message_class][kAnyVc];
    }
    bool take_relayed(std::uint32_t e, Endpoint& p, const Packet& packet, Cycle now);
    bool take_next(std::uint32_t e, Endpoint& p, Cycle now);
    bool take_for_set(std::uint32_t e, Endpoint& p, const Packet& next, Cycle now);
    [[noreturn, gnu::cold]] void refuse_class(const Packet& p) const;
    [[noreturn, gnu::cold]] void refuse_destination(std::uint32_t from, std::uint32_t to) const;
    void start(std::uint32_t e, Endpoint& p, const Packet& packet, std::uint64_t vcs, Cycle now);
    bool deliver(std::uint32_t e, Endpoint& p, const Packet& packet, Cycle now);
    bool inject(std::uint32_t e, Endpoint& p, Step& c);
    bool eject(std::uint32_t e, Endpoint& p, Step& c);
    bool eject_only(std::uint32_t e, Endpoint& p, const Calendar::FlitAtEndpoint& event, Step& c);
    void take_out(const Endpoint& p, unsigned vc, std::uint32_t flit, NocCounters& count, Step& c);
    bool starve(Endpoint& p);
    void stop_starving(Endpoint& p) {
        if (!p.starving) return;
        p.starving = false;
        --starving_;
    }
    void reset_endpoint(std::uint32_t e);

    Fabric& fabric_;
    std::vector<Endpoint> endpoints_;
    std::vector<std::uint16_t> credits_;  ///< [endpoint][vc]
    std::vector<FlitQueue> arrived_;      ///< [endpoint][vc]
    std::vector<std::uint32_t> active_;   ///< the first n_active_
    std::size_t n_active_ = 0;
    std::vector<std::uint32_t> touched_;
    std::size_t starving_ = 0;
};

}  // namespace loom::noc
