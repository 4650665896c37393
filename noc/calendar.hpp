// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <bit>
#include <cstdint>
#include <vector>

#include "sim/base/ids.hpp"

namespace loom::noc {

/// What is on its way between routers and endpoints, by the cycle in which it arrives. A wheel
/// longer than any delay, so that one cycle is one bucket.
class Calendar {
  public:
    struct FlitAtRouter {
        std::uint32_t router, vc, flit;  ///< vc: port * vcs + vc within the router
    };
    struct CreditAtRouter {
        std::uint32_t router;
        std::uint16_t port, vc;
    };
    struct FlitAtEndpoint {
        std::uint32_t endpoint, vc, flit;
    };
    struct CreditAtEndpoint {
        std::uint32_t endpoint, vc;
    };
    struct Bucket {
        std::vector<FlitAtRouter> router_flits;
        std::vector<CreditAtRouter> router_credits;
        std::vector<FlitAtEndpoint> endpoint_flits;
        std::vector<CreditAtEndpoint> endpoint_credits;
        std::vector<std::uint32_t> endpoint_wakes;  ///< its links have a packet or a credit
    };

    explicit Calendar(std::uint64_t longest_delay)
        : buckets_(std::bit_ceil(longest_delay + 2)), occupied_((buckets_.size() + 63) / 64) {}

    /// The bucket of cycle `at`, about to be written to. at - now: 1..longest_delay.
    Bucket& at(Cycle at) {
        const std::size_t i = at & (buckets_.size() - 1);
        occupied_[i / 64] |= std::uint64_t{1} << (i % 64);
        return buckets_[i];
    }
    bool due(Cycle now) const {
        const std::size_t i = now & (buckets_.size() - 1);
        return (occupied_[i / 64] >> (i % 64) & 1u) != 0;
    }
    /// The bucket of cycle `now`, to be read and then cleared.
    const Bucket& open(Cycle now) const { return buckets_[now & (buckets_.size() - 1)]; }
    void clear(Cycle now) {
        const std::size_t i = now & (buckets_.size() - 1);
        occupied_[i / 64] &= ~(std::uint64_t{1} << (i % 64));
        Bucket& b = buckets_[i];
        b.router_flits.clear();
        b.router_credits.clear();
        b.endpoint_flits.clear();
        b.endpoint_credits.clear();
        b.endpoint_wakes.clear();
    }
    void clear_all() {
        for (std::size_t i = 0; i < buckets_.size(); ++i) clear(i);
    }
    /// First cycle after `now` with something in it, or kNever.
    Cycle next(Cycle now) const {
        const std::size_t start = (now + 1) & (buckets_.size() - 1);
        const std::size_t words = occupied_.size();
        for (std::size_t n = 0; n <= words; ++n) {
            const std::size_t w = (start / 64 + n) % words;
            std::uint64_t bits = occupied_[w];
            if (n == 0) bits &= ~std::uint64_t{0} << (start % 64);
            if (bits != 0) {
                const std::size_t i = w * 64 + static_cast<std::size_t>(std::countr_zero(bits));
                return now + 1 + ((i + buckets_.size() - start) & (buckets_.size() - 1));
            }
        }
        return kNever;
    }

  private:
    std::vector<Bucket> buckets_;
    std::vector<std::uint64_t> occupied_;
};

}  // namespace loom::noc
