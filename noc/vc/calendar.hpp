// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "base/ids.hpp"

namespace loom::noc {

/// Grows to the largest number of entries that it ever held; appending is a few instructions.
template <class T>
class EventList {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    void push(const T& value) {
        if (size_ == capacity_) grow();
        items_[size_++] = value;
    }
    const T* begin() const { return items_.get(); }
    const T* end() const { return items_.get() + size_; }
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    void clear() { size_ = 0; }
    /// Room for n entries to be written at the end; `finish` is told where they ended.
    T* room(std::size_t n) {
        while (capacity_ - size_ < n) grow();
        return items_.get() + size_;
    }
    void finish(const T* end) { size_ = static_cast<std::uint32_t>(end - items_.get()); }

  private:
    [[gnu::noinline, gnu::cold]] void grow() {
        const std::uint32_t capacity = capacity_ == 0 ? 16 : 2 * capacity_;
        std::unique_ptr<T[]> items(new T[capacity]);
        if (size_ != 0) std::memcpy(items.get(), items_.get(), size_ * sizeof(T));
        items_ = std::move(items);
        capacity_ = capacity;
    }
    std::unique_ptr<T[]> items_;
    std::uint32_t size_ = 0, capacity_ = 0;
};

/// What is on its way between routers and endpoints, by the cycle in which it arrives: wheels longer
/// than any delay. Flits have to be met on time; credits may wait until somebody needs one, and are then
/// handed over all at once.
class Calendar {
  public:
    struct FlitAtRouter {
        std::uint32_t router;
        std::uint32_t input;  ///< of the router: port * VCs + VC
        std::uint32_t flit;
    };
    struct CreditAtRouter {
        std::uint32_t router;
        std::uint32_t output;  ///< of the router: port * VCs + VC
    };
    struct FlitAtEndpoint {
        std::uint32_t endpoint, vc, flit;
    };
    struct CreditAtEndpoint {
        std::uint32_t endpoint, vc;
    };
    template <class Router, class Endpoint>
    struct Events {
        EventList<Router> router;
        EventList<Endpoint> endpoint;
        bool empty() const { return router.empty() && endpoint.empty(); }
        void clear() {
            router.clear();
            endpoint.clear();
        }
    };
    using Flits = Events<FlitAtRouter, FlitAtEndpoint>;
    using Credits = Events<CreditAtRouter, CreditAtEndpoint>;

    explicit Calendar(std::uint64_t longest_delay) : flits_(longest_delay), credits_(longest_delay) {}

    /// at - now: 1..longest_delay. drain_credits(now) comes first in a cycle.
    void add(Cycle at, const FlitAtRouter& e) { flits_.at(at).router.push(e); }
    void add(Cycle at, const FlitAtEndpoint& e) { flits_.at(at).endpoint.push(e); }
    void add(Cycle at, const CreditAtRouter& e) { credits_.at(at).router.push(e); }
    void add(Cycle at, const CreditAtEndpoint& e) { credits_.at(at).endpoint.push(e); }

    /// To append to without a look at the wheel each time; tell it when something has been.
    Flits& flits_at(Cycle at) { return flits_.peek(at); }
    Credits& credits_at(Cycle at) { return credits_.peek(at); }
    void flits_appended(Cycle at) { flits_.mark(at); }
    void credits_appended(Cycle at) { credits_.mark(at); }

    bool flits_due(Cycle now) const { return flits_.occupied(now); }
    const Flits& flits(Cycle now) const { return flits_.peek(now); }
    void clear_flits(Cycle now) { flits_.clear(now); }

    /// f(credits) for every cycle up to `now`, in order.
    template <class F>
    void drain_credits(Cycle now, F f) {
        for (Cycle due = drained_ + 1;; due = drained_ + 1) {
            // in step with the cycles one look is enough
            if (due == now ? !credits_.occupied(now) : due > now) break;
            if (due != now) due = credits_.first(drained_);
            if (due > now) break;
            f(credits_.peek(due));
            credits_.clear(due);
            drained_ = due;
        }
        drained_ = now;
    }
    /// First cycle after `now` with flits, or with credits too if somebody waits for one.
    Cycle next(Cycle now, bool with_credits) const {
        const Cycle flits = flits_.first(now);
        return with_credits ? std::min(flits, credits_.first(now)) : flits;
    }
    void clear_all() {
        flits_.clear_all();
        credits_.clear_all();
    }

  private:
    template <class Bucket>
    class Wheel {
      public:
        explicit Wheel(std::uint64_t longest_delay)
            : buckets_(std::bit_ceil(longest_delay + 2)),
              mask_(buckets_.size() - 1),
              occupied_((buckets_.size() + 63) / 64) {}
        Bucket& at(Cycle at) {
            const std::size_t i = at & mask_;
            Bucket& bucket = buckets_[i];
            if (bucket.empty()) occupied_[i / 64] |= std::uint64_t{1} << (i % 64);
            return bucket;
        }
        Bucket& peek(Cycle at) { return buckets_[at & mask_]; }
        void mark(Cycle at) {
            const std::size_t i = at & mask_;
            if (!buckets_[i].empty()) occupied_[i / 64] |= std::uint64_t{1} << (i % 64);
        }
        bool occupied(Cycle now) const {
            const std::size_t i = now & mask_;
            return (occupied_[i / 64] >> (i % 64) & 1u) != 0;
        }
        const Bucket& peek(Cycle now) const { return buckets_[now & mask_]; }
        void clear(Cycle now) {
            const std::size_t i = now & mask_;
            occupied_[i / 64] &= ~(std::uint64_t{1} << (i % 64));
            buckets_[i].clear();
        }
        void clear_all() {
            for (std::size_t i = 0; i < buckets_.size(); ++i) {
                if (occupied(i)) clear(i);
            }
        }
        /// First occupied cycle after `now`, or kNever.
        Cycle first(Cycle now) const {
            const std::size_t start = (now + 1) & mask_;
            if (occupied_.size() > 1) return first_of_many(now, start);
            const std::uint64_t word = occupied_[0];
            if (word == 0) return kNever;
            const std::uint64_t later = word >> start << start;
            const auto i = static_cast<std::size_t>(std::countr_zero(later != 0 ? later : word));
            return now + 1 + ((i - start) & mask_);
        }

      private:
        Cycle first_of_many(Cycle now, std::size_t start) const {
            const std::size_t words = occupied_.size();
            for (std::size_t n = 0; n <= words; ++n) {
                const std::size_t w = (start / 64 + n) % words;
                std::uint64_t bits = occupied_[w];
                if (n == 0) bits &= ~std::uint64_t{0} << (start % 64);
                if (bits != 0) {
                    const std::size_t i = w * 64 + static_cast<std::size_t>(std::countr_zero(bits));
                    return now + 1 + ((i - start) & mask_);
                }
            }
            return kNever;
        }

        std::vector<Bucket> buckets_;
        std::uint64_t mask_;
        std::vector<std::uint64_t> occupied_;
    };

    Wheel<Flits> flits_;
    Wheel<Credits> credits_;
    Cycle drained_ = 0;  ///< credits up to here have been handed over
};

}  // namespace loom::noc
