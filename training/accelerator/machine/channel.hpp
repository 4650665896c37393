// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <vector>

#include "base/clocking/link.hpp"

namespace loom::training {

/// So much is to move, in bits or bytes.
struct Transfer {
    std::uint64_t amount = 0;
    std::uint32_t task = 0;
    bool write = false;
};
struct Arrival {
    std::uint32_t task = 0;
    bool write = false;
};

/// A port of a buffer or a DRAM channel: one transfer after the other at `rate` per cycle, the last of it
/// `latency` later. Clients take turns; each is told when its transfer is over.
class Channel final : public Clocked {
  public:
    struct Timing {
        std::uint64_t rate = 1, latency = 0, granule = 1;  ///< amounts are rounded up to the granule
    };
    explicit Channel(const Timing& timing) : timing_(timing) {}
    void add_client(Link<Transfer>& requests, Link<Arrival>& answers) {
        clients_.push_back({&requests, &answers});
    }

    Cycle evaluate(Cycle now) override {
        while (!under_way_.empty() && under_way_.front().at <= now) {
            const Pending& p = under_way_.front();
            clients_[p.client].answers->send(now, p.arrival);
            under_way_.pop_front();
        }
        if (free_at_ <= now) start_one(now);
        Cycle next = under_way_.empty() ? kNever : under_way_.front().at;
        for (const Client& c : clients_)
            if (c.requests->size() != 0) next = std::min(next, std::max(free_at_, c.requests->next_ready()));
        return next <= now ? now + 1 : next;
    }

  private:
    struct Client {
        Link<Transfer>* requests;
        Link<Arrival>* answers;
    };
    struct Pending {
        Cycle at;
        std::size_t client;
        Arrival arrival;
    };

    void start_one(Cycle now) {
        for (std::size_t i = 0; i < clients_.size(); ++i) {
            const std::size_t c = (turn_ + i) % clients_.size();
            if (clients_[c].requests->peek(now) == nullptr) continue;
            const Transfer t = clients_[c].requests->take(now);
            const std::uint64_t rounded =
                (t.amount + timing_.granule - 1) / timing_.granule * timing_.granule;
            free_at_ = now + std::max<std::uint64_t>(1, (rounded + timing_.rate - 1) / timing_.rate);
            under_way_.push_back({free_at_ + timing_.latency, c, {t.task, t.write}});
            turn_ = (c + 1) % clients_.size();
            return;
        }
    }

    Timing timing_;
    std::vector<Client> clients_;
    std::deque<Pending> under_way_;
    Cycle free_at_ = 0;
    std::size_t turn_ = 0;
};

}  // namespace loom::training
