// SPDX-License-Identifier: Apache-2.0
// Who waits for whom in routers in which nothing moves: for the watchdog.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "noc/router_array.hpp"

namespace loom::noc {

/// The input VC that has to move before this one can; kNone: it waits for no other.
std::uint32_t RouterArray::waits_for(std::uint32_t index) const {
    const std::uint32_t r = index / n_local_;
    const unsigned local = index % n_local_;
    const InputVc& v = input(r, local);
    const auto holder = [&](std::uint32_t router, unsigned port, unsigned vc) {
        for (unsigned i = 0; i < n_local_; ++i) {
            const InputVc& h = input(router, i);
            if (h.state == State::Active && h.out_port == port && h.out_vc == vc)
                return router * n_local_ + i;
        }
        return kNone;
    };
    if (v.state == State::Active && v.queue.empty()) {
        // the rest of its packet is still on the way to it
        const unsigned port = local / n_vcs_;
        if (port >= link_ports_) return kNone;
        const Channel& in = topology_.channel(r, port);
        return holder(in.peer, in.peer_port, local % n_vcs_);
    }
    if (v.state == State::Active) {
        const Port& out = port(r, v.out_port);
        const bool may_go = (out.credit >> v.out_vc & 1u) != 0;
        if (may_go || v.out_port >= link_ports_) return kNone;
        const Channel& c = topology_.channel(r, v.out_port);
        return c.peer * n_local_ + c.peer_port * n_vcs_ + v.out_vc;
    }
    if (v.state != State::VcAlloc) return kNone;
    // any of its candidates would do: when nothing moves, each of them is held by somebody who waits too
    std::uint64_t ports = v.several ? routes_[index].route.ports : std::uint64_t{1} << v.out_port;
    for (; ports != 0; ports &= ports - 1) {
        const auto port = static_cast<unsigned>(std::countr_zero(ports));
        std::uint64_t held = this->port(r, port).held & fabric_.masks[v.message_class][kAnyVc];
        for (; held != 0; held &= held - 1) {
            const std::uint32_t h = holder(r, port, static_cast<unsigned>(std::countr_zero(held)));
            if (h != kNone) return h;
        }
    }
    return kNone;
}

std::string RouterArray::wait_cycle() const {
    constexpr std::size_t kMostNamed = 24;
    const std::uint32_t inputs = topology_.n_routers() * n_local_;
    const auto at_index = [&](std::uint32_t i) -> const InputVc& {
        return input(i / n_local_, i % n_local_);
    };
    std::vector<std::uint32_t> seen(inputs, kNone);  // by the walk that began at ...
    std::vector<std::uint32_t> way;
    for (std::uint32_t from = 0; from < inputs; ++from) {
        way.clear();
        std::uint32_t at = at_index(from).queue.empty() ? kNone : from;
        for (; at != kNone && seen[at] == kNone; at = waits_for(at)) {
            seen[at] = from;
            way.push_back(at);
        }
        if (at == kNone || seen[at] != from) continue;
        way.erase(way.begin(), std::find(way.begin(), way.end(), at));
        std::string text;
        for (std::size_t i = 0; i < std::min(way.size(), kMostNamed); ++i) {
            const InputVc& v = at_index(way[i]);
            const unsigned local = way[i] % n_local_;
            text += fmt::format("router {} port {} vc {}", topology_.router_name(way[i] / n_local_),
                                topology_.port_name(local / n_vcs_), local % n_vcs_);
            if (!v.queue.empty()) {
                const Packet& p = fabric_.packets[fabric_.flits[v.queue.front].packet].packet;
                text += fmt::format(" (packet from {} to {}{})", index(p.source),
                                    p.destination.kind == Destination::Kind::Set ? "set " : "",
                                    p.destination.value);
            }
            text += " -> ";
        }
        if (way.size() > kMostNamed) text += fmt::format("... -> ");
        return fmt::format("{} buffers wait for each other: {}the first", way.size(), text);
    }
    return "";
}

}  // namespace loom::noc
