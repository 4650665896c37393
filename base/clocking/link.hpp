// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>

#include "base/error.hpp"
#include "base/clocking/scheduler.hpp"

namespace loom {

/// Told of every entry that is sent on a link, in the order of the sender.
template <class T>
class LinkObserver {
  public:
    virtual ~LinkObserver() = default;
    virtual void sent(Cycle now, const T& value) = 0;
};

/// A point-to-point channel with latency and credits; the only way between two components.
/// Every entry is stamped with the cycle from which it may be seen, every freed slot with the cycle
/// from which it may be used again: both at least one cycle ahead, so no commit phase is needed.
template <class T>
class Link {
  public:
    /// latency >= 1: sent in t, visible in t + latency. credit_latency >= 1: taken in t, the slot
    /// is usable by the sender in t + credit_latency. slots >= 1.
    Link(Cycles latency, std::size_t slots, Cycles credit_latency = 1)
        : latency_(latency),
          credit_latency_(credit_latency),
          slots_(slots),
          entries_(slots == 0 ? nullptr : new Entry[slots]),
          credits_(new Cycle[slots]) {
        if (latency == 0 || credit_latency == 0 || slots == 0) {
            throw InternalError("a link needs latency, credit latency and slots of at least 1");
        }
    }

    void connect_producer(Scheduler& s, Scheduler::ComponentId id, Clocked& c, unsigned port = 0) {
        producer_ = {&s, id, &c, port};
    }
    void connect_consumer(Scheduler& s, Scheduler::ComponentId id, Clocked& c, unsigned port = 0) {
        consumer_ = {&s, id, &c, port};
    }

    /// When there is no credit, the producer is evaluated again in the cycle in which one is back.
    bool can_send(Cycle now) {
        if (used_ < slots_) return true;
        refresh(now);
        if (used_ < slots_) return true;
        if (credits_queued_ != 0) {
            producer_.wake(credits_[credit_head_]);
        } else {
            starved_ = true;
        }
        return false;
    }
    /// Throws ModelError when no credit is left.
    void send(Cycle now, const T& value) {
        if (used_ == slots_ && !can_send(now)) throw ModelError("send on a link without credit");
        Entry& entry = entries_[wrapped(head_ + queued_)];
        entry.ready = now + latency_;
        entry.value = value;
        ++queued_;
        ++used_;
        if (observer_ != nullptr) observer_->sent(now, value);
        consumer_.wake(now + latency_);
    }
    /// nullptr: nobody.
    void observe(LinkObserver<T>* observer) { observer_ = observer; }

    /// The oldest entry, or nullptr when none is visible at `now`.
    const T* peek(Cycle now) const {
        return queued_ != 0 && entries_[head_].ready <= now ? &entries_[head_].value : nullptr;
    }
    T take(Cycle now) {
        T value = front(now);
        drop(now);
        return value;
    }
    /// front() and then drop() take an item as take() does, but without a copy.
    const T& front(Cycle now) const {
        if (peek(now) == nullptr) throw ModelError("take from an empty link");
        return entries_[head_].value;
    }
    void drop(Cycle now) {
        head_ = wrapped(head_ + 1);
        --queued_;
        credits_[wrapped(credit_head_ + credits_queued_)] = now + credit_latency_;
        ++credits_queued_;
        if (starved_) producer_.wake(now + credit_latency_);
        starved_ = false;
    }
    /// Cycle from which the oldest entry is visible, or kNever.
    Cycle next_ready() const { return queued_ == 0 ? kNever : entries_[head_].ready; }
    std::size_t size() const { return queued_; }

  private:
    struct Entry {
        Cycle ready = 0;
        T value{};
    };
    struct End {
        Scheduler* scheduler = nullptr;
        Scheduler::ComponentId id = 0;
        Clocked* component = nullptr;
        unsigned port = 0;
        void wake(Cycle at) const {
            if (scheduler == nullptr) return;
            component->announce(port, at);
            scheduler->wake(id, at);
        }
    };

    std::size_t wrapped(std::size_t i) const { return i < slots_ ? i : i - slots_; }
    /// Credits that are back; looked at only when there is no other.
    void refresh(Cycle now) {
        while (credits_queued_ != 0 && credits_[credit_head_] <= now) {
            credit_head_ = wrapped(credit_head_ + 1);
            --credits_queued_;
            --used_;
        }
    }

    Cycles latency_;
    Cycles credit_latency_;
    std::size_t slots_;
    std::unique_ptr<Entry[]> entries_;
    std::unique_ptr<Cycle[]> credits_;
    std::size_t head_ = 0, queued_ = 0;
    std::size_t credit_head_ = 0, credits_queued_ = 0;
    std::size_t used_ = 0;
    bool starved_ = false;  ///< the producer waits for a credit that is not on its way yet
    End producer_, consumer_;
    LinkObserver<T>* observer_ = nullptr;
};

}  // namespace loom
