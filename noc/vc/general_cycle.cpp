// SPDX-License-Identifier: Apache-2.0
// A cycle in routers that are not plain: allocation by separable arbiters. How flits move is in
// general_flits.cpp.
#include "noc/vc/general_cycle.hpp"

#include <bit>

namespace loom::noc {
namespace {

/// In the key of a bid for the switch: lower priority than all without it.
constexpr std::uint32_t kSpeculative = 1u << 16;

}  // namespace

GeneralCycle::GeneralCycle(RouterState& state)
    : state_(state),
      speculative_(state.rules.pipeline.speculative),
      loss_rng_(state.rules.loss_seed, 77),
      va_requests_(state.n_local),
      va_winner_(state.n_local, kNone),
      input_bids_(state.n_ports),
      output_bids_(state.n_ports) {
    const Topology& t = state.topology;
    if (state.wide_routes) routes_.resize(std::size_t{t.n_routers()} * state.n_local);
    for (std::uint32_t r = 0; r < t.n_routers(); ++r) {
        for (unsigned d = 0; d < state.link_ports; ++d)
            set_slow_link(r, d, static_cast<double>(t.channel(r, d).flit_ps));
    }
    const double local = state.rules.local_flit_ps();
    for (std::uint32_t e = 0; e < t.n_endpoints(); ++e) set_slow_link(t.router_of(e), t.port_of(e), local);
}

void GeneralCycle::set_slow_link(std::uint32_t r, unsigned port, double ps) {
    if (ps <= 0) return;
    slow_links_.resize(std::size_t{state_.topology.n_routers()} * state_.n_ports);
    slow_links_[std::size_t{r} * state_.n_ports + port].flit_ps = static_cast<std::uint64_t>(ps);
}

void GeneralCycle::reset() {
    const unsigned n = state_.n_ports;
    if (state_.rules.loss > 0) flits_before_.resize(std::size_t{state_.topology.n_routers()} * n);
    for (std::size_t i = 0; i < flits_before_.size(); ++i) {
        flits_before_[i] = state_.port(static_cast<std::uint32_t>(i / n), static_cast<unsigned>(i % n)).flits;
    }
    if (slow_links_.empty()) return;
    for (const std::uint32_t r : state_.touched) {
        for (unsigned p = 0; p < n; ++p) slow_links_[std::size_t{r} * n + p].free_ps = 0;
    }
}

std::uint64_t GeneralCycle::candidates(std::uint32_t router, unsigned input) const {
    const InputVc& v = state_.input(router, input);
    return v.several ? routes_[std::size_t{router} * state_.n_local + input].route.ports : bit(v.out_port);
}

void GeneralCycle::receive_credit(const Calendar::CreditAtRouter& event) {
    const View r = state_.view(event.router);
    const unsigned port = state_.port_of[event.output];
    ++r.outputs[event.output].credits;
    r.ports[port].credit |= bit(event.output - port * state_.n_vcs);
    if ((r.router.flags & RouterState::kWaiting) != 0) state_.activate(event.router, r.router);
}

void GeneralCycle::receive(const EventList<Calendar::CreditAtRouter>& credits) {
    for (const Calendar::CreditAtRouter& event : credits) receive_credit(event);
}

void GeneralCycle::evaluate(Cycle now) {
    Step c = state_.step(now);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < state_.n_active; ++i) {
        const std::uint32_t id = state_.active[i];
        const View r = state_.view(id);
        if (evaluate_router(c, r)) {
            state_.active[kept++] = id;
            continue;
        }
        r.router.flags = RouterState::kTouched;
        if (r.router.busy == 0) continue;
        r.router.flags = RouterState::kTouched | RouterState::kWaiting;
        ++state_.waiting;
    }
    state_.n_active = kept;
}

/// Of several candidates: the adaptive one with most credits, the escape channel when none of them is
/// free; of a multicast's branches the first that is free. False: nothing is free.
bool GeneralCycle::choose_port(const View& r, unsigned local, InputVc& v, std::uint64_t& free) const {
    const Port* const ports = r.ports;
    const WideRoute& wide = wide_route(r, local);
    unsigned best_credits = 0;
    bool found = false;
    for (std::uint64_t mask = wide.route.ports; mask != 0; mask &= mask - 1) {
        const auto port = static_cast<unsigned>(std::countr_zero(mask));
        VcClass vcs = wide.route.vcs;
        if (wide.route.all) {
            vcs = port >= state_.link_ports || !state_.routing.uses_halves ? kAnyVc
                  : (wide.high >> port & 1u) != 0                          ? kHighHalf
                                                                           : kLowHalf;
        }
        const std::uint64_t candidates = ~ports[port].held & state_.fabric.masks[v.message_class][vcs];
        if (candidates == 0) continue;
        unsigned credits = 1;
        for (std::uint64_t c = candidates & ports[port].credit; c != 0; c &= c - 1) {
            credits += r.outputs[port * state_.n_vcs + static_cast<unsigned>(std::countr_zero(c))].credits;
        }
        if (found && credits <= best_credits) continue;
        found = true;
        best_credits = credits;
        free = candidates;
        v.out_port = static_cast<std::uint8_t>(port);
        v.vc_class = vcs;
        if (wide.route.all) return true;
    }
    if (found) return true;
    const unsigned escape = wide.route.escape_port;
    if (escape == kNoPort) return false;
    free = ~ports[escape].held & state_.fabric.masks[v.message_class][kEscapeVc];
    if (free == 0) return false;
    v.out_port = static_cast<std::uint8_t>(escape);
    v.vc_class = kEscapeVc;
    return true;
}

/// The flit that an input VC would send next, or kNone while it has not arrived.
std::uint32_t GeneralCycle::next_flit(const Step& c, const View& r, unsigned local, const InputVc& v) const {
    if (!v.several) return v.queue.front;
    const WideRoute& wide = wide_route(r, local);
    if (!wide.route.all || wide.cursor == kNone) return v.queue.front;
    return c.flits[wide.cursor].next;
}

/// VA, stage 2: the output VC's arbiter picks one of the inputs whose arbiters picked it.
inline void GeneralCycle::request_vc(const View& r, unsigned local, const InputVc& v, std::uint64_t free) {
    const unsigned out = v.out_port * state_.n_vcs + state_.pick_vc(v, free);
    std::uint32_t& winner = va_winner_[out];
    if (winner == kNone) {
        va_requests_[n_va_requests_++] = out;
        winner = local;
        return;
    }
    const unsigned first = r.outputs[out].va_pointer;
    if (rr_distance(local, first, state_.n_local) < rr_distance(winner, first, state_.n_local))
        winner = local;
}

/// What an input VC with flits can do in this cycle: ask for a virtual channel, bid for the switch (true;
/// lower keys win), or nothing. `work`: there is something to do in the next cycle, too.
inline bool GeneralCycle::may_bid(Step& c, const View& r, unsigned in_port, unsigned vc, InputVc& v,
                                  bool& work, std::uint32_t& key) {
    const unsigned local = in_port * state_.n_vcs + vc;
    if (v.phase == Phase::Active) {
        const Port& out = r.ports[v.out_port];
        if ((out.credit >> v.out_vc & 1u) == 0) return false;
        if (v.several && next_flit(c, r, local, v) == kNone) return false;
        work = true;
        if (link_busy(r, v.out_port, c.now)) return false;
        key = 0;
        return true;
    }
    if (v.phase == Phase::Drop) {
        drop_front(c, r, in_port, vc);
        work = true;
        return false;
    }
    if (static_cast<std::int32_t>(v.ready - c.now32()) > 0) {
        work = true;
        return false;
    }
    std::uint64_t free = 0;
    if (v.several) {
        if (!choose_port(r, local, v, free)) return false;
    } else {
        free = state_.free_vcs(r.ports[v.out_port], v);
        if (free == 0) return false;
    }
    work = true;
    const Port& out = r.ports[v.out_port];
    request_vc(r, local, v, free);
    key = kSpeculative;
    return speculative_ && (free & out.credit) != 0 && !link_busy(r, v.out_port, c.now);
}

bool GeneralCycle::evaluate_router(Step& c, const View& r) {
    std::uint64_t busy = r.router.busy;
    Bid* const input_bids = input_bids_.data();
    Bid* const output_bids = output_bids_.data();
    const unsigned n_vcs = state_.n_vcs, n_ports = state_.n_ports;
    bool work = false;
    std::uint64_t outputs = 0;  // with bids
    for (; busy != 0; busy &= busy - 1) {
        const auto in_port = static_cast<unsigned>(std::countr_zero(busy));
        const Port& in = r.ports[in_port];
        std::uint64_t wanted = 0;  // outputs that VCs of this port bid for
        for (std::uint64_t vcs = in.occupied; vcs != 0; vcs &= vcs - 1) {
            const auto vc = static_cast<unsigned>(std::countr_zero(vcs));
            InputVc& v = r.inputs[in_port * n_vcs + vc];
            std::uint32_t key = 0;
            if (!may_bid(c, r, in_port, vc, v, work, key)) continue;
            // of the VCs that want the same output, one is kept
            key += rr_distance(vc, in.vc_offset, n_vcs);
            const unsigned out = v.out_port;
            Bid& best = input_bids[out];
            if ((wanted >> out & 1u) != 0 && best.key < key) continue;
            wanted |= bit(out);
            best = {key, static_cast<std::uint16_t>(in_port), static_cast<std::uint16_t>(vc)};
        }
        if (wanted == 0) continue;
        // the input port picks one output, and enters the choice of that output
        const unsigned out = (wanted & (wanted - 1)) == 0 ? static_cast<unsigned>(std::countr_zero(wanted))
                                                          : choose_output(in, wanted);
        Bid bid = input_bids[out];
        bid.key = (bid.key & kSpeculative) + rr_distance(in_port, r.ports[out].sa_output_pointer, n_ports);
        if ((outputs >> out & 1u) != 0 && output_bids[out].key < bid.key) continue;
        outputs |= bit(out);
        output_bids[out] = bid;
    }
    if (n_va_requests_ != 0) commit_vcs(r);
    if (outputs != 0) commit_switch(c, r, outputs);
    return work && r.router.busy != 0;
}

/// SA: the input port's arbiter over the outputs that its VCs bid for.
unsigned GeneralCycle::choose_output(const Port& in, std::uint64_t mask) const {
    std::uint32_t best_key = kNone;
    unsigned out = 0;
    for (; mask != 0; mask &= mask - 1) {
        const auto o = static_cast<unsigned>(std::countr_zero(mask));
        const std::uint32_t key =
            (input_bids_[o].key & kSpeculative) + rr_distance(o, in.sa_input_pointer, state_.n_ports);
        if (key < best_key) {
            best_key = key;
            out = o;
        }
    }
    return out;
}

inline void GeneralCycle::commit_vcs(const View& r) {
    for (std::size_t i = 0; i < n_va_requests_; ++i) {
        const std::uint32_t out = va_requests_[i];
        const std::uint32_t local = va_winner_[out];
        va_winner_[out] = kNone;
        InputVc& v = r.inputs[local];
        give_vc(r, v, out - v.out_port * state_.n_vcs);
        v.va_pointer = static_cast<std::uint16_t>(rr_next(out, state_.n_local));
        r.outputs[out].va_pointer = static_cast<std::uint16_t>(rr_next(local, state_.n_local));
    }
    n_va_requests_ = 0;
}

inline void GeneralCycle::commit_switch(Step& c, const View& r, std::uint64_t outputs) {
    for (; outputs != 0; outputs &= outputs - 1) {
        const auto out = static_cast<unsigned>(std::countr_zero(outputs));
        const Bid grant = output_bids_[out];
        state_.move_pointers(r, grant.port, grant.vc, out);
        if (grant.key >= kSpeculative) {
            // Void unless VA of this cycle gave a VC with a credit; the slot is lost.
            const InputVc& v = r.inputs[grant.port * state_.n_vcs + grant.vc];
            if (v.phase != Phase::Active || (r.ports[out].credit >> v.out_vc & 1u) == 0) continue;
        }
        send(c, r, grant.port, grant.vc);
    }
}

}  // namespace loom::noc
