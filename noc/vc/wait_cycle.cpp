// SPDX-License-Identifier: Apache-2.0
// Who waits for whom in routers in which nothing moves: for the watchdog.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "noc/vc/router_array.hpp"

namespace loom::noc {
namespace {

using Phase = RouterState::Phase;
using InputVc = RouterState::InputVc;

/// The input VC, counted over all routers, whose packet holds an output VC; kNone: nobody does.
std::uint32_t holder(const RouterState& s, std::uint32_t router, unsigned port, unsigned vc) {
    for (unsigned i = 0; i < s.n_local; ++i) {
        const InputVc& h = s.input(router, i);
        if (h.phase == Phase::Active && h.out_port == port && h.out_vc == vc) return router * s.n_local + i;
    }
    return kNone;
}

}  // namespace

/// The input VC that has to move before this one can; kNone: it waits for no other.
std::uint32_t RouterArray::waits_for(std::uint32_t index) const {
    const RouterState& s = state_;
    const std::uint32_t r = index / s.n_local;
    const unsigned local = index % s.n_local;
    const InputVc& v = s.input(r, local);
    if (v.phase == Phase::Active && v.queue.empty()) {
        // the rest of its packet is still on the way to it
        const unsigned port = local / s.n_vcs;
        if (port >= s.link_ports) return kNone;
        const Channel& in = s.topology.channel(r, port);
        return holder(s, in.peer, in.peer_port, local % s.n_vcs);
    }
    if (v.phase == Phase::Active) {
        const RouterState::Port& out = s.port(r, v.out_port);
        const bool may_go = (out.credit >> v.out_vc & 1u) != 0;
        if (may_go || v.out_port >= s.link_ports) return kNone;
        const Channel& c = s.topology.channel(r, v.out_port);
        return c.peer * s.n_local + c.peer_port * s.n_vcs + v.out_vc;
    }
    if (v.phase != Phase::VcAlloc) return kNone;
    // any of its candidates would do: when nothing moves, each of them is held by somebody who waits too
    for (std::uint64_t ports = cycle_->candidates(r, local); ports != 0; ports &= ports - 1) {
        const auto port = static_cast<unsigned>(std::countr_zero(ports));
        std::uint64_t held = s.port(r, port).held & s.fabric.masks[v.message_class][kAnyVc];
        for (; held != 0; held &= held - 1) {
            const std::uint32_t h = holder(s, r, port, static_cast<unsigned>(std::countr_zero(held)));
            if (h != kNone) return h;
        }
    }
    return kNone;
}

/// An input VC, counted over all routers, and the packet in front of it.
std::string RouterArray::name_of(std::uint32_t i) const {
    const RouterState& s = state_;
    const InputVc& v = s.input(i / s.n_local, i % s.n_local);
    const unsigned local = i % s.n_local;
    std::string text = fmt::format("router {} port {} vc {}", s.topology.router_name(i / s.n_local),
                                   s.topology.port_name(local / s.n_vcs), local % s.n_vcs);
    if (v.queue.empty()) return text;
    const Packet& p = s.fabric.packets[s.fabric.flits[v.queue.front].packet].packet;
    return text + fmt::format(" (packet from {} to {}{})", index(p.source),
                              p.destination.kind == Destination::Kind::Set ? "set " : "",
                              p.destination.value);
}

std::string RouterArray::wait_cycle() const {
    constexpr std::size_t kMostNamed = 24;
    const std::uint32_t inputs = state_.topology.n_routers() * state_.n_local;
    std::vector<std::uint32_t> seen(inputs, kNone);  // by the walk that began at ...
    std::vector<std::uint32_t> way;
    for (std::uint32_t from = 0; from < inputs; ++from) {
        way.clear();
        const bool empty = state_.input(from / state_.n_local, from % state_.n_local).queue.empty();
        std::uint32_t at = empty ? kNone : from;
        for (; at != kNone && seen[at] == kNone; at = waits_for(at)) {
            seen[at] = from;
            way.push_back(at);
        }
        if (at == kNone || seen[at] != from) continue;
        way.erase(way.begin(), std::find(way.begin(), way.end(), at));
        std::string text;
        for (std::size_t i = 0; i < std::min(way.size(), kMostNamed); ++i) text += name_of(way[i]) + " -> ";
        if (way.size() > kMostNamed) text += "... -> ";
        return fmt::format("{} buffers wait for each other: {}the first", way.size(), text);
    }
    return "";
}

}  // namespace loom::noc
