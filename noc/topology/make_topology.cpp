// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "base/error.hpp"
#include "base/key_error.hpp"
#include "noc/catalogue.hpp"
#include "noc/topology/faults.hpp"

namespace loom::noc {
namespace {

std::uint32_t host_router(const Topology& t, std::uint32_t core_routers,
                          const std::vector<std::uint64_t>& host) {
    const auto fail = [&] {
        throw KeyError("io.router",
                       fmt::format("[{}] is no router of this {}", fmt::join(host, ", "), t.name));
    };
    if (t.grid.empty() || host.size() == 1) {
        // written with zeros for a grid: the first router
        std::uint64_t r = 0;
        for (const std::uint64_t k : host) r = std::max(r, k);
        if (host.empty() || r >= core_routers) fail();
        return static_cast<std::uint32_t>(r);
    }
    bool zeros = true;
    for (const std::uint64_t k : host) zeros &= k == 0;
    if (zeros && !host.empty()) return 0;
    if (host.size() != t.grid.size()) fail();
    std::array<std::uint16_t, 3> c{};
    for (std::size_t d = 0; d < host.size(); ++d) {
        if (host[d] >= t.grid[d]) fail();
        c[d] = static_cast<std::uint16_t>(host[d]);
    }
    return t.router_at({c[0], c[1], c[2]});
}

/// Every router can be reached from router 0.
void check_connected(const Topology& t) {
    const auto reached = t.distances_to(0);
    for (std::uint32_t r = 0; r < t.n_routers(); ++r) {
        if (reached[r] == kNone)
            throw KeyError("noc.links", fmt::format("router {} cannot be reached from router 0", r));
    }
}

}  // namespace

Topology make_topology(const arch::NocSpec& spec, double period, const std::vector<std::uint64_t>& host) {
    const Catalogue& catalogue = catalogue_of(spec);
    const TopologyKind& kind = catalogue.topologies.get(spec.topology);
    const RouterKind* router = catalogue.routers.find(spec.router.kind);
    const LinkRules rules{spec, period, router != nullptr && router->asynchronous};
    if (spec.cores_per_router == 0 || spec.cores_per_router > 16)
        throw KeyError("noc.cores_per_router", fmt::format("{} is not in 1..16", spec.cores_per_router));
    for (const std::uint64_t k : spec.chips.grid) {
        if (k > 1 && !kind.joins_chips) throw KeyError("noc.chips", "bridges join chips with a mesh");
    }
    Topology t = kind.build(rules);
    t.name = kind.name;
    if (t.grid.size() > 1) t.name = fmt::format("{} {}", fmt::join(t.grid, " x "), kind.name);
    t.local_latency = rules.local_latency();
    const arch::NocShape shape = kind.shape(spec);
    const auto cores = static_cast<std::uint32_t>(shape.core_routers);
    if (cores > t.n_routers())
        throw InternalError(
            fmt::format("a {} of {} routers, {} of them with cores", kind.name, t.n_routers(), cores));
    t.attach_cores(cores, static_cast<std::uint32_t>(shape.cores_per_router), host_router(t, cores, host));
    if (t.max_ports() > 64) throw KeyError("noc.size", "a router with more than 64 ports");
    check_connected(t);
    apply_faults(t, spec.faults);
    return t;
}

}  // namespace loom::noc
