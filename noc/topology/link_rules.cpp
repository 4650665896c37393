// SPDX-License-Identifier: Apache-2.0
#include "noc/topology/link_rules.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/key_error.hpp"

namespace loom::noc {
namespace {

constexpr std::uint64_t kMaxLatency = 1u << 20;

std::uint32_t checked_latency(const char* key, std::uint64_t value) {
    if (value == 0 || value > kMaxLatency) {
        throw KeyError(fmt::format("noc.{}", key),
                       fmt::format("{} is not in 1..{} cycles", value, kMaxLatency));
    }
    return static_cast<std::uint32_t>(value);
}

/// Whole multiples of the time base.
std::uint64_t cycles_of(const char* key, double ps, double period) {
    const double n = ps / period;
    if (std::abs(n - std::nearbyint(n)) > 1e-6 || n < 1 || n > kMaxLatency) {
        throw KeyError(fmt::format("noc.router.async.{}", key),
                       fmt::format("{} ps is no whole multiple, 1 to {}, of the time base of {} ps", ps,
                                   kMaxLatency, period));
    }
    return static_cast<std::uint64_t>(std::nearbyint(n));
}

/// The delay of a link among those in x, against x, in y, ...: what is not set is as in the axis, or as in x.
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

}  // namespace

std::uint32_t LinkRules::latency(LinkKind kind, std::uint64_t cycles, std::uint64_t width) const {
    std::uint32_t n = checked_latency("link_latency", cycles);
    // narrow or slow: the last part of a flit arrives later; another clock: two cycles to cross over
    const std::uint64_t ps = flit_ps(kind, width);
    if (ps != 0 && !asynchronous) {
        n += static_cast<std::uint32_t>(std::ceil(static_cast<double>(ps) / period - 1e-9)) - 1;
    }
    const double own = kind == kLinkBridge ? spec.chips.period : spec.link_period;
    return checked_latency("link_width", own > 0 && own != period ? n + 2 : n);
}

std::uint32_t LinkRules::default_latency(LinkKind kind, std::uint64_t width) const {
    if (asynchronous) {
        const auto& a = spec.router.async;
        if (a.x <= 0) throw KeyError("noc.router.async.x", "an asynchronous router needs the time of a hop");
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
    if (!asynchronous || ps <= 0) return checked_latency("local_latency", spec.local_latency);
    const std::uint64_t cycles = cycles_of("local", ps, period);
    if (cycles < 2)
        throw KeyError("noc.router.async.local",
                       fmt::format("{} ps is less than two units of the time base of {} ps", ps, period));
    return checked_latency("router.async", cycles - 1);  // one is the last router's
}

std::uint64_t LinkRules::flit_ps(LinkKind kind, std::uint64_t width) const {
    if (asynchronous && kind != kLinkBridge) {
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
        throw KeyError("noc.link_width",
                       fmt::format("a flit takes {} transfers of {} ps; the limit is 4 ms", transfers, own));
    }
    return ps > period ? static_cast<std::uint64_t>(std::llround(ps)) : 0;
}

void LinkRules::connect(Topology& t, std::uint32_t a, unsigned port_a, std::uint32_t b, unsigned port_b,
                        LinkKind kind) const {
    t.connect(a, port_a, b, port_b, kind, default_latency(kind), flit_ps(kind));
    t.channel(b, port_b).latency = default_latency(opposite(kind));
    t.channel(b, port_b).flit_ps = flit_ps(opposite(kind));
}

}  // namespace loom::noc
