// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/key_error.hpp"
#include "noc/topology/topology_kind.hpp"

namespace loom::noc {
namespace {

/// The first port of a router without a link.
unsigned free_port(const Topology& t, std::uint32_t router) {
    for (unsigned p = 0; p < t.link_ports(); ++p) {
        if (t.channel(router, p).peer == kNone) return p;
    }
    throw KeyError("noc.links", fmt::format("router {} has more than {} links", router, t.link_ports()));
}

/// The largest number of links at a router of 0..routers-1, at least 1.
unsigned most_links(const std::vector<arch::GraphLinkSpec>& links, std::uint32_t routers) {
    std::vector<unsigned> degree(routers, 0);
    unsigned most = 1;
    for (const auto& l : links) {
        if (l.between.size() != 2) {
            throw KeyError("noc.links", fmt::format("a link is between 2 routers, not {}", l.between.size()));
        }
        for (const std::uint64_t r : l.between) {
            if (r >= routers)
                throw KeyError("noc.links", fmt::format("router {} is not in 0..{}", r, routers - 1));
            most = std::max(most, ++degree[r]);
        }
        if (l.between[0] == l.between[1]) {
            throw KeyError("noc.links", fmt::format("router {} is linked to itself", l.between[0]));
        }
    }
    if (most > kMaxPorts - 2)
        throw KeyError("noc.links", fmt::format("a router has {} links; most: {}", most, kMaxPorts - 2));
    return most;
}

/// The links of noc.links, in their order.
Topology build_graph(const LinkRules& rules) {
    const std::uint32_t n = sizes(rules, "graph", 1, "its routers", 1u << 20)[0];
    Topology t(n, most_links(rules.spec.links, n));
    for (const auto& l : rules.spec.links) {
        const auto a = static_cast<std::uint32_t>(l.between[0]), b = static_cast<std::uint32_t>(l.between[1]);
        t.connect(a, free_port(t, a), b, free_port(t, b), kLinkOther,
                  l.latency == 0 ? rules.default_latency(kLinkOther, l.width)
                                 : rules.latency(kLinkOther, l.latency, l.width),
                  rules.flit_ps(kLinkOther, l.width));
    }
    return t;
}

}  // namespace

TopologyKind graph_topology() {
    return {.name = "graph", .build = build_graph};
}

}  // namespace loom::noc
