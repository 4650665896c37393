// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "arch/chip_spec.hpp"
#include "noc/topology/topology.hpp"
#include "sim/foreign/fifo_face.hpp"

namespace loom::foreign {

/// What a network has to join.
struct NetworkSite {
    const arch::ChipSpec& chip;
    /// Where the endpoints are, as the `noc` section says: the cores and, as the last endpoint, the host.
    const noc::Topology& topology;
};

/// A user's SystemC module in the place of the whole network: derive from FacesNetwork. Every packet that
/// it takes at an endpoint has to be handed over once at the endpoint that packet.destination names.
/// Destination sets (multicast) are not passed to it.
class NetworkModule : public sc_core::sc_module {
  public:
    explicit NetworkModule(sc_core::sc_module_name name) : sc_module(name) {}
    /// Where a core, or the host behind the cores, is joined.
    virtual Face& face(std::uint32_t endpoint) = 0;
    /// Returns to the initial state, before a sample; there is no packet inside.
    virtual void reset() {}
    /// Cycles from an endpoint to another without load, for reports; 0: not known.
    virtual Cycles zero_load_latency(std::uint32_t from, std::uint32_t to, unsigned flits) const {
        return (void)from, (void)to, (void)flits, 0;
    }
    /// Whether it needs its clock although nothing is at its faces (faces with pins only).
    virtual bool busy() const { return false; }
};

/// A network with one face of the same protocol per endpoint, e.g. FacesNetwork<FifoFace>.
template <class AFace>
class FacesNetwork : public NetworkModule {
  public:
    FacesNetwork(sc_core::sc_module_name name, const NetworkSite& site) : NetworkModule(name) {
        for (std::uint32_t e = 0; e < site.topology.n_endpoints(); ++e)
            faces.push_back(std::make_unique<AFace>(e));
    }
    Face& face(std::uint32_t endpoint) override { return *faces[endpoint]; }
    /// [endpoints]
    std::vector<std::unique_ptr<AFace>> faces;
};

}  // namespace loom::foreign
