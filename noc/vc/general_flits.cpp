// SPDX-License-Identifier: Apache-2.0
// Flits in routers that are not plain: into buffers, over links, out of the network.
#include <bit>

#include "noc/multicast/sets.hpp"
#include "noc/slow_link.hpp"
#include "noc/vc/general_cycle.hpp"

namespace loom::noc {

/// The output of the packet at the front, which is kept aside when it is several.
inline Route GeneralCycle::find_route(const Step& c, const View& r, unsigned in_port, unsigned vc,
                                      InputVc& v) {
    PacketRecord& p = c.packets[c.flits[v.queue.front].packet];
    const unsigned local = in_port * state_.n_vcs + vc;
    if (p.packet.destination.kind != Destination::Kind::Set) {
        const unsigned class_vc = vc - v.message_class * state_.fabric.vcs_per_class();
        const Route route = state_.routing({r.id, in_port, class_vc, p});
        v.vc_class = route.vcs;
        v.several = (route.ports & (route.ports - 1)) != 0 || route.escape_port != kNoPort;
        if (v.several) wide_route(r, local).route = route;
        return route;
    }
    const MulticastSets& sets = *state_.fabric.sets;
    WideRoute& wide = wide_route(r, local);
    wide.set = p.packet.destination.value;
    if (sets.style() == MulticastStyle::Table) {
        ++state_.fabric.counters[p.packet.tag].table_lookups;
    } else {
        wide.high = sets.high_ports(wide.set, r.id);
    }
    wide.route = sets.route(wide.set, r.id, in_port);
    wide.cursor = kNone;
    v.several = true;
    return wide.route;
}

/// A head has come to the front: where does it go?
inline void GeneralCycle::head_at_front(Step& c, const View& r, unsigned in_port, unsigned vc, InputVc& v,
                                        std::uint32_t at) {
    v.phase = Phase::VcAlloc;
    v.message_class = c.packets[c.flits[v.queue.front].packet].packet.message_class;
    v.ready = at + state_.rules.pipeline.route_cycles;
    const Route route = find_route(c, r, in_port, vc, v);
    if (route.ports == 0 && route.escape_port == kNoPort) {
        v.phase = Phase::Drop;  // no way on: counted, and taken out flit by flit
        return;
    }
    if (!v.several) v.out_port = static_cast<std::uint8_t>(std::countr_zero(route.ports));
}

/// A flit into its buffer.
void GeneralCycle::receive_flit(Step& c, const Calendar::FlitAtRouter& event) {
    const View r = state_.view(event.router);
    const unsigned in_port = state_.port_of[event.input], vc = event.input - in_port * state_.n_vcs;
    InputVc& v = r.inputs[event.input];
    state_.activate(event.router, r.router);
    c.flits[event.flit].arrived = c.now32();
    v.queue.push(c.flits, event.flit);
    r.ports[in_port].occupied |= bit(vc);
    r.router.busy |= bit(in_port);
    if (v.phase == Phase::Idle) head_at_front(c, r, in_port, vc, v, c.now32());
}

void GeneralCycle::receive(const EventList<Calendar::FlitAtRouter>& flits, Cycle now) {
    Step c = state_.step(now);
    for (const Calendar::FlitAtRouter& event : flits) receive_flit(c, event);
}

/// The flit that was sent last is damaged: drawn by its number since the last reset.
bool GeneralCycle::is_lost(std::uint32_t r, unsigned port) const {
    const std::size_t at = std::size_t{r} * state_.n_ports + port;
    const std::uint64_t number = state_.port(r, port).flits - (flits_before_.empty() ? 0 : flits_before_[at]);
    return loss_rng_.bernoulli(state_.rules.loss, (std::uint64_t{r} << 8) | port,
                               static_cast<std::uint32_t>(number));
}

/// A link that is slower than the routers is in use for a while.
void GeneralCycle::take_link(const View& r, unsigned port, Cycle now) {
    if (slow_links_.empty()) return;
    SlowLink& link = slow_links_[std::size_t{r.id} * state_.n_ports + port];
    if (link.flit_ps == 0) return;
    link.free_ps = next_free(link.free_ps, static_cast<double>(now) * state_.rules.period,
                             state_.rules.period, link.flit_ps);
}

/// A flit onto its link, or to its endpoint.
inline void GeneralCycle::transmit(Step& c, const View& r, const InputVc& v, Port& out, std::uint32_t id) {
    Flit& flit = c.flits[id];
    NocCounters& count = c.counters[flit.tag];
    const unsigned out_port = v.out_port, out_vc = v.out_vc;
    ++out.flits;
    count.vc_grants += flit.tail ? 1u : 0u;
    OutputVc& credits = r.outputs[out_port * state_.n_vcs + out_vc];
    if (--credits.credits == 0) out.credit &= ~bit(out_vc);
    take_link(r, out_port, c.now);
    if (out_port >= state_.link_ports) {
        ++count.local;
        state_.fabric.calendar.add(c.now + out.flit_delay, Calendar::FlitAtEndpoint{out.peer, out_vc, id});
        return;
    }
    ++count.links[out.kind];
    if (flit.tail) ++c.packets[flit.packet].packet.hops;
    if (state_.rules.loss > 0 && is_lost(r.id, out_port)) flit.damaged = true;
    state_.fabric.calendar.add(c.now + out.flit_delay,
                               Calendar::FlitAtRouter{out.peer, out.peer_vc + out_vc, id});
}

/// A flit has left its buffer: the credit goes back.
inline void GeneralCycle::release_slot(Step& c, const View& r, unsigned in_port, unsigned vc,
                                       const InputVc& v, std::uint32_t arrived) {
    Port& in = r.ports[in_port];
    r.router.buffer_cycles += c.now32() - arrived;
    if (v.queue.empty()) {
        in.occupied &= ~bit(vc);
        if (in.occupied == 0) r.router.busy &= ~bit(in_port);
    }
    state_.return_credit(in, in_port, vc, c.now);
}

/// Another copy of the flit at the front (multicast); the original waits for the other branches.
std::uint32_t GeneralCycle::copy_front(Step& c, const View& r, unsigned local, InputVc& v) {
    const std::uint32_t original = next_flit(c, r, local, v);
    const std::uint32_t id = state_.fabric.flits.allocate();
    c.flits = state_.fabric.flits.data();
    c.flits[id] = c.flits[original];
    ++state_.fabric.in_flight;
    WideRoute& wide = wide_route(r, local);
    wide.cursor = original;
    if (!c.flits[id].tail) return id;
    ++c.packets[c.flits[id].packet].copies;
    r.ports[v.out_port].held &= ~bit(v.out_vc);
    wide.route.ports &= ~bit(v.out_port);
    wide.cursor = kNone;
    return id;
}

void GeneralCycle::send(Step& c, const View& r, unsigned in_port, unsigned vc) {
    const unsigned local = in_port * state_.n_vcs + vc;
    InputVc& v = r.inputs[local];
    Port& out = r.ports[v.out_port];
    const std::uint64_t branches =
        v.several && wide_route(r, local).route.all ? wide_route(r, local).route.ports : 0;
    if ((branches & (branches - 1)) != 0) {
        const std::uint32_t id = copy_front(c, r, local, v);
        transmit(c, r, v, out, id);
        if (!c.flits[id].tail) return;
        v.phase = Phase::VcAlloc;
        v.ready = c.now32() + 1;
        return;
    }
    const std::uint32_t id = v.queue.pop(c.flits);
    const Flit flit = c.flits[id];
    release_slot(c, r, in_port, vc, v, flit.arrived);
    transmit(c, r, v, out, id);
    if (!flit.tail) return;
    out.held &= ~bit(v.out_vc);
    v.phase = Phase::Idle;
    if (!v.queue.empty()) head_at_front(c, r, in_port, vc, v, c.now32() + 1);
}

/// Takes the flit at the front of a buffer, whose packet cannot go on, out of the network.
void GeneralCycle::drop_front(Step& c, const View& r, unsigned in_port, unsigned vc) {
    InputVc& v = r.inputs[in_port * state_.n_vcs + vc];
    const std::uint32_t id = v.queue.pop(c.flits);
    const Flit flit = c.flits[id];
    state_.drop(flit, id);
    if (flit.tail) v.phase = Phase::Idle;
    release_slot(c, r, in_port, vc, v, flit.arrived);
    if (flit.tail && !v.queue.empty()) head_at_front(c, r, in_port, vc, v, c.now32() + 1);
}

}  // namespace loom::noc
