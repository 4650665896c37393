// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/arch/chip_spec.hpp"
#include "sim/clocking/link.hpp"
#include "sim/clocking/packet.hpp"

namespace loom::noc {

/// Events of the network on behalf of one packet tag (source layer), in flits unless said otherwise.
struct NocCounters {
    std::uint64_t packets = 0;  ///< packets injected
    std::uint64_t packets_delivered = 0;
    std::uint64_t ni_in = 0;
    std::uint64_t ni_out = 0;
    std::uint64_t buffer_writes = 0;
    std::uint64_t buffer_reads = 0;
    std::uint64_t vc_grants = 0;
    std::uint64_t switch_grants = 0;
    std::uint64_t crossbar = 0;
    std::uint64_t link_x = 0;  ///< flits on links in x
    std::uint64_t link_y = 0;
    std::uint64_t local = 0;  ///< flits ejected to a core over the local link
};

template <class V, class C>
void fields(V&& v, C& c) {
    v("noc.packets", c.packets, true, "packets injected");
    v("noc.packets_delivered", c.packets_delivered, false, "packets delivered");
    v("noc.ni_in", c.ni_in, true, "flits from a core into the network");
    v("noc.ni_out", c.ni_out, true, "flits from the network into a core");
    v("noc.buffer_writes", c.buffer_writes, true, "flits written to an input buffer");
    v("noc.buffer_reads", c.buffer_reads, true, "flits read from an input buffer");
    v("noc.vc_grants", c.vc_grants, true, "virtual channels allocated");
    v("noc.switch_grants", c.switch_grants, true, "switch allocations granted");
    v("noc.crossbar", c.crossbar, true, "flits through a crossbar");
    v("noc.link_x", c.link_x, true, "flits over a link in x");
    v("noc.link_y", c.link_y, true, "flits over a link in y");
    v("noc.local", c.local, true, "flits over the link from router to core");
}

/// A network of routers as one component: cost per cycle follows the flits in it, not its size.
/// Endpoints 0..n_cores-1 are cores (core e sits at router e / cores_per_router, router r at
/// x = r % size_x, y = r / size_x); endpoint n_cores is the host port, at the router of IoSpec.
class Network : public Clocked {
  public:
    /// in: endpoint -> network; out: network -> endpoint. Null for endpoints that are not in use:
    /// a packet to one of them is a ModelError.
    struct EndpointLinks {
        Link<Packet>* in = nullptr;
        Link<Packet>* out = nullptr;
    };
    virtual void attach(EndpointId endpoint, EndpointLinks links) = 0;
    /// Returns arbiters to their initial state. Only when the network is empty.
    virtual void reset() = 0;
    virtual std::size_t flits_in_flight() const = 0;
    virtual std::size_t n_routers() const = 0;
    /// Counters per tag; grows with the largest tag seen.
    virtual std::span<const NocCounters> counters() const = 0;
    /// Flits sent by a router: ports +x, -x, +y, -y, then one per local port.
    virtual std::vector<std::uint64_t> port_flits(std::size_t router) const = 0;
    /// What is stuck and where, for the watchdog: one line per non-empty buffer, at most `limit`.
    virtual std::string describe_stuck(std::size_t limit) const = 0;
    /// Zero-load cycles from Link::send at `from` to the packet being visible at `to` (the links'
    /// own latencies included).
    virtual Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const = 0;
};

}  // namespace loom::noc
