// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <memory>
#include <vector>

#include "noc/catalogue.hpp"
#include "base/clocking/link.hpp"

namespace loom::testing {

/// A network with every endpoint attached: packets are offered at given cycles and taken as soon as they
/// arrive (unless an endpoint is shut).
class NetworkFixture final : public Clocked {
  public:
    struct Arrival {
        Cycle at;
        std::uint32_t endpoint;
        Packet packet;
        bool operator==(const Arrival& o) const {
            return at == o.at && endpoint == o.endpoint && packet.axon == o.packet.axon;
        }
    };

    explicit NetworkFixture(const arch::ChipSpec& spec, std::uint64_t shuffle = 0)
        : n_(static_cast<std::uint32_t>(spec.n_cores()) + 1), offers_(n_), shut(n_, false) {
        if (shuffle != 0) scheduler.shuffle(shuffle);
        network = noc::make_network(spec);
        network_id_ = scheduler.add(*network);
        id_ = scheduler.add(*this);
        for (std::uint32_t e = 0; e < n_; ++e) {
            in_.emplace_back(1, 4);
            out_.emplace_back(network->topology().local_latency, 2);
        }
        for (std::uint32_t e = 0; e < n_; ++e) {
            in_[e].connect_producer(scheduler, id_, *this);
            out_[e].connect_consumer(scheduler, id_, *this);
            network->join(scheduler, network_id_, EndpointId{e}, {&in_[e], &out_[e]});
        }
    }
    std::uint32_t endpoints() const { return n_; }

    /// Offers a packet at cycle `at` or as soon as there is room; `number` is found in Packet::axon.
    void offer(Cycle at, std::uint32_t from, std::uint32_t to, std::uint16_t flits, std::uint32_t number,
               std::uint16_t tag = 0) {
        Packet p;
        p.destination = Destination::endpoint(EndpointId{to});
        p.source = EndpointId{from};
        p.flits = flits;
        p.axon = number;
        p.tag = tag;
        offers_[from].push_back({at, p});
        scheduler.wake(id_, at);
    }
    Cycle evaluate(Cycle now) override {
        Cycle next = kNever;
        for (std::uint32_t e = 0; e < n_; ++e) {
            while (!shut[e] && out_[e].peek(now) != nullptr) arrivals.push_back({now, e, out_[e].take(now)});
            auto& q = offers_[e];
            while (!q.empty() && q.front().first <= now && in_[e].can_send(now)) {
                in_[e].send(now, q.front().second);
                q.pop_front();
            }
            if (!q.empty() && q.front().first > now) next = std::min(next, q.front().first);
        }
        return next;
    }
    void poke(Cycle at) { scheduler.wake(id_, at); }
    void drain() {
        while (scheduler.run_next()) {
        }
    }

    Scheduler scheduler;
    std::unique_ptr<noc::Network> network;
    std::vector<Arrival> arrivals;

  private:
    std::uint32_t n_;
    Scheduler::ComponentId network_id_ = 0, id_ = 0;
    std::deque<Link<Packet>> in_, out_;
    std::vector<std::deque<std::pair<Cycle, Packet>>> offers_;

  public:
    std::vector<bool> shut;  ///< endpoints that take nothing
};

}  // namespace loom::testing
