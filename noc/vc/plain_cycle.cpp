// SPDX-License-Identifier: Apache-2.0
// The cycle of plain routers (plain_pass.hpp): arrivals, credits, and what follows from the grants.
#include <algorithm>

#include "noc/vc/plain_grants.hpp"
#include "noc/vc/router_cycle.hpp"

namespace loom::noc {

/// An input VC's head asks for a VC of its output from now on.
template <class Shape>
inline void PlainPass<Shape>::ask(const View& r, unsigned local, unsigned out_port) {
    Port& out = r.ports[out_port];
    out.askers |= bit(local);
    if (out.held != all_vcs()) r.router.open |= bit(out_port);
}

/// A head has come to the front of its buffer: where does it go?
template <class Shape>
inline void PlainPass<Shape>::find_way(const View& r, unsigned local, InputVc& v, std::uint32_t at) {
    PacketRecord& p = c_.packets[c_.flits[v.queue.front].packet];
    v.phase = Phase::VcAlloc;
    if (Shape::kKnown || rules_.xy) {
        // the most common case by hand: as routing_ says
        const unsigned out_port = xy_port(r.router, p);
        v.out_port = static_cast<std::uint8_t>(out_port);
        if constexpr (Shape::kKnown) {
            ask(r, local, out_port);
            return;
        }
        v.message_class = p.packet.message_class;
    } else {
        const unsigned in_port = port_of(local);
        const std::uint8_t in_class = p.packet.message_class;
        const Route route =
            a_.routing({r.id, in_port, local - in_port * n_vcs() - in_class * a_.fabric.vcs_per_class(), p});
        v.message_class = in_class;
        v.vc_class = route.vcs;
        if (route.ports == 0) {
            v.phase = Phase::Drop;  // no way on: counted, and taken out flit by flit
            r.router.aside |= bit(local);
            return;
        }
        v.out_port = static_cast<std::uint8_t>(lowest(route.ports));
    }
    if (a_.rules.pipeline.route_cycles == 0) {
        ask(r, local, v.out_port);
    } else {
        v.ready = at + a_.rules.pipeline.route_cycles;
        r.router.aside |= bit(local);
    }
}

template <class Shape>
void PlainPass<Shape>::receive(const EventList<Calendar::FlitAtRouter>& flits) {
    a_.buffered += flits.size();
    for (const Calendar::FlitAtRouter& event : flits) {
        const View r = view(event.router);
        Router& router = r.router;
        const std::uint32_t id = event.flit;
        InputVc& v = r.inputs[event.input];
        Flit& flit = c_.flits[id];
        flit.arrived = c_.now32();
        flit.next = kNone;
        if (!v.queue.empty()) {
            c_.flits[v.queue.back].next = id;
            v.queue.back = id;
            continue;  // those in front of it decide
        }
        v.queue.front = v.queue.back = id;
        if (v.phase == Phase::Idle) {
            find_way(r, event.input, v, c_.now32());
        } else if (v.phase == Phase::Drop) {
            router.aside |= bit(event.input);
        } else if ((r.ports[v.out_port].credit >> v.out_vc & 1u) != 0) {
            router.going |= bit(event.input);
        }
        if ((router.flags & RouterState::kActive) == 0 && (router.going | router.open | router.aside) != 0)
            a_.activate(event.router, router);
    }
}

template <class Shape>
void PlainPass<Shape>::receive(const EventList<Calendar::CreditAtRouter>& credits) {
    for (const Calendar::CreditAtRouter& event : credits) {
        const View r = view(event.router);
        OutputVc& o = r.outputs[event.output];
        if (o.credits++ != 0) continue;
        const unsigned out_port = port_of(event.output), vc = vc_of(event.output, out_port);
        Port& out = r.ports[out_port];
        out.credit |= bit(vc);
        if ((out.held >> vc & 1u) == 0 || r.inputs[o.holder].queue.empty()) continue;
        r.router.going |= bit(o.holder);
        a_.activate(event.router, r.router);
    }
}

/// Dimension order on a whole mesh: the links of a packet are the distance.
template <class Shape>
inline void PlainPass<Shape>::count_hops(PacketRecord& p) {
    p.packet.hops = static_cast<std::uint16_t>(std::abs(p.at.x - p.from.x) + std::abs(p.at.y - p.from.y));
}

/// The flit at the front of an input VC that holds a VC leaves: its credit goes back, it goes on. True:
/// another head has come to the front; it counts as there in the next cycle.
template <class Shape>
[[gnu::always_inline]] inline bool PlainPass<Shape>::depart(const View& r, unsigned local, InputVc& v,
                                                            Port& out) {
    const std::uint32_t id = v.queue.front;
    const Flit& flit = c_.flits[id];
    const unsigned out_port = v.out_port, out_vc = kOneVc ? 0 : v.out_vc;
    const unsigned in_port = port_of(local), vc = vc_of(local, in_port);
    v.queue.front = flit.next;
    r.router.buffer_cycles += c_.now32() - flit.arrived;
    const Port& in = r.ports[in_port];
    if (in_port < n_links()) {
        *credits_out_++ = {in.peer, in.peer_vc + vc};
    } else {
        *injection_credits_++ = {in.peer, vc};
    }
    ++out.flits;
    if (--r.outputs[out_port * n_vcs() + out_vc].credits == 0) out.credit &= ~bit(out_vc);
    NocCounters& count = c_.counters[flit.tag];
    if (out_port < n_links()) {
        ++count.links[out.kind];
        *flits_out_++ = {out.peer, out.peer_vc + out_vc, id};
    } else {
        ++count.local;
        *ejected_++ = {out.peer, out_vc, id};
        if constexpr (Shape::kKnown) {
            if (flit.tail) count_hops(c_.packets[flit.packet]);
        }
    }
    if (!flit.tail) return false;
    ++count.vc_grants;
    if (!Shape::kKnown && out_port < n_links()) ++c_.packets[flit.packet].packet.hops;
    v.phase = Phase::Idle;
    return true;
}

/// The same where the packet holds a VC, which its tail gives back. True: another head has come to the front;
/// it counts as there in the next cycle.
template <class Shape>
[[gnu::always_inline]] inline bool PlainPass<Shape>::depart_held(const View& r, unsigned local, InputVc& v,
                                                                 Port& out) {
    const unsigned out_port = v.out_port, out_vc = kOneVc ? 0 : v.out_vc;
    if (!depart(r, local, v, out)) {
        if (v.queue.empty() || (out.credit >> out_vc & 1u) == 0) r.router.going &= ~bit(local);
        return false;
    }
    r.router.going &= ~bit(local);
    out.held &= ~bit(out_vc);
    if (out.askers != 0) r.router.open |= bit(out_port);
    return !v.queue.empty();
}

/// Heads whose route is known from now on ask; flits of packets without a way are dropped, one per input VC.
/// Returns the input VCs with a new head in front.
template <class Shape>
std::uint64_t PlainPass<Shape>::attend(const View& r) {
    std::uint64_t heads = 0;
    for (std::uint64_t todo = r.router.aside; todo != 0; todo &= todo - 1) {
        const unsigned local = lowest(todo);
        InputVc& v = r.inputs[local];
        if (v.phase == Phase::VcAlloc) {
            if (static_cast<std::int32_t>(v.ready - c_.now32()) > 0) continue;
            r.router.aside &= ~bit(local);
            ask(r, local, v.out_port);
            continue;
        }
        const std::uint32_t id = v.queue.pop(c_.flits);
        const Flit flit = c_.flits[id];
        a_.drop(flit, id);
        --a_.buffered;
        r.router.buffer_cycles += c_.now32() - flit.arrived;
        const unsigned in_port = port_of(local);
        dropped_.push_back({&r.ports[in_port], in_port, local - in_port * n_vcs()});
        if (flit.tail) v.phase = Phase::Idle;
        if (flit.tail || v.queue.empty()) r.router.aside &= ~bit(local);
        if (flit.tail && !v.queue.empty()) heads |= bit(local);
    }
    return heads;
}

template <class Shape>
void PlainPass<Shape>::evaluate() {
    const Cycle now = c_.now, latency = rules_.link_delay - a_.switch_delay;
    const Cycle flits_at = now + rules_.link_delay, ejected_at = now + rules_.local_delay;
    const Cycle credits_at = now + latency + kCreditDelay, injection_at = now + 1 + kCreditDelay;
    Calendar& calendar = a_.fabric.calendar;
    auto& flits = calendar.flits_at(flits_at).router;
    auto& ejected = calendar.flits_at(ejected_at).endpoint;
    auto& credits = calendar.credits_at(credits_at).router;
    auto& injection = calendar.credits_at(injection_at).endpoint;
    const std::size_t most = a_.n_active * n_ports();  // a flit per port
    const auto* const flits_before = flits_out_ = flits.room(most);
    const auto* const ejected_before = ejected_ = ejected.room(most);
    credits_out_ = credits.room(most);
    injection_credits_ = injection.room(most);
    std::uint32_t* const active = a_.active.data();
    std::size_t kept = 0;
    for (std::size_t i = 0, n = a_.n_active; i < n; ++i) {
        const View r = view(active[i]);
        std::uint64_t heads = 0;
        if (!Shape::kKnown && r.router.aside != 0) heads = attend(r);
        if constexpr (kOneVc) {
            heads |= evaluate_one_vc(r);
        } else if (!Shape::kKnown || !pass_alone(r)) {
            heads |= evaluate_vcs(r);
        }
        for (; heads != 0; heads &= heads - 1)
            find_way(r, lowest(heads), r.inputs[lowest(heads)], c_.now32() + 1);
        if ((r.router.going | r.router.open | r.router.aside) != 0) {
            active[kept++] = r.id;
        } else {
            r.router.flags = RouterState::kTouched;
        }
    }
    a_.n_active = kept;
    a_.buffered -= static_cast<std::size_t>(flits_out_ - flits_before) +
                   static_cast<std::size_t>(ejected_ - ejected_before);
    flits.finish(flits_out_);
    ejected.finish(ejected_);
    credits.finish(credits_out_);
    injection.finish(injection_credits_);
    calendar.flits_appended(flits_at);
    calendar.flits_appended(ejected_at);
    calendar.credits_appended(credits_at);
    calendar.credits_appended(injection_at);
    for (const DroppedFlit& d : dropped_) a_.return_credit(*d.port, d.in_port, d.vc, now);
    dropped_.clear();
}

namespace {

/// Plain routers of a shape.
template <class Shape>
class PlainCycle final : public RouterCycle {
  public:
    PlainCycle(RouterState& state, const PlainRules& rules) : state_(state), rules_(rules) {}

    void receive(const EventList<Calendar::FlitAtRouter>& flits, Cycle now) override {
        PlainPass<Shape>(state_, rules_, dropped_, now).receive(flits);
    }
    void receive(const EventList<Calendar::CreditAtRouter>& credits) override {
        PlainPass<Shape>(state_, rules_, dropped_, 0).receive(credits);
    }
    void evaluate(Cycle now) override { PlainPass<Shape>(state_, rules_, dropped_, now).evaluate(); }
    std::uint64_t candidates(std::uint32_t router, unsigned input) const override {
        return bit(state_.input(router, input).out_port);
    }

  private:
    RouterState& state_;
    const PlainRules rules_;
    std::vector<DroppedFlit> dropped_;
};

/// Delay of a flit over every link, or 0 when they differ or a flit takes longer than a cycle.
std::uint32_t delay_of_all_links(const RouterState& state) {
    std::uint32_t delay = 0;
    for (std::uint32_t r = 0; r < state.topology.n_routers(); ++r) {
        for (unsigned d = 0; d < state.link_ports; ++d) {
            const Channel& c = state.topology.channel(r, d);
            if (c.flit_ps != 0) return 0;
            if (c.peer == kNone) continue;
            const std::uint32_t own = state.port(r, d).flit_delay;
            if (delay != 0 && own != delay) return 0;
            delay = own;
        }
    }
    return delay != 0 ? delay : state.switch_delay + 1;
}

}  // namespace

std::unique_ptr<RouterCycle> make_plain_cycle(RouterState& state) {
    const RouterRules& r = state.rules;
    PlainRules rules;
    rules.link_delay = delay_of_all_links(state);
    rules.local_delay = std::max(state.switch_delay, 1u);
    rules.xy = state.routing.plain_xy;
    if (state.wide_routes || !r.has_default_allocators() || r.loss > 0 || r.local_flit_ps() > 0 ||
        rules.link_delay == 0 || state.n_local > 64)
        return nullptr;
    const bool mesh = state.n_ports == 6 && state.link_ports == 4 && rules.xy && state.one_mask &&
                      r.pipeline.speculative && r.pipeline.route_cycles == 0;
    if (mesh && state.n_vcs == 1) return std::make_unique<PlainCycle<Mesh2d<1>>>(state, rules);
    if (mesh && state.n_vcs == 4) return std::make_unique<PlainCycle<Mesh2d<4>>>(state, rules);
    return std::make_unique<PlainCycle<AnyShape>>(state, rules);
}

}  // namespace loom::noc
