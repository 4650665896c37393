// SPDX-License-Identifier: Apache-2.0
// A cycle in plain routers: one port per route, default allocators, links of a flit per cycle. The same rules
// as in general_cycle.cpp, on masks: `open` outputs have somebody to give a virtual channel to, `going`
// inputs have what they need to send. Who waits for a credit or for a virtual channel is in neither and costs
// nothing.
#pragma once
#include <array>
#include <bit>
#include <cstdlib>
#include <vector>

#include "noc/vc/router_inline.hpp"

namespace loom::noc {
namespace plain {

inline unsigned lowest(std::uint64_t mask) {
    return static_cast<unsigned>(std::countr_zero(mask));
}
inline bool single(std::uint64_t mask) {
    return (mask & (mask - 1)) == 0;
}
/// rr_next by a look at a table, for what is known at compile time.
template <unsigned kN>
inline constexpr auto kAfter = [] {
    std::array<std::uint16_t, kN> next{};
    for (unsigned i = 0; i < kN; ++i) next[i] = static_cast<std::uint16_t>(rr_next(i, kN));
    return next;
}();

/// What is known of the routers at compile time.
struct AnyShape {
    static constexpr bool kKnown = false;
    static constexpr unsigned kPorts = 0, kLinks = 0, kVcs = 0;
};
/// A mesh of two dimensions with a core per router (and room for the host port), dimension order, P2, one
/// class of messages.
template <unsigned kN>
struct Mesh2d {
    static constexpr bool kKnown = true;
    static constexpr unsigned kPorts = 6, kLinks = 4, kVcs = kN;
};

}  // namespace plain

using plain::AnyShape;
using plain::kAfter;
using plain::lowest;
using plain::Mesh2d;
using plain::single;

/// What plain routers are like, for all of them.
struct PlainRules {
    std::uint32_t link_delay = 0;   ///< flit_delay of the links, which are all alike
    std::uint32_t local_delay = 0;  ///< flit_delay of the local ports
    bool xy = false;                ///< routing is dimension order on a whole 2-D mesh
};
/// A credit that a dropped flit gives back.
struct DroppedFlit {
    const RouterState::Port* port;
    unsigned in_port, vc;
};

/// Lives for a part of a cycle.
template <class Shape>
class PlainPass {
  public:
    PlainPass(RouterState& a, const PlainRules& rules, std::vector<DroppedFlit>& dropped, Cycle now)
        : a_(a),
          rules_(rules),
          dropped_(dropped),
          c_(a.step(now)),
          n_ports_(Shape::kKnown ? Shape::kPorts : a.n_ports),
          n_links_(Shape::kKnown ? Shape::kLinks : a.link_ports),
          n_vcs_(Shape::kKnown ? Shape::kVcs : a.n_vcs) {}

    void receive(const EventList<Calendar::FlitAtRouter>& flits);
    void receive(const EventList<Calendar::CreditAtRouter>& credits);
    void evaluate();

  private:
    using Phase = RouterState::Phase;
    using InputVc = RouterState::InputVc;
    using OutputVc = RouterState::OutputVc;
    using Port = RouterState::Port;
    using Router = RouterState::Router;
    using Step = RouterState::Step;
    using View = RouterState::View;

    static constexpr bool kOneVc = Shape::kVcs == 1;

    unsigned n_ports() const { return Shape::kKnown ? Shape::kPorts : n_ports_; }
    unsigned n_links() const { return Shape::kKnown ? Shape::kLinks : n_links_; }
    unsigned n_vcs() const { return Shape::kKnown ? Shape::kVcs : n_vcs_; }
    unsigned n_locals() const { return n_ports() * n_vcs(); }
    std::uint16_t after_port(unsigned i) const {
        if constexpr (Shape::kKnown) return kAfter<Shape::kPorts>[i];
        return static_cast<std::uint16_t>(rr_next(i, n_ports_));
    }
    std::uint16_t after_vc(unsigned i) const {
        if constexpr (Shape::kKnown) return static_cast<std::uint16_t>((i + 1) % Shape::kVcs);
        return static_cast<std::uint16_t>(rr_next(i, n_vcs_));
    }
    std::uint16_t after_local(unsigned i) const {
        if constexpr (Shape::kKnown) return kAfter<Shape::kPorts * Shape::kVcs>[i];
        return static_cast<std::uint16_t>(rr_next(i, a_.n_local));
    }
    unsigned port_of(unsigned local) const { return Shape::kKnown ? local / n_vcs() : a_.port_of[local]; }
    unsigned vc_of(unsigned local, unsigned port) const {
        return Shape::kKnown ? local % n_vcs() : local - port * n_vcs();
    }
    std::uint64_t all_vcs() const { return Shape::kKnown ? (std::uint64_t{1} << n_vcs()) - 1 : a_.all_vcs; }
    bool speculative() const { return Shape::kKnown || a_.rules.pipeline.speculative; }
    std::uint64_t free_vcs(const Port& out, const InputVc& v) const {
        return Shape::kKnown ? ~out.held & all_vcs() : a_.free_vcs(out, v);
    }
    View view(std::uint32_t r) const {
        using S = RouterState;
        std::byte* const b = a_.block(r);
        return {r, *S::at<Router>(b, 0), S::at<Port>(b, S::ports_at()),
                S::at<InputVc>(b, S::inputs_at(n_ports(), n_locals())),
                S::at<OutputVc>(b, S::outputs_at(n_ports()))};
    }

    void find_way(const View& r, unsigned local, InputVc& v, std::uint32_t at);
    static unsigned xy_port(const Router& r, const PacketRecord& p) {
        const std::uint16_t x = p.at.x, y = p.at.y;
        return x != r.x ? (r.x < x ? 0u : 1u) : y != r.y ? (r.y < y ? 2u : 3u) : p.port;
    }
    void ask(const View& r, unsigned local, unsigned out_port);
    unsigned pick_vc(const InputVc& v, std::uint64_t free) const;
    static void count_hops(PacketRecord& p);
    bool depart(const View& r, unsigned local, InputVc& v, Port& out);
    bool depart_held(const View& r, unsigned local, InputVc& v, Port& out);
    bool pass_alone(const View& r);
    std::uint64_t evaluate_one_vc(const View& r);
    std::uint64_t evaluate_vcs(const View& r);
    void grant(const View& r, unsigned local, InputVc& v, unsigned out_port, unsigned out_vc);
    std::uint64_t share_out(const View& r, unsigned out_port);
    bool conflict(const View& r, std::uint64_t bids) const;
    std::uint64_t choose_winners(const View& r, std::uint64_t going, std::uint64_t low) const;
    unsigned choose_bid(const View& r, unsigned in_port, std::uint64_t bids) const;
    void move_pointers(const View& r, unsigned local, unsigned out_port) const;
    bool serve(const View& r, unsigned local);
    std::uint64_t attend(const View& r);

    RouterState& a_;
    const PlainRules& rules_;
    std::vector<DroppedFlit>& dropped_;  ///< in this cycle
    const Step c_;
    const unsigned n_ports_, n_links_, n_vcs_;
    // where the events of this cycle go
    Calendar::FlitAtRouter* flits_out_ = nullptr;
    Calendar::CreditAtRouter* credits_out_ = nullptr;
    Calendar::FlitAtEndpoint* ejected_ = nullptr;
    Calendar::CreditAtEndpoint* injection_credits_ = nullptr;
};

}  // namespace loom::noc
