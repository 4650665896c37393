// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "noc/topology/topology.hpp"
#include "arch/chip_spec.hpp"
#include "base/clocking/link.hpp"
#include "base/clocking/packet.hpp"

namespace loom::noc {

/// Events of the network on behalf of one packet tag (source layer), in flits unless said otherwise.
/// packets_expected = packets_delivered + packets_dropped + what is still on its way, always.
struct NocCounters {
    std::uint64_t packets = 0;           ///< packets injected
    std::uint64_t packets_expected = 0;  ///< deliveries that they ask for: one per destination
    std::uint64_t packets_delivered = 0;
    std::uint64_t packets_dropped = 0;  ///< deliveries that did not happen: no way, damaged, timed out
    std::uint64_t ni_in = 0;
    std::uint64_t ni_out = 0;
    std::uint64_t buffer_writes = 0;
    std::uint64_t buffer_reads = 0;
    std::uint64_t vc_grants = 0;
    std::uint64_t switch_grants = 0;
    std::uint64_t crossbar = 0;
    std::array<std::uint64_t, kLinkKinds> links{};  ///< flits over a link, by LinkKind
    std::uint64_t local = 0;                        ///< flits ejected to a core over the local link
    std::uint64_t table_lookups = 0;                ///< key/mask tables asked
    std::uint64_t relays = 0;                       ///< packets sent on by a core
    std::uint64_t filtered = 0;                     ///< packets that reached a core they are not for (region)
    std::uint64_t reinjected = 0;                   ///< dropped packets injected again
    std::uint64_t emergency = 0;                    ///< packets sent round a blocked link

    std::uint64_t both_ways(LinkKind k) const { return links[axis(k)] + links[opposite(axis(k))]; }
    std::uint64_t flit_hops() const {
        std::uint64_t n = 0;
        for (const std::uint64_t l : links) n += l;
        return n;
    }
};

template <class V, class C>
void fields(V&& v, C& c) {
    v("noc.packets", c.packets, true, "packets injected");
    v("noc.packets_expected", c.packets_expected, false, "deliveries asked for, one per destination");
    v("noc.packets_delivered", c.packets_delivered, false, "packets delivered");
    v("noc.packets_dropped", c.packets_dropped, false, "deliveries that did not happen");
    v("noc.ni_in", c.ni_in, true, "flits from a core into the network");
    v("noc.ni_out", c.ni_out, true, "flits from the network into a core");
    v("noc.buffer_writes", c.buffer_writes, true, "flits written to an input buffer");
    v("noc.buffer_reads", c.buffer_reads, true, "flits read from an input buffer");
    v("noc.vc_grants", c.vc_grants, true, "virtual channels allocated");
    v("noc.switch_grants", c.switch_grants, true, "switch allocations granted");
    v("noc.crossbar", c.crossbar, true, "flits through a crossbar");
    v("noc.link_x+", c.links[kLinkX], true, "flits over a link in x");
    v("noc.link_x-", c.links[kLinkXMinus], true, "flits over a link against x");
    v("noc.link_y+", c.links[kLinkY], true, "flits over a link in y");
    v("noc.link_y-", c.links[kLinkYMinus], true, "flits over a link against y");
    v("noc.link_z+", c.links[kLinkZ], true, "flits over a link in z");
    v("noc.link_z-", c.links[kLinkZMinus], true, "flits over a link against z");
    v("noc.link_other", c.links[kLinkOther], true, "flits over a diagonal or a link of a tree or graph");
    v("noc.link_bridge", c.links[kLinkBridge], true, "flits over a bridge between chips");
    v("noc.local", c.local, true, "flits over the link from router to core");
    v("noc.table_lookups", c.table_lookups, true, "key/mask table look-ups");
    v("noc.relays", c.relays, true, "packets sent on by a core");
    v("noc.filtered", c.filtered, true, "packets at a core that they are not for");
    v("noc.reinjected", c.reinjected, true, "dropped packets injected again");
    v("noc.emergency", c.emergency, false, "packets sent round a blocked link");
}

/// Use of one output port of a router.
struct PortUse {
    std::string name;            ///< "+x", "local 0", ...
    std::uint32_t peer = kNone;  ///< router at the other end; kNone: a local port
    std::uint64_t flits = 0;     ///< sent
};

/// A network of routers as one component: cost per cycle follows the flits in it, not its size.
/// Endpoints 0..n_cores-1 are cores (core e sits at router e / cores_per_router; in grids router r is at
/// x = r % size_x, y = r / size_x ...); endpoint n_cores is the host port, at the router of IoSpec.
class Network : public Clocked {
  public:
    /// in: endpoint -> network; out: network -> endpoint. Null for endpoints that are not in use:
    /// a packet to one of them is a ModelError.
    struct EndpointLinks {
        Link<Packet>* in = nullptr;
        Link<Packet>* out = nullptr;
    };
    /// Connects an endpoint's links to this network, which the scheduler knows as `id`.
    void join(Scheduler& scheduler, Scheduler::ComponentId id, EndpointId endpoint, EndpointLinks links);
    virtual void attach(EndpointId endpoint, EndpointLinks links) = 0;
    /// Returns arbiters to their initial state. Only when the network is empty.
    virtual void reset() = 0;
    virtual const Topology& topology() const = 0;
    virtual std::size_t flits_in_flight() const = 0;
    std::size_t n_routers() const { return topology().n_routers(); }
    /// Counters per tag; grows with the largest tag seen.
    virtual std::span<const NocCounters> counters() const = 0;
    /// Output ports that have a link or an endpoint.
    virtual std::vector<PortUse> port_use(std::uint32_t router) const = 0;
    /// Sum over the flits that left a router's buffers of the cycles they spent there.
    virtual std::uint64_t buffer_cycles(std::uint32_t router) const = 0;
    /// What is stuck and where, for the watchdog: one line per non-empty buffer, at most `limit`.
    virtual std::string describe_stuck(std::size_t limit) const = 0;
    /// Zero-load cycles from Link::send at `from` to the packet being visible at `to` (the links'
    /// own latencies included); 0 when there is no way.
    virtual Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const = 0;
    /// Links that a packet crosses at zero load.
    virtual unsigned zero_load_hops(EndpointId from, EndpointId to) const = 0;
    /// A destination set for packets of `source`; use it as Destination::set(id). All sets before the
    /// first packet. UnsupportedError where the fabric has no multicast.
    virtual std::uint32_t add_set(EndpointId source, std::span<const std::uint32_t> members) = 0;
    /// Forgets all sets, so that others can be added; numbers start at 0 again. Only when the network is
    /// empty.
    virtual void clear_sets() = 0;
    /// Multicast: what sets cost as trees and as repeated unicast, for reports; empty without sets.
    struct SetLinks {
        std::uint64_t tree = 0, unicast = 0;
    };
    virtual SetLinks set_links(std::uint32_t set) const = 0;
    virtual std::uint32_t n_sets() const = 0;
    virtual std::string describe_tables() const { return ""; }
    /// The work of packets that are dropped is taken off `activity`, which outlives the network.
    virtual void tell_losses(Activity& activity) { (void)activity; }
};

}  // namespace loom::noc
