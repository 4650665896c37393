// SPDX-License-Identifier: Apache-2.0
// Allocation in plain routers: who gets a virtual channel, who gets the switch.
#pragma once
#include "noc/vc/plain_pass.hpp"

namespace loom::noc {

/// One VC: an output has either a holder, who alone may bid for it, or askers. Returns the input VCs with a
/// new head in front.
template <class Shape>
inline std::uint64_t PlainPass<Shape>::evaluate_one_vc(const View& r) {
    std::uint64_t sends = r.router.going;
    for (std::uint64_t open = r.router.open; open != 0; open &= open - 1) {
        const unsigned o = lowest(open);
        Port& out = r.ports[o];
        OutputVc& given = r.outputs[o];
        const std::uint64_t askers = out.askers;
        unsigned winner = lowest(askers), bidder = winner;
        if (!single(askers)) {
            winner = rr_pick_below_64(askers, given.va_pointer);
            bidder = rr_pick_below_64(askers, out.sa_output_pointer);
        }
        out.askers = askers & ~bit(winner);
        out.held = 1;
        given.va_pointer = after_port(winner);
        given.holder = static_cast<std::uint16_t>(winner);
        r.inputs[winner].phase = Phase::Active;
        if (out.credit == 0) continue;
        r.router.going |= bit(winner);
        // the winner's flit goes; anybody else's bid is void, and the slot is lost
        if (bidder == winner) {
            sends |= bit(winner);
        } else {
            out.sa_output_pointer = after_port(bidder);
        }
    }
    r.router.open = 0;
    std::uint64_t heads = 0;
    for (; sends != 0; sends &= sends - 1) {
        const unsigned local = lowest(sends);
        InputVc& v = r.inputs[local];
        Port& out = r.ports[v.out_port];
        out.sa_output_pointer = after_port(local);
        if (depart_held(r, local, v, out)) heads |= bit(local);
    }
    return heads;
}

/// VA, stage 1: the input VC's arbiter picks one of the free VCs of its output.
template <class Shape>
inline unsigned PlainPass<Shape>::pick_vc(const InputVc& v, std::uint64_t free) const {
    const unsigned offset = v.va_pointer - v.out_port * n_vcs();
    return rr_pick_below_64(free, offset < n_vcs() ? offset : 0);
}

/// VA: an input VC gets a VC of its output, and both arbiters move on.
template <class Shape>
inline void PlainPass<Shape>::grant(const View& r, unsigned local, InputVc& v, unsigned out_port,
                                    unsigned out_vc) {
    Port& out = r.ports[out_port];
    const unsigned out_local = out_port * n_vcs() + out_vc;
    OutputVc& given = r.outputs[out_local];
    v.va_pointer = after_local(out_local);
    v.phase = Phase::Active;
    v.out_vc = static_cast<std::uint8_t>(out_vc);
    given.va_pointer = after_local(local);
    given.holder = static_cast<std::uint16_t>(local);
    const std::uint64_t held = out.held | bit(out_vc), askers = out.askers & ~bit(local);
    out.held = held;
    out.askers = askers;
    if (given.credits != 0) r.router.going |= bit(local);
    if (askers == 0 || held == all_vcs()) r.router.open &= ~bit(out_port);
}

/// VA at an output with several askers: each asks for a free VC, and each VC picks one of those who ask for
/// it. Returns those who bid for the switch in the same cycle.
template <class Shape>
[[gnu::noinline]] std::uint64_t PlainPass<Shape>::share_out(const View& r, unsigned out_port) {
    const Port& out = r.ports[out_port];
    std::array<std::uint8_t, 64> winners;  // of the VCs
    std::uint64_t asked = 0, bids = 0;
    for (std::uint64_t askers = out.askers; askers != 0; askers &= askers - 1) {
        const unsigned local = lowest(askers);
        const InputVc& v = r.inputs[local];
        const std::uint64_t free = free_vcs(out, v);
        if (free == 0) continue;
        if ((free & out.credit) != 0) bids |= bit(local);
        const unsigned vc = pick_vc(v, free);
        if ((asked >> vc & 1u) != 0) {
            const unsigned first = r.outputs[out_port * n_vcs() + vc].va_pointer;
            if (rr_distance(winners[vc], first, n_locals()) < rr_distance(local, first, n_locals())) continue;
        }
        asked |= bit(vc);
        winners[vc] = static_cast<std::uint8_t>(local);
    }
    if (asked == 0) r.router.open &= ~bit(out_port);  // until a VC of their classes is given back
    for (; asked != 0; asked &= asked - 1) {
        const unsigned vc = lowest(asked);
        grant(r, winners[vc], r.inputs[winners[vc]], out_port, vc);
    }
    return bids;
}

/// SA, stage 1: of several VCs of an input port that bid, the one that enters the choice of its output.
template <class Shape>
[[gnu::noinline]] unsigned PlainPass<Shape>::choose_bid(const View& r, unsigned in_port,
                                                        std::uint64_t bids) const {
    const Port& in = r.ports[in_port];
    std::uint64_t wanted = 0;
    for (std::uint64_t b = bids; b != 0; b &= b - 1) wanted |= bit(r.inputs[lowest(b)].out_port);
    const unsigned out_port = rr_pick_below_64(wanted, in.sa_input_pointer);
    // of the VCs that want this output, the next in turn
    std::uint64_t left = bids;
    while (true) {
        const unsigned local = rr_pick_below_64(left, in_port * n_vcs() + in.vc_offset);
        if (r.inputs[local].out_port == out_port) return local;
        left &= ~bit(local);
    }
}

/// SA: the arbiters of both stages move on.
template <class Shape>
inline void PlainPass<Shape>::move_pointers(const View& r, unsigned local, unsigned out_port) const {
    const unsigned in_port = port_of(local);
    Port& in = r.ports[in_port];
    in.sa_input_pointer = after_port(out_port);
    in.vc_offset = after_vc(vc_of(local, in_port));
    r.ports[out_port].sa_output_pointer = after_port(in_port);
}

/// A bid is granted: its flit goes unless its VC was not granted in this cycle, or has no credit: then the
/// slot is lost. True: as of depart_held.
template <class Shape>
inline bool PlainPass<Shape>::serve(const View& r, unsigned local) {
    InputVc& v = r.inputs[local];
    move_pointers(r, local, v.out_port);
    return (r.router.going >> local & 1u) != 0 && depart_held(r, local, v, r.ports[v.out_port]);
}

/// Two bids are of one input port or for one output.
template <class Shape>
inline bool PlainPass<Shape>::conflict(const View& r, std::uint64_t bids) const {
    std::uint64_t inputs = 0, outputs = 0;
    for (; bids != 0; bids &= bids - 1) {
        const unsigned local = lowest(bids);
        const std::uint64_t in = bit(port_of(local)), out = bit(r.inputs[local].out_port);
        if (((inputs & in) | (outputs & out)) != 0) return true;
        inputs |= in;
        outputs |= out;
    }
    return false;
}

/// SA: the input VCs whose bids are granted. `going` and `low`: bids of both priorities.
template <class Shape>
[[gnu::noinline]] std::uint64_t PlainPass<Shape>::choose_winners(const View& r, std::uint64_t going,
                                                                 std::uint64_t low) const {
    std::array<std::uint8_t, 64> winners;  // of the outputs
    std::uint64_t outputs = 0, granted = 0;
    for (std::uint64_t bids = going | low; bids != 0;) {
        const unsigned in_port = port_of(lowest(bids));
        const std::uint64_t its = all_vcs() << in_port * n_vcs();
        const std::uint64_t mine = (going & its) != 0 ? going & its : low & its;
        const unsigned local = single(mine) ? lowest(mine) : choose_bid(r, in_port, mine);
        const unsigned o = r.inputs[local].out_port;
        bids &= ~its;
        // stage 2: the output's arbiter; speculative bids come last
        if ((outputs >> o & 1u) != 0) {
            const unsigned other = winners[o], first = r.ports[o].sa_output_pointer;
            const bool low_mine = (going >> local & 1u) == 0, low_other = (going >> other & 1u) == 0;
            if (low_mine != low_other
                    ? low_mine
                    : rr_distance(port_of(other), first, n_ports()) < rr_distance(in_port, first, n_ports()))
                continue;
            granted &= ~bit(other);
        }
        outputs |= bit(o);
        granted |= bit(local);
        winners[o] = static_cast<std::uint8_t>(local);
    }
    return granted;
}

/// Where nothing but a whole packet of one flit wants to go on, and can: the same as below, without holding a
/// VC in between. False: nothing has been done.
template <class Shape>
[[gnu::always_inline]] inline bool PlainPass<Shape>::pass_alone(const View& r) {
    const std::uint64_t open = r.router.open;
    if (r.router.going != 0 || !single(open)) return false;
    const unsigned o = lowest(open);
    Port& out = r.ports[o];
    const std::uint64_t askers = out.askers;
    if (!single(askers)) return false;
    const unsigned local = lowest(askers);
    InputVc& v = r.inputs[local];
    if (v.queue.front != v.queue.back || !c_.flits[v.queue.front].tail) return false;
    const unsigned out_vc = pick_vc(v, free_vcs(out, v)), out_local = o * n_vcs() + out_vc;
    if ((out.credit >> out_vc & 1u) == 0) return false;
    out.askers = 0;
    r.router.open = 0;
    v.out_vc = static_cast<std::uint8_t>(out_vc);
    v.va_pointer = after_local(out_local);
    r.outputs[out_local].va_pointer = after_local(local);
    move_pointers(r, local, o);
    depart(r, local, v, out);
    return true;
}

/// Returns the input VCs with a new head in front.
template <class Shape>
[[gnu::noinline]] std::uint64_t PlainPass<Shape>::evaluate_vcs(const View& r) {
    const std::uint64_t going = r.router.going;
    std::uint64_t low = 0;  // speculative bids
    for (std::uint64_t open = r.router.open; open != 0; open &= open - 1) {
        const unsigned o = lowest(open);
        const Port& out = r.ports[o];
        const std::uint64_t askers = out.askers;
        if (!single(askers)) {
            low |= share_out(r, o);
            continue;
        }
        const unsigned local = lowest(askers);
        InputVc& v = r.inputs[local];
        const std::uint64_t free = free_vcs(out, v);
        if (free == 0) {
            r.router.open &= ~bit(o);
            continue;
        }
        if ((free & out.credit) != 0) low |= askers;
        grant(r, local, v, o, pick_vc(v, free));
    }
    if (!speculative()) low = 0;
    std::uint64_t sends = going | low, heads = 0;
    if (!single(sends) && conflict(r, sends)) sends = choose_winners(r, going, low);
    for (; sends != 0; sends &= sends - 1) {
        const unsigned local = lowest(sends);
        if (serve(r, local)) heads |= bit(local);
    }
    return heads;
}

}  // namespace loom::noc
