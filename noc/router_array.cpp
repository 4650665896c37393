// SPDX-License-Identifier: Apache-2.0
#include "noc/router_array.hpp"

#include <fmt/format.h>

#include <bit>

#include "noc/round_robin.hpp"

namespace loom::noc {
namespace {

/// From winning the switch to being in front of the link: traversal of switch and output.
constexpr Cycles kSwitchDelay = 2;
/// A credit is received and delayed by one cycle each.
constexpr Cycles kCreditDelay = 2;
constexpr std::uint32_t kSpeculative = 1u << 16;

}  // namespace

RouterArray::RouterArray(Fabric& fabric, const Mesh& mesh, const Pipeline& pipeline, const Routing& routing)
    : fabric_(fabric),
      mesh_(mesh),
      pipeline_(pipeline),
      route_(routing.route),
      n_ports_(mesh.max_ports()),
      n_vcs_(fabric.vcs),
      n_local_(n_ports_ * n_vcs_),
      n_words_((n_local_ + 63) / 64),
      all_vcs_(fabric.all_vcs()) {
    const std::size_t routers = mesh.n_routers();
    ports_.resize(routers * n_ports_);
    inputs_.resize(routers * n_local_);
    outputs_.resize(routers * n_local_);
    occupied_.resize(routers * n_words_);
    is_active_.resize(routers);
    is_waiting_.resize(routers);
    is_touched_.resize(routers);
    for (std::uint32_t r = 0; r < routers; ++r) {
        coords_.push_back(mesh.coord(r));
        for (unsigned d = 0; d < kFirstLocal; ++d) {
            const Neighbour& n = mesh.neighbour(r, d);
            ports_[std::size_t{r} * n_ports_ + d].peer = n.router;
            ports_[std::size_t{r} * n_ports_ + d].latency = n.latency;
        }
    }
    for (std::uint32_t e = 0; e < mesh.n_endpoints(); ++e) {
        Port& p = ports_[std::size_t{mesh.router_of(e)} * n_ports_ + mesh.port_of(e)];
        p.peer = e;
        p.latency = mesh.local_latency();
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
    }
    for (unsigned i = 0; i < n_local_; ++i) {
        inputs_[std::size_t{r} * n_local_ + i].va_pointer = 0;
        outputs_[std::size_t{r} * n_local_ + i] = {static_cast<std::uint16_t>(fabric_.buffer), 0};
    }
}

void RouterArray::reset() {
    for (const std::uint32_t r : touched_) {
        reset_router(r);
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

void RouterArray::head_at_front(std::uint32_t r, InputVc& v, Cycle now) {
    const PacketRecord& p = fabric_.packets[fabric_.flits[v.queue.front].packet];
    v.out_port = static_cast<std::uint8_t>(route_(coords_[r], p.router, p.port));
    v.state = State::VcAlloc;
    v.ready = now + pipeline_.route_cycles;
}

void RouterArray::receive(const Calendar::FlitAtRouter& event, Cycle now) {
    InputVc& v = inputs_[std::size_t{event.router} * n_local_ + event.vc];
    ++fabric_.counters[fabric_.flits[event.flit].tag].buffer_writes;
    v.queue.push(fabric_.flits, event.flit);
    if (v.state == State::Idle) head_at_front(event.router, v, now);
    occupied_[std::size_t{event.router} * n_words_ + event.vc / 64] |= std::uint64_t{1} << (event.vc % 64);
    activate(event.router);
}

void RouterArray::receive(const Calendar::CreditAtRouter& event) {
    ++outputs_[std::size_t{event.router} * n_local_ + event.port * n_vcs_ + event.vc].credits;
    ports_[std::size_t{event.router} * n_ports_ + event.port].credit |= std::uint64_t{1} << event.vc;
    if (has_flits(event.router)) activate(event.router);
}

void RouterArray::evaluate(Cycle now) {
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

/// False when nothing can happen until a flit or a credit arrives.
bool RouterArray::evaluate_router(std::uint32_t r, Cycle now) {
    Port* const ports = &ports_[std::size_t{r} * n_ports_];
    const InputVc* const inputs = &inputs_[std::size_t{r} * n_local_];
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
            const InputVc& v = inputs[local];
            const Port& out = ports[v.out_port];
            if (v.state == State::Active) {
                if ((out.credit >> v.out_vc & 1u) == 0) continue;
                bid(ports, in_port, vc_of_[local], v.out_port, false);
                work = true;
            } else if (v.ready > now) {
                work = true;
            } else if (const std::uint64_t free = ~out.held & all_vcs_; free != 0) {
                request_vc(r, local, v.out_port, free);
                if (pipeline_.speculative && (free & out.credit) != 0) {
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
    const std::uint32_t bit = 1u << out_port;
    Bid& best = input_bids_[out_port];
    if ((input_bid_mask_ & bit) != 0 && best.key < key) return;
    input_bid_mask_ |= bit;
    best = {key, static_cast<std::uint16_t>(out_port), static_cast<std::uint16_t>(vc)};
}

/// SA: the input port picks one output, and enters the choice of that output.
void RouterArray::choose_output(Port* ports, unsigned in_port) {
    std::uint32_t best_key = kNone;
    unsigned out = 0;
    for (std::uint32_t mask = input_bid_mask_; mask != 0; mask &= mask - 1) {
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
    const std::uint32_t bit = 1u << out;
    Bid& best = output_bids_[out];
    if ((output_bid_mask_ & bit) != 0 && best.key < key) return;
    output_bid_mask_ |= bit;
    best = {key, static_cast<std::uint16_t>(in_port), input_bids_[out].vc};
}

void RouterArray::commit_vcs(std::uint32_t r) {
    for (const std::uint16_t out : va_requests_) {
        const std::uint32_t local = va_winner_[out];
        va_winner_[out] = kNone;
        InputVc& v = inputs_[std::size_t{r} * n_local_ + local];
        v.state = State::Active;
        v.out_vc = vc_of_[out];
        v.va_pointer = static_cast<std::uint16_t>(rr_next(out, n_local_));
        outputs_[std::size_t{r} * n_local_ + out].va_pointer =
            static_cast<std::uint16_t>(rr_next(local, n_local_));
        ports_[std::size_t{r} * n_ports_ + v.out_port].held |= std::uint64_t{1} << v.out_vc;
        ++fabric_.counters[fabric_.flits[v.queue.front].tag].vc_grants;
    }
    va_requests_.clear();
}

void RouterArray::commit_switch(std::uint32_t r, Cycle now) {
    Port* const ports = &ports_[std::size_t{r} * n_ports_];
    for (std::uint32_t mask = output_bid_mask_; mask != 0; mask &= mask - 1) {
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

void RouterArray::send(std::uint32_t r, unsigned in_port, unsigned vc, Cycle now) {
    const unsigned local = in_port * n_vcs_ + vc;
    InputVc& v = inputs_[std::size_t{r} * n_local_ + local];
    Port& in = ports_[std::size_t{r} * n_ports_ + in_port];
    Port& out = ports_[std::size_t{r} * n_ports_ + v.out_port];
    const std::uint32_t id = v.queue.pop(fabric_.flits);
    const Flit& flit = fabric_.flits[id];

    NocCounters& count = fabric_.counters[flit.tag];
    ++count.buffer_reads;
    ++count.switch_grants;
    ++count.crossbar;
    ++out.flits;

    OutputVc& credits = outputs_[std::size_t{r} * n_local_ + v.out_port * n_vcs_ + v.out_vc];
    if (--credits.credits == 0) out.credit &= ~(std::uint64_t{1} << v.out_vc);
    if (v.out_port < kFirstLocal) {
        ++(v.out_port < kPlusY ? count.link_x : count.link_y);
        const unsigned target = opposite(v.out_port) * n_vcs_ + v.out_vc;
        fabric_.calendar.flits_at(now + kSwitchDelay + out.latency).router.push_back({out.peer, target, id});
    } else {
        // The local link's latency is that of the endpoint's link.
        ++count.local;
        fabric_.calendar.flits_at(now + kSwitchDelay).endpoint.push_back({out.peer, v.out_vc, id});
    }
    if (in_port < kFirstLocal) {
        fabric_.calendar.credits_at(now + in.latency + kCreditDelay)
            .router.push_back(
                {in.peer, static_cast<std::uint16_t>(opposite(in_port)), static_cast<std::uint16_t>(vc)});
    } else {
        fabric_.calendar.credits_at(now + 1 + kCreditDelay).endpoint.push_back({in.peer, vc});
    }

    if (flit.tail) {
        out.held &= ~(std::uint64_t{1} << v.out_vc);
        v.state = State::Idle;
        if (!v.queue.empty()) head_at_front(r, v, now + 1);
    }
    if (v.queue.empty()) {
        occupied_[std::size_t{r} * n_words_ + local / 64] &= ~(std::uint64_t{1} << (local % 64));
    }
}

std::vector<std::uint64_t> RouterArray::port_flits(std::uint32_t router) const {
    std::vector<std::uint64_t> flits;
    for (unsigned p = 0; p < mesh_.n_ports(router); ++p) {
        flits.push_back(ports_[std::size_t{router} * n_ports_ + p].flits);
    }
    return flits;
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
        lines.push_back(fmt::format(
            "router ({}, {}) port {} vc {}: {} flits; packet from endpoint {} to {} {} port {}", coords_[r].x,
            coords_[r].y, port_name(port_of_[local]), vc_of_[local], v.queue.size(fabric_.flits),
            index(p.source), p.destination.value, why, port_name(v.out_port)));
    }
}

}  // namespace loom::noc
