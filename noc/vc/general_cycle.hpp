// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <vector>

#include "base/rng.hpp"
#include "noc/allocation/allocators.hpp"
#include "noc/vc/router_cycle.hpp"
#include "noc/vc/router_inline.hpp"

namespace loom::noc {

/// A cycle in routers of any kind: routes with several ports, slow and lossy links. Allocation is that of
/// separable arbiters, unless a class that derives from this one has its own.
class GeneralCycle : public RouterCycle {
  public:
    explicit GeneralCycle(RouterState& state);
    void receive(const EventList<Calendar::FlitAtRouter>& flits, Cycle now) override;
    void receive(const EventList<Calendar::CreditAtRouter>& credits) override;
    void evaluate(Cycle now) override;
    void reset() override;
    std::uint64_t candidates(std::uint32_t router, unsigned input) const override;

  protected:
    using Phase = RouterState::Phase;
    using InputVc = RouterState::InputVc;
    using OutputVc = RouterState::OutputVc;
    using Port = RouterState::Port;
    using Step = RouterState::Step;
    using View = RouterState::View;

    /// False when nothing can happen until a flit or a credit arrives.
    virtual bool evaluate_router(Step& c, const View& r);

    /// What an input VC may ask for in this cycle: false when it must wait for something.
    bool choose_port(const View& r, unsigned local, InputVc& v, std::uint64_t& free) const;
    std::uint32_t next_flit(const Step& c, const View& r, unsigned local, const InputVc& v) const;
    bool link_busy(const View& r, unsigned port, Cycle now) const {
        if (slow_links_.empty()) return false;
        const SlowLink& link = slow_links_[std::size_t{r.id} * state_.n_ports + port];
        return link.flit_ps != 0 &&
               static_cast<double>(link.free_ps) > static_cast<double>(now) * state_.rules.period;
    }
    void give_vc(const View& r, InputVc& v, unsigned out_vc) const {
        v.phase = Phase::Active;
        v.out_vc = static_cast<std::uint8_t>(out_vc);
        r.ports[v.out_port].held |= bit(out_vc);
    }
    void send(Step& c, const View& r, unsigned in_port, unsigned vc);
    void drop_front(Step& c, const View& r, unsigned in_port, unsigned vc);

    RouterState& state_;

  private:
    /// A link on which a flit takes longer than a cycle.
    struct SlowLink {
        std::uint64_t free_ps = 0;  ///< when it is free again
        std::uint64_t flit_ps = 0;  ///< time of a flit; 0: a cycle
    };
    /// A route with several ports (adaptive: any of; multicast: all of).
    struct WideRoute {
        Route route;
        std::uint64_t high = 0;        ///< multicast on tori: ports that take the upper half
        std::uint32_t cursor = kNone;  ///< multicast: last flit sent over the current branch
        std::uint32_t set = kNone;
    };
    /// A bid for the switch: lower keys win.
    struct Bid {
        std::uint32_t key = 0;
        std::uint16_t port = 0;
        std::uint16_t vc = 0;
    };

    void set_slow_link(std::uint32_t r, unsigned port, double ps);
    WideRoute& wide_route(const View& r, unsigned local) {
        return routes_[std::size_t{r.id} * state_.n_local + local];
    }
    const WideRoute& wide_route(const View& r, unsigned local) const {
        return routes_[std::size_t{r.id} * state_.n_local + local];
    }
    void receive_flit(Step& c, const Calendar::FlitAtRouter& event);
    void receive_credit(const Calendar::CreditAtRouter& event);
    void head_at_front(Step& c, const View& r, unsigned in_port, unsigned vc, InputVc& v, std::uint32_t at);
    Route find_route(const Step& c, const View& r, unsigned in_port, unsigned vc, InputVc& v);
    bool may_bid(Step& c, const View& r, unsigned in_port, unsigned vc, InputVc& v, bool& work,
                 std::uint32_t& key);
    void request_vc(const View& r, unsigned local, const InputVc& v, std::uint64_t free);
    unsigned choose_output(const Port& in, std::uint64_t mask) const;
    void commit_vcs(const View& r);
    void commit_switch(Step& c, const View& r, std::uint64_t outputs);
    std::uint32_t copy_front(Step& c, const View& r, unsigned local, InputVc& v);
    void release_slot(Step& c, const View& r, unsigned in_port, unsigned vc, const InputVc& v,
                      std::uint32_t arrived);
    void transmit(Step& c, const View& r, const InputVc& v, Port& out, std::uint32_t id);
    void take_link(const View& r, unsigned port, Cycle now);
    bool is_lost(std::uint32_t r, unsigned port) const;

    const bool speculative_;
    std::vector<WideRoute> routes_;            ///< [input VCs], or empty
    std::vector<SlowLink> slow_links_;         ///< [ports], or empty
    std::vector<std::uint64_t> flits_before_;  ///< losses: [port] sent at the last reset
    CounterRng loss_rng_;

    // Scratch of one router's cycle.
    std::vector<std::uint32_t> va_requests_;  ///< output VCs asked for
    std::size_t n_va_requests_ = 0;
    std::vector<std::uint32_t> va_winner_;  ///< per output VC: input VC, or kNone
    std::vector<Bid> input_bids_;           ///< of the current input port, per output port
    std::vector<Bid> output_bids_;          ///< per output port
};

/// A cycle in routers with other allocators than the default: requests are collected, matched and committed.
class MatchedCycle final : public GeneralCycle {
  public:
    explicit MatchedCycle(RouterState& state);
    void reset() override;

  protected:
    bool evaluate_router(Step& c, const View& r) override;

  private:
    struct Allocators {
        std::unique_ptr<Allocator> vc, output;
    };
    Allocators& allocators_of(std::uint32_t router);
    bool request(Step& c, const View& r, unsigned in_port, unsigned in_vc);
    void request_output(const View& r, unsigned local, const InputVc& v, bool low, std::uint32_t age);
    void commit(Step& c, const View& r);

    const bool by_age_;
    std::vector<Allocators> allocators_;  ///< [router], made when first needed
    // Scratch of one router's cycle.
    std::vector<AllocationRequest> vc_requests_, output_requests_;
    std::vector<std::uint32_t> output_request_vc_;
    std::vector<AllocationGrant> vc_grants_, grants_;
};

}  // namespace loom::noc
