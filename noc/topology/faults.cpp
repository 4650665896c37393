// SPDX-License-Identifier: Apache-2.0
#include "noc/topology/faults.hpp"

#include <fmt/format.h>

#include "base/key_error.hpp"

namespace loom::noc {
namespace {

void take_out(Topology& t, std::uint32_t router, unsigned port) {
    const Channel c = t.channel(router, port);
    if (c.peer == kNone) return;
    t.channel(router, port).peer = kNone;
    t.channel(c.peer, c.peer_port).peer = kNone;
    t.regular = false;
    // what is made for the whole network may have no way left, or may deadlock
    if (t.grid.empty()) t.auto_routing = "up_down";
}

}  // namespace

void apply_faults(Topology& t, const arch::FaultSpec& faults) {
    const auto known = [&](const char* key, std::uint64_t r) {
        if (r >= t.n_routers()) {
            throw KeyError(fmt::format("noc.faults.{}", key),
                           fmt::format("router {} is not in 0..{}", r, t.n_routers() - 1));
        }
        return static_cast<std::uint32_t>(r);
    };
    for (const std::uint64_t r : faults.routers) {
        t.kill(known("routers", r));
        for (unsigned p = 0; p < t.link_ports(); ++p) take_out(t, static_cast<std::uint32_t>(r), p);
    }
    for (const auto& link : faults.links) {
        if (link.size() != 2) throw KeyError("noc.faults.links", "a link is given by its 2 routers");
        const std::uint32_t a = known("links", link[0]), b = known("links", link[1]);
        bool found = false;
        for (unsigned p = 0; p < t.link_ports(); ++p) {
            if (t.channel(a, p).peer != b) continue;
            take_out(t, a, p);
            found = true;
        }
        if (!found)
            throw KeyError("noc.faults.links", fmt::format("there is no link between {} and {}", a, b));
    }
}

}  // namespace loom::noc
