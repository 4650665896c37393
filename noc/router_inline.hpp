// SPDX-License-Identifier: Apache-2.0
// What the files of RouterArray's cycle share.
#pragma once
#include <bit>

#include "noc/round_robin.hpp"
#include "noc/router_array.hpp"

namespace loom::noc {

/// In the key of a bid for the switch: lower priority than all without it.
inline constexpr std::uint32_t kSpeculative = 1u << 16;

constexpr std::uint64_t bit(unsigned i) {
    return std::uint64_t{1} << i;
}

inline RouterArray::Step RouterArray::step(Cycle now) {
    return {now, fabric_.flits.data(), fabric_.packets.data(), fabric_.counters.data()};
}

inline void RouterArray::activate(std::uint32_t r, Router& router) {
    const std::uint32_t flags = router.flags;
    if ((flags & kActive) != 0) return;
    router.flags = kActive | kTouched;
    active_[n_active_++] = r;
    if (flags == kTouched) return;
    if ((flags & kWaiting) != 0) --waiting_;
    if ((flags & kTouched) == 0) touched_.push_back(r);
}

inline unsigned RouterArray::xy_port(const Router& r, const PacketRecord& p) const {
    const std::uint16_t x = p.at.x, y = p.at.y;
    return x != r.x ? (r.x < x ? 0u : 1u) : y != r.y ? (r.y < y ? 2u : 3u) : p.port;
}

/// The winner's pointers of both stages of SA.
inline void RouterArray::move_pointers(const View& r, unsigned in_port, unsigned vc, unsigned out) const {
    Port& in = r.ports[in_port];
    in.sa_input_pointer = static_cast<std::uint16_t>(rr_next(out, n_ports_));
    in.vc_offset = static_cast<std::uint16_t>(rr_next(vc, n_vcs_));
    r.ports[out].sa_output_pointer = static_cast<std::uint16_t>(rr_next(in_port, n_ports_));
}

/// VA, stage 1: the input VC's arbiter picks one of the free VCs of its output.
inline unsigned RouterArray::pick_vc(const InputVc& v, std::uint64_t free) const {
    if (n_vcs_ == 1) return 0;
    const unsigned offset = v.va_pointer - v.out_port * n_vcs_;
    return rr_pick(free, offset < n_vcs_ ? offset : 0);
}

/// Stage 2: the output VC's arbiter picks one input.
inline void RouterArray::request_vc(const View& r, unsigned local, const InputVc& v, std::uint64_t free) {
    const unsigned out = v.out_port * n_vcs_ + pick_vc(v, free);
    std::uint32_t& winner = va_winner_[out];
    if (winner == kNone) {
        va_requests_[n_va_requests_++] = out;
        winner = local;
        return;
    }
    const unsigned first = r.outputs[out].va_pointer;
    if (rr_distance(local, first, n_local_) < rr_distance(winner, first, n_local_)) winner = local;
}

inline void RouterArray::give_vc(const View& r, InputVc& v, unsigned out_vc) {
    v.state = State::Active;
    v.out_vc = static_cast<std::uint8_t>(out_vc);
    r.ports[v.out_port].held |= bit(out_vc);
}

}  // namespace loom::noc
