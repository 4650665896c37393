// SPDX-License-Identifier: Apache-2.0
#include "noc/catalogue.hpp"

namespace loom::noc {

/// The routing function that the topology is made for.
RoutingKind topology_routing() {
    return {"auto", [](const arch::NocSpec& spec, const Topology& t, unsigned vcs) {
                return catalogue_of(spec).routings.get(t.auto_routing).build(spec, t, vcs);
            }};
}

std::unique_ptr<Routing> make_routing(const arch::NocSpec& spec, const Topology& topology, unsigned vcs) {
    return catalogue_of(spec).routings.get(spec.routing).build(spec, topology, vcs);
}

void address(const Topology& t, std::uint32_t from, std::uint32_t to, PacketRecord& record) {
    const std::uint32_t router = t.router_of(to);
    address(t.coord(t.router_of(from)), router, t.coord(router), static_cast<std::uint16_t>(t.port_of(to)),
            record);
}

}  // namespace loom::noc
