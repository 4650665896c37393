// SPDX-License-Identifier: Apache-2.0
// Stars, crossbars, trees, hierarchies and graphs given as a list of links.
#include <fmt/format.h>

#include "noc/topology/builders.hpp"
#include "base/error.hpp"

namespace loom::noc {
namespace {

constexpr unsigned kMaxPorts = 63;

std::vector<std::uint32_t> numbers(const LinkRules& rules, const char* what, std::size_t n,
                                   const char* meaning, std::uint64_t most) {
    const auto& size = rules.spec.size;
    if (size.size() != n) {
        throw ConfigError(fmt::format("noc.size: a {} needs {} number{}, {}; found {}", what, n,
                                      n == 1 ? "" : "s", meaning, size.size()));
    }
    std::vector<std::uint32_t> out;
    for (const std::uint64_t k : size) {
        if (k == 0 || k > most) throw ConfigError(fmt::format("noc.size: {} is not in 1..{}", k, most));
        out.push_back(static_cast<std::uint32_t>(k));
    }
    return out;
}

/// The first port of a router without a link.
unsigned free_port(const Topology& t, std::uint32_t router) {
    for (unsigned p = 0; p < t.link_ports(); ++p) {
        if (t.channel(router, p).peer == kNone) return p;
    }
    throw ConfigError(fmt::format("noc.links: router {} has more than {} links", router, t.link_ports()));
}

}  // namespace

Topology build_star(const LinkRules& rules) {
    const std::uint32_t n = numbers(rules, "star", 1, "its leaves", kMaxPorts - 1)[0];
    Topology t(n + 1, n);
    for (std::uint32_t i = 0; i < n; ++i) rules.connect(t, i, 0, n, i, kLinkX);
    return t;
}

Topology build_crossbar(const LinkRules& rules) {
    numbers(rules, "crossbar", 1, "its cores", kMaxPorts - 1);
    if (rules.spec.cores_per_router != 1) {
        throw ConfigError("noc.cores_per_router: a crossbar's cores are given by noc.size");
    }
    return Topology(1, 0);
}

/// Leaves first, then each level above; port 0 leads up, the others down.
Topology build_tree(const LinkRules& rules) {
    const auto n = numbers(rules, "tree", 2, "arity and levels", kMaxPorts - 2);
    const std::uint32_t arity = n[0], levels = n[1];
    std::uint64_t leaves = 1, routers = 1;
    for (std::uint32_t l = 0; l < levels; ++l) {
        leaves *= arity;
        routers += leaves;
        if (routers > (1u << 20)) throw ConfigError("noc.size: the tree has more than 2^20 routers");
    }
    if (arity == 1 && levels > 64) throw ConfigError("noc.size: a tree of arity 1 has at most 64 levels");
    Topology t(static_cast<std::uint32_t>(routers), arity + 1);
    std::uint32_t first = 0;
    for (auto width = static_cast<std::uint32_t>(leaves); first + width < routers; width /= arity) {
        const std::uint32_t above = first + width;
        for (std::uint32_t i = 0; i < width; ++i) {
            rules.connect(t, first + i, 0, above + i / arity, 1 + i % arity, kLinkOther);
        }
        first = above;
    }
    return t;
}

/// Cores of a cluster at a cluster router, clusters of a chip at a chip router, chips at one off-chip
/// router: links x, y and bridges. Core routers first.
Topology build_hierarchy(const LinkRules& rules) {
    const auto n =
        numbers(rules, "hierarchy", 3, "cores per cluster, clusters per chip, chips", kMaxPorts - 2);
    const std::uint32_t cores = n[0] * n[1] * n[2], clusters = n[1] * n[2], chips = n[2];
    Topology t(cores + clusters + chips + 1, 1 + std::max({n[0], n[1], n[2]}));
    const std::uint32_t chip0 = cores + clusters, top = chip0 + chips;
    for (std::uint32_t i = 0; i < cores; ++i) rules.connect(t, i, 0, cores + i / n[0], 1 + i % n[0], kLinkX);
    for (std::uint32_t i = 0; i < clusters; ++i)
        rules.connect(t, cores + i, 0, chip0 + i / n[1], 1 + i % n[1], kLinkY);
    const auto& b = rules.spec.chips;
    for (std::uint32_t i = 0; i < chips; ++i) {
        t.connect(chip0 + i, 0, top, 1 + i, kLinkBridge, rules.latency(kLinkBridge, b.latency),
                  rules.flit_ps(kLinkBridge, b.width));
    }
    return t;
}

Topology build_graph(const LinkRules& rules) {
    const std::uint32_t n = numbers(rules, "graph", 1, "its routers", 1u << 20)[0];
    std::vector<unsigned> degree(n, 0);
    unsigned most = 1;
    for (const auto& l : rules.spec.links) {
        if (l.between.size() != 2) {
            throw ConfigError(
                fmt::format("noc.links: a link is between 2 routers, not {}", l.between.size()));
        }
        for (const std::uint64_t r : l.between) {
            if (r >= n) throw ConfigError(fmt::format("noc.links: router {} is not in 0..{}", r, n - 1));
            most = std::max(most, ++degree[r]);
        }
        if (l.between[0] == l.between[1]) {
            throw ConfigError(fmt::format("noc.links: router {} is linked to itself", l.between[0]));
        }
    }
    if (most > kMaxPorts - 2)
        throw ConfigError(fmt::format("noc.links: a router has {} links; most: {}", most, kMaxPorts - 2));
    Topology t(n, most);
    for (const auto& l : rules.spec.links) {
        const auto a = static_cast<std::uint32_t>(l.between[0]), b = static_cast<std::uint32_t>(l.between[1]);
        t.connect(a, free_port(t, a), b, free_port(t, b), kLinkOther,
                  l.latency == 0 ? rules.default_latency(kLinkOther, l.width)
                                 : rules.latency(kLinkOther, l.latency, l.width),
                  rules.flit_ps(kLinkOther, l.width));
    }
    return t;
}

}  // namespace loom::noc
