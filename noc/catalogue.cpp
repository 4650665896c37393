// SPDX-License-Identifier: Apache-2.0
#include "noc/catalogue.hpp"

#include <fmt/format.h>

#include "base/key_error.hpp"

namespace loom::noc {

// A kind a line: the declaration of the function that its file defines, and its entry.
// clang-format off
static void add_topologies(Kinds<TopologyKind>& kinds) {
    extern TopologyKind mesh_topology();        kinds.add(mesh_topology());
    extern TopologyKind torus_topology();       kinds.add(torus_topology());
    extern TopologyKind ring_topology();        kinds.add(ring_topology());
    extern TopologyKind triangular_topology();  kinds.add(triangular_topology());
    extern TopologyKind star_topology();        kinds.add(star_topology());
    extern TopologyKind crossbar_topology();    kinds.add(crossbar_topology());
    extern TopologyKind tree_topology();        kinds.add(tree_topology());
    extern TopologyKind hierarchy_topology();   kinds.add(hierarchy_topology());
    extern TopologyKind hypercube_topology();   kinds.add(hypercube_topology());
    extern TopologyKind graph_topology();       kinds.add(graph_topology());
}

static void add_routings(Kinds<RoutingKind>& kinds) {
    extern RoutingKind dimension_order(const std::string& order);
    for (const char* order : {"xy", "yx", "x", "xyz", "xzy", "yxz", "yzx", "zxy", "zyx"})
        kinds.add(dimension_order(order));
    extern RoutingKind natural_dimension_order();  kinds.add(natural_dimension_order());
    extern RoutingKind relative_routing();         kinds.add(relative_routing());
    extern RoutingKind west_first_routing();       kinds.add(west_first_routing());
    extern RoutingKind north_last_routing();       kinds.add(north_last_routing());
    extern RoutingKind negative_first_routing();   kinds.add(negative_first_routing());
    extern RoutingKind odd_even_routing();         kinds.add(odd_even_routing());
    extern RoutingKind adaptive_routing();         kinds.add(adaptive_routing());
    extern RoutingKind up_down_routing();          kinds.add(up_down_routing());
    kinds.add({"up*/down*", up_down_routing().build});
    extern RoutingKind table_routing();            kinds.add(table_routing());
    extern RoutingKind topology_routing();         kinds.add(topology_routing());
}

static void add_routers(Kinds<RouterKind>& kinds) {
    extern RouterKind vc_router();          kinds.add(vc_router());
    extern RouterKind async_router();       kinds.add(async_router());
    extern RouterKind handshake_router();   kinds.add(handshake_router());
    extern RouterKind deflection_router();  kinds.add(deflection_router());
    extern RouterKind timeout_router();     kinds.add(timeout_router());
    extern RouterKind scheduled_router();   kinds.add(scheduled_router());
}
// clang-format on

namespace {

/// What a router needs for its state grows with ports times channels.
void check_memory(const arch::NocSpec& spec, const Topology& t) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 26;
    const std::uint64_t channels = std::uint64_t{t.n_routers()} * t.max_ports() * spec.router.vcs;
    if (channels > kMost) {
        throw KeyError(
            "noc.size",
            fmt::format("{} routers with {} ports and {} virtual channels need {} buffers; the limit is {}",
                        t.n_routers(), t.max_ports(), spec.router.vcs, channels, kMost));
    }
}

}  // namespace

void add_builtin(Catalogue& catalogue) {
    add_topologies(catalogue.topologies);
    add_routings(catalogue.routings);
    add_routers(catalogue.routers);
}

const Catalogue& builtin() {
    static const Catalogue catalogue = [] {
        Catalogue c;
        add_builtin(c);
        return c;
    }();
    return catalogue;
}

const Catalogue& catalogue_of(const arch::NocSpec& spec) {
    const auto* given = dynamic_cast<const Catalogue*>(spec.shapes);
    return given == nullptr ? builtin() : *given;
}

arch::NocShape Catalogue::shape(const arch::NocSpec& spec) const {
    arch::NocShape shape = topologies.get(spec.topology).shape(spec);
    const RouterKind* router = routers.find(spec.router.kind);
    shape.drops_packets = router != nullptr && router->drops_packets;
    return shape;
}

std::unique_ptr<Network> make_network(const arch::ChipSpec& spec) {
    const RouterKind& kind = catalogue_of(spec.noc).routers.get(spec.noc.router.kind);
    Topology t = make_topology(spec.noc, spec.clock.period, spec.io.router);
    check_memory(spec.noc, t);
    return kind.make(spec, std::move(t));
}

}  // namespace loom::noc
