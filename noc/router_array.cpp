// SPDX-License-Identifier: Apache-2.0
#include "noc/router_array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "noc/multicast/sets.hpp"
#include "noc/round_robin.hpp"

namespace loom::noc {
namespace {

/// A credit is received and delayed by one cycle each.
constexpr Cycles kCreditDelay = 2;
constexpr std::uint32_t kSpeculative = 1u << 16;

}  // namespace

RouterArray::RouterArray(Fabric& fabric, const Topology& topology, const Routing& routing,
                         const RouterRules& rules)
    : fabric_(fabric),
      topology_(topology),
      routing_(routing),
      rules_(rules),
      link_ports_(topology.link_ports()),
      n_ports_(topology.max_ports()),
      n_vcs_(fabric.vcs),
      n_local_(n_ports_ * n_vcs_),
      n_words_((n_local_ + 63) / 64),
      all_vcs_(fabric.all_vcs()),
      // traversal of switch and output register; an asynchronous router's hop is all in its link
      switch_delay_(rules.spec.kind == "async" ? 0 : static_cast<unsigned>(rules.spec.switch_cycles) + 1),
      generic_(rules.spec.vc_allocator != "separable_input_first" ||
               rules.spec.switch_allocator != "separable_input_first" || rules.spec.arbiter != "round_robin"),
      loss_rng_(rules.loss_seed, 77) {
    const std::size_t routers = topology.n_routers();
    ports_.resize(routers * n_ports_);
    inputs_.resize(routers * n_local_);
    outputs_.resize(routers * n_local_);
    occupied_.resize(routers * n_words_);
    buffer_cycles_.resize(routers);
    is_active_.resize(routers);
    is_waiting_.resize(routers);
    is_touched_.resize(routers);
    if (routing.several || fabric.sets != nullptr) routes_.resize(routers * n_local_);
    if (generic_) {
        allocators_.resize(routers);
        find_arbiter(rules.spec.arbiter);
    }
    for (std::uint32_t r = 0; r < routers; ++r) {
        for (unsigned d = 0; d < link_ports_; ++d) {
            const Channel& c = topology.channel(r, d);
            Port& p = ports_[std::size_t{r} * n_ports_ + d];
            p.peer = c.peer;
            p.latency = c.latency;
            p.peer_port = c.peer_port;
            p.kind = c.kind;
            p.flit_ps = static_cast<std::uint32_t>(c.flit_ps);
            slow_links_ |= c.flit_ps != 0;
        }
    }
    const bool async = rules.spec.kind == "async";
    for (std::uint32_t e = 0; e < topology.n_endpoints(); ++e) {
        Port& p = ports_[std::size_t{topology.router_of(e)} * n_ports_ + topology.port_of(e)];
        p.peer = e;
        p.latency = topology.local_latency;
        if (!async) continue;
        double ps = rules.spec.async.handshake_local;
        if (ps <= 0) ps = rules.spec.async.handshake_x;
        if (ps > rules.period) p.flit_ps = static_cast<std::uint32_t>(ps);
        slow_links_ |= p.flit_ps != 0;
    }
    for (unsigned local = 0; local < n_local_; ++local) {
        port_of_.push_back(static_cast<std::uint8_t>(local / n_vcs_));
        vc_of_.push_back(static_cast<std::uint8_t>(local % n_vcs_));
    }
    va_winner_.assign(n_local_, kNone);
    va_requests_.reserve(n_local_);
    input_bids_.resize(n_ports_);
    output_bids_.resize(n_ports_);
    for (std::uint32_t r = 0; r < routers; ++r) reset_router(r);
}

void RouterArray::reset_router(std::uint32_t r) {
    for (unsigned i = 0; i < n_ports_; ++i) {
        Port& p = ports_[std::size_t{r} * n_ports_ + i];
        p.held = 0;
        p.credit = all_vcs_;
        p.sa_input_pointer = p.sa_output_pointer = p.vc_offset = 0;
        p.free_ps = 0;
    }
    for (unsigned i = 0; i < n_local_; ++i) {
        inputs_[std::size_t{r} * n_local_ + i].va_pointer = 0;
        outputs_[std::size_t{r} * n_local_ + i] = {static_cast<std::uint16_t>(fabric_.buffer), 0};
    }
}

void RouterArray::reset() {
    for (const std::uint32_t r : touched_) {
        reset_router(r);
        if (generic_ && allocators_[r].vc != nullptr) {
            allocators_[r].vc->reset();
            allocators_[r].output->reset();
        }
        is_touched_[r] = 0;
    }
    touched_.clear();
}

void RouterArray::activate(std::uint32_t r) {
    if (is_active_[r] != 0) return;
    is_active_[r] = 1;
    active_.push_back(r);
    if (is_waiting_[r] != 0) {
        is_waiting_[r] = 0;
        --waiting_;
    }
    if (is_touched_[r] != 0) return;
    is_touched_[r] = 1;
    touched_.push_back(r);
}

bool RouterArray::has_flits(std::uint32_t r) const {
    for (unsigned w = 0; w < n_words_; ++w) {
        if (occupied_[std::size_t{r} * n_words_ + w] != 0) return true;
    }
    return false;
}

/// A head has come to the front: where does it go?
void RouterArray::head_at_front(std::uint32_t r, unsigned local, InputVc& v, Cycle now) {
    PacketRecord& p = fabric_.packets[fabric_.flits[v.queue.front].packet];
    v.state = State::VcAlloc;
    v.several = false;
    v.message_class = p.packet.message_class;
    v.ready = now + rules_.pipeline.route_cycles;
    const unsigned in_port = port_of_[local];
    Route route;
    if (p.packet.destination.kind == Destination::Kind::Set) {
        WideRoute& wide = routes_[std::size_t{r} * n_local_ + local];
        wide.set = p.packet.destination.value;
        if (fabric_.sets->style() == MulticastStyle::Table) {
            ++fabric_.counters[p.packet.tag].table_lookups;
        } else {
            wide.high = fabric_.sets->high_ports(wide.set, r);
        }
        route = fabric_.sets->route(wide.set, r, in_port);
        wide.route = route;
        wide.cursor = kNone;
        v.several = true;
    } else {
        const unsigned vc = vc_of_[local] - v.message_class * fabric_.vcs_per_class();
        route = routing_({r, in_port, vc, p});
        v.vc_class = route.vcs;
        if ((route.ports & (route.ports - 1)) != 0 || route.escape_port != kNoPort) {
            routes_[std::size_t{r} * n_local_ + local].route = route;
            v.several = true;
        }
    }
    if (route.ports == 0 && route.escape_port == kNoPort) {
        v.state = State::Drop;  // no way on: counted, and taken out flit by flit
        return;
    }
    if (!v.several) v.out_port = static_cast<std::uint8_t>(std::countr_zero(route.ports));
}

void RouterArray::receive(const Calendar::FlitAtRouter& event, Cycle now) {
    InputVc& v = inputs_[std::size_t{event.router} * n_local_ + event.vc];
    Flit& flit = fabric_.flits[event.flit];
    ++fabric_.counters[flit.tag].buffer_writes;
    flit.arrived = static_cast<std::uint32_t>(now);
    v.queue.push(fabric_.flits, event.flit);
    if (v.state == State::Idle) head_at_front(event.router, event.vc, v, now);
    occupied_[std::size_t{event.router} * n_words_ + event.vc / 64] |= std::uint64_t{1} << (event.vc % 64);
    activate(event.router);
}

void RouterArray::receive(const Calendar::CreditAtRouter& event) {
    ++outputs_[std::size_t{event.router} * n_local_ + event.port * n_vcs_ + event.vc].credits;
    ports_[std::size_t{event.router} * n_ports_ + event.port].credit |= std::uint64_t{1} << event.vc;
    if (has_flits(event.router)) activate(event.router);
}

__attribute__((flatten)) void RouterArray::receive(const std::vector<Calendar::FlitAtRouter>& flits,
                                                   Cycle now) {
    for (const auto& f : flits) receive(f, now);
}

__attribute__((flatten)) void RouterArray::receive(const std::vector<Calendar::CreditAtRouter>& credits) {
    for (const auto& c : credits) receive(c);
}

__attribute__((flatten)) void RouterArray::evaluate(Cycle now) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < active_.size(); ++i) {
        const std::uint32_t r = active_[i];
        if (evaluate_router(r, now)) {
            active_[kept++] = r;
        } else {
            is_active_[r] = 0;
            if (has_flits(r)) {
                is_waiting_[r] = 1;
                ++waiting_;
            }
        }
    }
    active_.resize(kept);
}

/// Of several candidates: the adaptive one with most credits, the escape channel when none of them is
/// free; of a multicast's branches the first that is free. False: nothing is free.
bool RouterArray::choose_port(std::uint32_t r, std::size_t input, InputVc& v, std::uint64_t& free) const {
    const Port* const ports = &ports_[std::size_t{r} * n_ports_];
    const WideRoute& wide = routes_[input];
    unsigned best_credits = 0;
    bool found = false;
    for (std::uint64_t mask = wide.route.ports; mask != 0; mask &= mask - 1) {
        const auto port = static_cast<unsigned>(std::countr_zero(mask));
        VcClass vcs = wide.route.vcs;
        if (wide.route.all) {
            vcs = port >= link_ports_ || !routing_.uses_halves ? kAnyVc
                  : (wide.high >> port & 1u) != 0              ? kHighHalf
                                                               : kLowHalf;
        }
        const std::uint64_t candidates = ~ports[port].held & fabric_.masks[v.message_class][vcs];
        if (candidates == 0) continue;
        unsigned credits = 1;
        for (std::uint64_t c = candidates & ports[port].credit; c != 0; c &= c - 1) {
            credits += outputs_[std::size_t{r} * n_local_ + port * n_vcs_ +
                                static_cast<unsigned>(std::countr_zero(c))]
                           .credits;
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
    free = ~ports[escape].held & fabric_.masks[v.message_class][kEscapeVc];
    if (free == 0) return false;
    v.out_port = static_cast<std::uint8_t>(escape);
    v.vc_class = kEscapeVc;
    return true;
}

/// The flit that an input VC would send next, or kNone while it has not arrived.
std::uint32_t RouterArray::next_flit(std::size_t input, const InputVc& v) const {
    if (!v.several) return v.queue.front;
    const WideRoute& wide = routes_[input];
    if (!wide.route.all || wide.cursor == kNone) return v.queue.front;
    return fabric_.flits[wide.cursor].next;
}

/// False when nothing can happen until a flit or a credit arrives.
bool RouterArray::evaluate_router(std::uint32_t r, Cycle now) {
    if (generic_) return evaluate_generic(r, now);
    Port* const ports = &ports_[std::size_t{r} * n_ports_];
    InputVc* const inputs = &inputs_[std::size_t{r} * n_local_];
    bool work = false;
    unsigned in_port = 0;
    output_bid_mask_ = 0;
    for (unsigned w = 0; w < n_words_; ++w) {
        std::uint64_t bits = occupied_[std::size_t{r} * n_words_ + w];
        for (; bits != 0; bits &= bits - 1) {
            const unsigned local = w * 64 + static_cast<unsigned>(std::countr_zero(bits));
            if (port_of_[local] != in_port) {
                if (input_bid_mask_ != 0) choose_output(ports, in_port);
                in_port = port_of_[local];
            }
            InputVc& v = inputs[local];
            if (v.state == State::Active) {
                const Port& out = ports[v.out_port];
                if ((out.credit >> v.out_vc & 1u) == 0) continue;
                if (v.several && next_flit(std::size_t{r} * n_local_ + local, v) == kNone) continue;
                work = true;
                if (slow_links_ && link_busy(out, now)) continue;
                bid(ports, in_port, vc_of_[local], v.out_port, false);
            } else if (v.state == State::Drop) {
                drop_front(r, local, now);
                work = true;
            } else if (v.ready > now) {
                work = true;
            } else {
                std::uint64_t free = 0;
                if (v.several) {
                    if (!choose_port(r, std::size_t{r} * n_local_ + local, v, free)) continue;
                } else {
                    free = free_vcs(ports[v.out_port], v);
                    if (free == 0) continue;
                }
                const Port& out = ports[v.out_port];
                request_vc(r, local, v.out_port, free);
                if (rules_.pipeline.speculative && (free & out.credit) != 0 &&
                    !(slow_links_ && link_busy(out, now))) {
                    bid(ports, in_port, vc_of_[local], v.out_port, true);
                }
                work = true;
            }
        }
    }
    if (input_bid_mask_ != 0) choose_output(ports, in_port);
    if (!va_requests_.empty()) commit_vcs(r);
    if (output_bid_mask_ != 0) commit_switch(r, now);
    return work && has_flits(r);
}

/// The same with any allocators: requests are collected, matched and committed.
bool RouterArray::evaluate_generic(std::uint32_t r, Cycle now) {
    Port* const ports = &ports_[std::size_t{r} * n_ports_];
    Allocators& allocators = allocators_[r];
    if (allocators.vc == nullptr) {
        AllocatorShape shape{n_local_, n_local_, find_arbiter(rules_.spec.arbiter),
                             static_cast<unsigned>(rules_.spec.iterations)};
        allocators.vc = make_allocator("vc_allocator", rules_.spec.vc_allocator, shape);
        shape.inputs = shape.outputs = n_ports_;
        allocators.output = make_allocator("switch_allocator", rules_.spec.switch_allocator, shape);
    }
    bool work = false;
    vc_requests_.clear();
    output_requests_.clear();
    output_request_vc_.clear();
    const auto want = [&](unsigned local, const InputVc& v, bool low, std::uint32_t age) {
        // of the VCs of an input port that want the same output, one is kept
        const unsigned in = port_of_[local], vc = vc_of_[local];
        for (std::size_t i = 0; i < output_requests_.size(); ++i) {
            AllocationRequest& q = output_requests_[i];
            if (q.in != in || q.out != v.out_port) continue;
            const bool better = q.low != low ? q.low
                                : rules_.spec.arbiter == "age" && q.age != age
                                    ? age > q.age
                                    : rr_distance(vc, ports[in].vc_offset, n_vcs_) <
                                          rr_distance(output_request_vc_[i], ports[in].vc_offset, n_vcs_);
            if (better) {
                q.low = low;
                q.age = age;
                output_request_vc_[i] = vc;
            }
            return;
        }
        output_requests_.push_back({static_cast<std::uint16_t>(in), v.out_port, low, age});
        output_request_vc_.push_back(vc);
    };
    for (unsigned w = 0; w < n_words_; ++w) {
        for (std::uint64_t bits = occupied_[std::size_t{r} * n_words_ + w]; bits != 0; bits &= bits - 1) {
            const unsigned local = w * 64 + static_cast<unsigned>(std::countr_zero(bits));
            const std::size_t input = std::size_t{r} * n_local_ + local;
            InputVc& v = inputs_[input];
            const std::uint32_t entered = fabric_.packets[fabric_.flits[v.queue.front].packet].packet.entered;
            const std::uint32_t age = static_cast<std::uint32_t>(now) - entered;
            if (v.state == State::Active) {
                const Port& out = ports[v.out_port];
                if ((out.credit >> v.out_vc & 1u) == 0 || next_flit(input, v) == kNone) continue;
                work = true;
                if (!link_busy(out, now)) want(local, v, false, age);
            } else if (v.state == State::Drop) {
                drop_front(r, local, now);
                work = true;
            } else if (v.ready > now) {
                work = true;
            } else {
                std::uint64_t free = free_vcs(ports[v.out_port], v);
                if (v.several && !choose_port(r, input, v, free)) continue;
                if (free == 0) continue;
                work = true;
                for (std::uint64_t f = free; f != 0; f &= f - 1) {
                    const unsigned out = v.out_port * n_vcs_ + static_cast<unsigned>(std::countr_zero(f));
                    vc_requests_.push_back(
                        {static_cast<std::uint16_t>(local), static_cast<std::uint16_t>(out), false, age});
                }
                const Port& out = ports[v.out_port];
                if (rules_.pipeline.speculative && (free & out.credit) != 0 && !link_busy(out, now))
                    want(local, v, true, age);
            }
        }
    }
    // the switch is matched before the VCs of this cycle are known, and committed after them
    std::vector<AllocationGrant> vcs;
    if (!vc_requests_.empty()) allocators.vc->allocate(vc_requests_, vcs);
    grants_.clear();
    if (!output_requests_.empty()) allocators.output->allocate(output_requests_, grants_);
    for (const auto& g : vcs) give_vc(r, g.in, g.out);
    for (const auto& g : grants_) {
        const auto q = std::find_if(output_requests_.begin(), output_requests_.end(),
                                    [&](const auto& x) { return x.in == g.in && x.out == g.out; });
        const unsigned vc = output_request_vc_[static_cast<std::size_t>(q - output_requests_.begin())];
        ports[g.in].vc_offset = static_cast<std::uint16_t>(rr_next(vc, n_vcs_));
        const InputVc& v = inputs_[std::size_t{r} * n_local_ + g.in * n_vcs_ + vc];
        if (v.state != State::Active || (ports[g.out].credit >> v.out_vc & 1u) == 0) continue;  // in vain
        send(r, g.in, vc, now);
    }
    return work && has_flits(r);
}

/// VA: the input VC's arbiter picks one of the free output VCs, whose arbiter then picks one input.
void RouterArray::request_vc(std::uint32_t r, unsigned local, unsigned out_port, std::uint64_t free) {
    const unsigned base = out_port * n_vcs_;
    const unsigned pointer = inputs_[std::size_t{r} * n_local_ + local].va_pointer;
    const bool inside = pointer >= base && pointer < base + n_vcs_;
    const unsigned out = base + rr_pick(free, inside ? pointer - base : 0);
    std::uint32_t& winner = va_winner_[out];
    if (winner == kNone) {
        va_requests_.push_back(static_cast<std::uint16_t>(out));
        winner = local;
        return;
    }
    const unsigned first = outputs_[std::size_t{r} * n_local_ + out].va_pointer;
    if (rr_distance(local, first, n_local_) < rr_distance(winner, first, n_local_)) winner = local;
}

/// SA: of the VCs of an input port that want the same output, one is kept.
void RouterArray::bid(const Port* ports, unsigned in_port, unsigned vc, unsigned out_port, bool speculative) {
    const std::uint32_t key =
        (speculative ? kSpeculative : 0) + rr_distance(vc, ports[in_port].vc_offset, n_vcs_);
    const std::uint64_t bit = std::uint64_t{1} << out_port;
    Bid& best = input_bids_[out_port];
    if ((input_bid_mask_ & bit) != 0 && best.key < key) return;
    input_bid_mask_ |= bit;
    best = {key, static_cast<std::uint16_t>(out_port), static_cast<std::uint16_t>(vc)};
}

/// SA: the input port picks one output, and enters the choice of that output.
void RouterArray::choose_output(Port* ports, unsigned in_port) {
    std::uint32_t best_key = kNone;
    unsigned out = 0;
    for (std::uint64_t mask = input_bid_mask_; mask != 0; mask &= mask - 1) {
        const auto o = static_cast<unsigned>(std::countr_zero(mask));
        const std::uint32_t key =
            (input_bids_[o].key & kSpeculative) + rr_distance(o, ports[in_port].sa_input_pointer, n_ports_);
        if (key < best_key) {
            best_key = key;
            out = o;
        }
    }
    input_bid_mask_ = 0;
    const std::uint32_t key =
        (input_bids_[out].key & kSpeculative) + rr_distance(in_port, ports[out].sa_output_pointer, n_ports_);
    const std::uint64_t bit = std::uint64_t{1} << out;
    Bid& best = output_bids_[out];
    if ((output_bid_mask_ & bit) != 0 && best.key < key) return;
    output_bid_mask_ |= bit;
    best = {key, static_cast<std::uint16_t>(in_port), input_bids_[out].vc};
}

void RouterArray::give_vc(std::uint32_t r, unsigned local, unsigned out) {
    InputVc& v = inputs_[std::size_t{r} * n_local_ + local];
    v.state = State::Active;
    v.out_vc = vc_of_[out];
    ports_[std::size_t{r} * n_ports_ + v.out_port].held |= std::uint64_t{1} << v.out_vc;
    ++fabric_.counters[fabric_.flits[v.queue.front].tag].vc_grants;
}

void RouterArray::commit_vcs(std::uint32_t r) {
    for (const std::uint16_t out : va_requests_) {
        const std::uint32_t local = va_winner_[out];
        va_winner_[out] = kNone;
        give_vc(r, local, out);
        inputs_[std::size_t{r} * n_local_ + local].va_pointer =
            static_cast<std::uint16_t>(rr_next(out, n_local_));
        outputs_[std::size_t{r} * n_local_ + out].va_pointer =
            static_cast<std::uint16_t>(rr_next(local, n_local_));
    }
    va_requests_.clear();
}

void RouterArray::commit_switch(std::uint32_t r, Cycle now) {
    Port* const ports = &ports_[std::size_t{r} * n_ports_];
    for (std::uint64_t mask = output_bid_mask_; mask != 0; mask &= mask - 1) {
        const auto out = static_cast<unsigned>(std::countr_zero(mask));
        const Bid grant = output_bids_[out];
        Port& in = ports[grant.port];
        in.sa_input_pointer = static_cast<std::uint16_t>(rr_next(out, n_ports_));
        in.vc_offset = static_cast<std::uint16_t>(rr_next(grant.vc, n_vcs_));
        ports[out].sa_output_pointer = static_cast<std::uint16_t>(rr_next(grant.port, n_ports_));
        if (grant.key >= kSpeculative) {
            // Void unless VA of this cycle gave a VC with a credit; the slot is lost.
            const InputVc& v = inputs_[std::size_t{r} * n_local_ + grant.port * n_vcs_ + grant.vc];
            if (v.state != State::Active || (ports[out].credit >> v.out_vc & 1u) == 0) continue;
        }
        send(r, grant.port, grant.vc, now);
    }
}

/// A flit onto its link, or to its endpoint.
void RouterArray::transmit(std::uint32_t r, const InputVc& v, Port& out, std::uint32_t id, Cycle now) {
    Flit& flit = fabric_.flits[id];
    NocCounters& count = fabric_.counters[flit.tag];
    ++count.buffer_reads;
    ++count.switch_grants;
    ++count.crossbar;
    ++out.flits;
    OutputVc& credits = outputs_[std::size_t{r} * n_local_ + v.out_port * n_vcs_ + v.out_vc];
    if (--credits.credits == 0) out.credit &= ~(std::uint64_t{1} << v.out_vc);
    if (out.flit_ps != 0) {
        const auto at = static_cast<std::uint64_t>(static_cast<double>(now) * rules_.period);
        out.free_ps = std::max(out.free_ps, at) + out.flit_ps;
    }
    if (v.out_port < link_ports_) {
        ++count.links[out.kind];
        if (flit.tail) ++fabric_.packets[flit.packet].packet.hops;
        if (rules_.loss > 0 && loss_rng_.bernoulli(rules_.loss, (std::uint64_t{r} << 8) | v.out_port,
                                                   static_cast<std::uint32_t>(out.flits))) {
            flit.damaged = true;
        }
        const unsigned target = out.peer_port * n_vcs_ + v.out_vc;
        fabric_.calendar.flits_at(now + switch_delay_ + out.latency).router.push_back({out.peer, target, id});
    } else {
        // The local link's latency is that of the endpoint's link.
        ++count.local;
        fabric_.calendar.flits_at(now + std::max(switch_delay_, 1u))
            .endpoint.push_back({out.peer, v.out_vc, id});
    }
}

/// A flit has left its buffer: the credit goes back.
void RouterArray::release_slot(std::uint32_t r, unsigned local, Cycle now, const Flit& flit) {
    const Port& in = ports_[std::size_t{r} * n_ports_ + port_of_[local]];
    buffer_cycles_[r] += static_cast<std::uint32_t>(now) - flit.arrived;
    if (port_of_[local] < link_ports_) {
        fabric_.calendar.credits_at(now + in.latency + kCreditDelay)
            .router.push_back({in.peer, in.peer_port, vc_of_[local]});
    } else {
        fabric_.calendar.credits_at(now + 1 + kCreditDelay).endpoint.push_back({in.peer, vc_of_[local]});
    }
    if (inputs_[std::size_t{r} * n_local_ + local].queue.empty()) {
        occupied_[std::size_t{r} * n_words_ + local / 64] &= ~(std::uint64_t{1} << (local % 64));
    }
}

void RouterArray::send(std::uint32_t r, unsigned in_port, unsigned vc, Cycle now) {
    const unsigned local = in_port * n_vcs_ + vc;
    const std::size_t input = std::size_t{r} * n_local_ + local;
    InputVc& v = inputs_[input];
    Port& out = ports_[std::size_t{r} * n_ports_ + v.out_port];
    WideRoute* const wide = v.several && routes_[input].route.all ? &routes_[input] : nullptr;
    const bool last_branch = wide == nullptr || (wide->route.ports & (wide->route.ports - 1)) == 0;
    std::uint32_t id = 0;
    bool tail = false;
    if (last_branch) {
        id = v.queue.pop(fabric_.flits);
        tail = fabric_.flits[id].tail;
        release_slot(r, local, now, fabric_.flits[id]);
    } else {
        // a copy; the original waits for the other branches
        const std::uint32_t original = next_flit(input, v);
        id = fabric_.flits.allocate();
        fabric_.flits[id] = fabric_.flits[original];
        tail = fabric_.flits[id].tail;
        ++fabric_.in_flight;
        wide->cursor = original;
        if (tail) ++fabric_.packets[fabric_.flits[id].packet].copies;
    }
    transmit(r, v, out, id, now);
    if (!tail) return;
    out.held &= ~(std::uint64_t{1} << v.out_vc);
    if (!last_branch) {
        wide->route.ports &= ~(std::uint64_t{1} << v.out_port);
        wide->cursor = kNone;
        v.state = State::VcAlloc;
        v.ready = now + 1;
        return;
    }
    v.state = State::Idle;
    if (!v.queue.empty()) head_at_front(r, local, v, now + 1);
}

/// Takes a flit of a packet that cannot go on out of the network.
void RouterArray::drop_front(std::uint32_t r, unsigned local, Cycle now) {
    InputVc& v = inputs_[std::size_t{r} * n_local_ + local];
    const std::uint32_t id = v.queue.pop(fabric_.flits);
    const Flit flit = fabric_.flits[id];
    fabric_.flits.release(id);
    --fabric_.in_flight;
    if (flit.tail) {
        ++fabric_.counters[flit.tag].packets_dropped;
        fabric_.release_copy(flit.packet);
        v.state = State::Idle;
    }
    release_slot(r, local, now, flit);
    if (flit.tail && !v.queue.empty()) head_at_front(r, local, v, now + 1);
}

std::vector<PortUse> RouterArray::port_use(std::uint32_t router) const {
    std::vector<PortUse> use;
    for (unsigned p = 0; p < topology_.n_ports(router); ++p) {
        const Port& port = ports_[std::size_t{router} * n_ports_ + p];
        if (port.peer == kNone) continue;
        use.push_back({topology_.port_name(p), p < link_ports_ ? port.peer : kNone, port.flits});
    }
    return use;
}

void RouterArray::describe(std::vector<std::string>& lines, std::size_t limit) const {
    for (std::size_t i = 0; i < inputs_.size() && lines.size() < limit; ++i) {
        const InputVc& v = inputs_[i];
        if (v.queue.empty()) continue;
        const auto r = static_cast<std::uint32_t>(i / n_local_);
        const Port& out = ports_[std::size_t{r} * n_ports_ + v.out_port];
        std::string why = "waits for a virtual channel of";
        if (v.state == State::Active) {
            why = (out.credit >> v.out_vc & 1u) != 0
                      ? fmt::format("may go on over virtual channel {} of", v.out_vc)
                      : fmt::format("waits for a credit of virtual channel {} of", v.out_vc);
        }
        const Packet& p = fabric_.packets[fabric_.flits[v.queue.front].packet].packet;
        const unsigned local = static_cast<unsigned>(i % n_local_);
        lines.push_back(
            fmt::format("router {} port {} vc {}: {} flits; packet from endpoint {} to {}{} {} port {}",
                        topology_.router_name(r), topology_.port_name(port_of_[local]), vc_of_[local],
                        v.queue.size(fabric_.flits), index(p.source),
                        p.destination.kind == Destination::Kind::Set ? "set " : "", p.destination.value, why,
                        topology_.port_name(v.out_port)));
    }
}

}  // namespace loom::noc
