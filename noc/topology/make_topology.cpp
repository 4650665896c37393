// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <span>

#include "noc/names.hpp"
#include "noc/topology/builders.hpp"
#include "base/error.hpp"
#include "base/nearest.hpp"

namespace loom::noc {
namespace {

constexpr std::uint64_t kMaxLatency = 1u << 20;

struct Entry {
    const char* name;
    Topology (*build)(const LinkRules&);
};
/// The catalogue: a line per topology.
constexpr std::array<Entry, 9> kTopologies{{{"mesh", build_mesh},
                                            {"torus", build_torus},
                                            {"ring", build_ring},
                                            {"triangular", build_triangular},
                                            {"star", build_star},
                                            {"crossbar", build_crossbar},
                                            {"tree", build_tree},
                                            {"hierarchy", build_hierarchy},
                                            {"graph", build_graph}}};

std::uint32_t checked_latency(const char* key, std::uint64_t value) {
    if (value == 0 || value > kMaxLatency) {
        throw ConfigError(fmt::format("noc.{}: {} is not in 1..{} cycles", key, value, kMaxLatency));
    }
    return static_cast<std::uint32_t>(value);
}

/// Whole multiples of the time base.
std::uint64_t cycles_of(const char* key, double ps, double period) {
    const double n = ps / period;
    if (std::abs(n - std::nearbyint(n)) > 1e-6 || n < 1 || n > kMaxLatency) {
        throw ConfigError(
            fmt::format("noc.router.async.{}: {} ps is no whole multiple, 1 to {}, of the time base of {} ps",
                        key, ps, kMaxLatency, period));
    }
    return static_cast<std::uint64_t>(std::nearbyint(n));
}

/// Of x, against x, y, ...: that of a link; what is not set is as in the axis, or as in x.
struct Delay {
    const char* key;
    double ps;
};
Delay delay_of(LinkKind kind, const std::array<double, 6>& ps) {
    static constexpr std::array<const char*, 6> keys{"x", "x_minus", "y", "y_minus", "z", "z_minus"};
    const std::size_t k = kind < kLinkOther ? kind : kLinkZ;
    for (const std::size_t i : {k, k & ~std::size_t{1}}) {
        if (ps[i] > 0) return {keys[i], ps[i]};
    }
    return {keys[0], ps[0]};
}

void take_out(Topology& t, std::uint32_t router, unsigned port) {
    const Channel c = t.channel(router, port);
    if (c.peer == kNone) return;
    t.channel(router, port).peer = kNone;
    t.channel(c.peer, c.peer_port).peer = kNone;
    t.regular = false;
}

void apply_faults(Topology& t, const arch::FaultSpec& faults) {
    const auto known = [&](const char* key, std::uint64_t r) {
        if (r >= t.n_routers()) {
            throw ConfigError(
                fmt::format("noc.faults.{}: router {} is not in 0..{}", key, r, t.n_routers() - 1));
        }
        return static_cast<std::uint32_t>(r);
    };
    for (const std::uint64_t r : faults.routers) {
        t.kill(known("routers", r));
        for (unsigned p = 0; p < t.link_ports(); ++p) take_out(t, static_cast<std::uint32_t>(r), p);
    }
    for (const auto& link : faults.links) {
        if (link.size() != 2) throw ConfigError("noc.faults.links: a link is given by its 2 routers");
        const std::uint32_t a = known("links", link[0]), b = known("links", link[1]);
        bool found = false;
        for (unsigned p = 0; p < t.link_ports(); ++p) {
            if (t.channel(a, p).peer != b) continue;
            take_out(t, a, p);
            found = true;
        }
        if (!found)
            throw ConfigError(fmt::format("noc.faults.links: there is no link between {} and {}", a, b));
    }
}

std::uint32_t host_router(const Topology& t, std::uint32_t core_routers,
                          const std::vector<std::uint64_t>& host) {
    const auto fail = [&] {
        throw ConfigError(
            fmt::format("io.router: [{}] is no router of this {}", fmt::join(host, ", "), t.name));
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

}  // namespace

std::vector<std::string> topology_names() {
    return names_of(kTopologies);
}

std::uint32_t LinkRules::latency(LinkKind kind, std::uint64_t cycles, std::uint64_t width) const {
    std::uint32_t n = checked_latency("link_latency", cycles);
    // narrow or slow: the last part of a flit arrives later; another clock: two cycles to cross over
    const std::uint64_t ps = flit_ps(kind, width);
    if (ps != 0 && spec.router.kind != "async") {
        n += static_cast<std::uint32_t>(std::ceil(static_cast<double>(ps) / period - 1e-9)) - 1;
    }
    const double own = kind == kLinkBridge ? spec.chips.period : spec.link_period;
    return checked_latency("link_width", own > 0 && own != period ? n + 2 : n);
}

std::uint32_t LinkRules::default_latency(LinkKind kind, std::uint64_t width) const {
    if (spec.router.kind == "async") {
        const auto& a = spec.router.async;
        if (a.x <= 0) throw ConfigError("noc.router.async.x: an asynchronous router needs the time of a hop");
        const Delay d = delay_of(kind, {a.x, a.x_minus, a.y, a.y_minus, a.z, a.z_minus});
        return checked_latency("router.async", cycles_of(d.key, d.ps, period));
    }
    kind = axis(kind);
    if (kind == kLinkY && spec.link_latency_y != 0) {
        checked_latency("link_latency_y", spec.link_latency_y);
        return latency(kind, spec.link_latency_y, width);
    }
    if (kind == kLinkZ && spec.link_latency_z != 0) return latency(kind, spec.link_latency_z, width);
    return latency(kind, spec.link_latency, width);
}

std::uint32_t LinkRules::local_latency() const {
    const double ps = spec.router.async.local;
    if (spec.router.kind != "async" || ps <= 0) return checked_latency("local_latency", spec.local_latency);
    const std::uint64_t cycles = cycles_of("local", ps, period);
    if (cycles < 2)
        throw ConfigError(
            fmt::format("noc.router.async.local: {} ps is less than two units of the time base of "
                        "{} ps",
                        ps, period));
    return checked_latency("router.async", cycles - 1);  // one is the last router's
}

std::uint64_t LinkRules::flit_ps(LinkKind kind, std::uint64_t width) const {
    if (spec.router.kind == "async" && kind != kLinkBridge) {
        const auto& a = spec.router.async;
        const double ps = delay_of(kind, {a.handshake_x, a.handshake_x_minus, a.handshake_y,
                                          a.handshake_y_minus, a.handshake_z, a.handshake_z_minus})
                              .ps;
        return ps > period ? static_cast<std::uint64_t>(std::llround(ps)) : 0;
    }
    if (width == 0) width = kind == kLinkBridge ? spec.chips.width : spec.link_width;
    if (width == 0 || width > spec.flit_bits) width = spec.flit_bits;
    double own = kind == kLinkBridge ? spec.chips.period : spec.link_period;
    if (own <= 0) own = period;
    const std::uint64_t transfers = (spec.flit_bits + width - 1) / width;
    const double ps = static_cast<double>(transfers) * own;
    if (ps > 4e9) {
        throw ConfigError(fmt::format("noc.link_width: a flit takes {} transfers of {} ps; the limit is 4 ms",
                                      transfers, own));
    }
    return ps > period ? static_cast<std::uint64_t>(std::llround(ps)) : 0;
}

Topology make_topology(const arch::NocSpec& spec, double period, const std::vector<std::uint64_t>& host) {
    const LinkRules rules{spec, period};
    for (const Entry& e : kTopologies) {
        if (spec.topology != e.name) continue;
        if (spec.topology != "crossbar" && (spec.cores_per_router == 0 || spec.cores_per_router > 16)) {
            throw ConfigError(fmt::format("noc.cores_per_router: {} is not in 1..16", spec.cores_per_router));
        }
        for (const std::uint64_t k : spec.chips.grid) {
            if (k > 1 && spec.topology != "mesh")
                throw ConfigError("noc.chips: bridges join chips with a mesh");
        }
        Topology t = e.build(rules);
        t.name = e.name;
        if (t.grid.size() > 1) t.name = fmt::format("{} {}", fmt::join(t.grid, " x "), e.name);
        t.local_latency = rules.local_latency();
        const auto cores = static_cast<std::uint32_t>(spec.core_routers());
        t.attach_cores(cores, static_cast<std::uint32_t>(spec.cores_at_a_router()),
                       host_router(t, cores, host));
        if (t.max_ports() > 64) throw ConfigError("noc.size: a router with more than 64 ports");
        const auto reached = t.distances_to(0);
        for (std::uint32_t r = 0; r < t.n_routers(); ++r) {
            if (reached[r] == kNone)
                throw ConfigError(fmt::format("noc.links: router {} cannot be reached from router 0", r));
        }
        apply_faults(t, spec.faults);
        return t;
    }
    throw ConfigError("noc.topology: " + unknown_name(spec.topology, topology_names()));
}

}  // namespace loom::noc
