// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "noc/endpoints.hpp"
#include "noc/router_array.hpp"

namespace loom::noc {

/// A mesh of routers with its network interfaces. Packets of one source and destination stay in order
/// only with one virtual channel.
class MeshNetwork final : public Network {
  public:
    explicit MeshNetwork(const arch::ChipSpec& spec);

    Cycle evaluate(Cycle now) override;
    void announce(unsigned port, Cycle at) override { wakes_.push_back({at, port / 2}); }
    void attach(EndpointId endpoint, EndpointLinks links) override;
    void reset() override;
    std::size_t flits_in_flight() const override { return fabric_.in_flight; }
    std::size_t n_routers() const override { return mesh_.n_routers(); }
    std::span<const NocCounters> counters() const override { return fabric_.counters; }
    std::vector<std::uint64_t> port_flits(std::size_t router) const override;
    std::string describe_stuck(std::size_t limit) const override;
    Cycles zero_load_latency(EndpointId from, EndpointId to, unsigned flits) const override;

  private:
    Mesh mesh_;
    const Pipeline& pipeline_;
    Fabric fabric_;
    RouterArray routers_;
    Endpoints endpoints_;
    struct Wake {
        Cycle at;
        std::uint32_t endpoint;
    };
    std::vector<Wake> wakes_;  ///< endpoints whose links have something, and when
};

}  // namespace loom::noc
