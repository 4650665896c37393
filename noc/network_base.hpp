// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "noc/endpoint_port.hpp"
#include "noc/network_state.hpp"
#include "noc/routing/routing.hpp"

namespace loom::noc {

/// What all networks share, whatever their routers do: topology and routing function, destination sets,
/// wake-ups of endpoints.
class NetworkBase : public Network {
  public:
    void announce(unsigned port, Cycle at) override {
        wakes_.push_back({at, EndpointPort::of(port).endpoint});
    }
    void reset() override;
    const Topology& topology() const override { return topology_; }
    std::size_t flits_in_flight() const override { return state_.in_flight; }
    std::span<const NocCounters> counters() const override { return state_.counters; }
    unsigned zero_load_hops(EndpointId from, EndpointId to) const override;
    std::uint32_t add_set(EndpointId source, std::span<const std::uint32_t> members) override;
    void clear_sets() override;
    SetLinks set_links(std::uint32_t set) const override;
    std::uint32_t n_sets() const override;
    std::string describe_tables() const override;
    void tell_losses(Activity& activity) override { state_.activity = &activity; }

  protected:
    /// state: of the class that derives from this one.
    NetworkBase(const arch::ChipSpec& spec, Topology topology, NetworkState& state);

    /// Before the first set is added: ConfigError where the routers cannot do what its style needs.
    virtual void prepare_for_sets(const MulticastSets&) {}
    /// All sets are there. ConfigError for what cannot work.
    virtual void check_sets(const MulticastSets&) {}

    /// At the beginning of a cycle: first cycle, sets that have been added since.
    void begin(Cycle now) {
        if (sets_open_) finish_sets();
        if (state_.epoch == kNever) state_.epoch = now;
        state_.now = now;
    }
    /// f(endpoint) for those whose links have something now.
    template <class F>
    void each_woken(Cycle now, F f) {
        std::size_t kept = 0;
        for (const Wake& w : wakes_) {
            if (w.at > now) {
                wakes_[kept++] = w;
            } else {
                f(w.endpoint);
            }
        }
        wakes_.resize(kept);
    }

    const arch::NocSpec spec_;
    const double period_;  ///< of the routers' clock, ps
    Topology topology_;
    std::unique_ptr<Routing> routing_;
    std::unique_ptr<MulticastSets> sets_;

  private:
    struct Wake {
        Cycle at;
        std::uint32_t endpoint;
    };
    void finish_sets();

    NetworkState& state_;
    std::vector<Wake> wakes_;  ///< endpoints whose links have something, and when
    bool sets_open_ = false;   ///< some have been added
};

}  // namespace loom::noc
