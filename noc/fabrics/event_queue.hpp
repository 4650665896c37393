// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <queue>
#include <vector>

#include "base/ids.hpp"

namespace loom::noc {

/// What happens in later cycles, taken out by cycle and then in the order of entry. No allocation once it has
/// been at its largest.
template <class T>
class EventQueue {
  public:
    void push(Cycle at, const T& value) { events_.push({at, order_++, value}); }
    bool due(Cycle now) const { return !events_.empty() && events_.top().at <= now; }
    T pop() {
        const T value = events_.top().value;
        events_.pop();
        return value;
    }
    /// Cycle of the first one, or kNever.
    Cycle next() const { return events_.empty() ? kNever : events_.top().at; }

  private:
    struct Event {
        Cycle at;
        std::uint64_t order;
        T value;
        bool operator>(const Event& o) const { return at != o.at ? at > o.at : order > o.order; }
    };
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
    std::uint64_t order_ = 0;
};

}  // namespace loom::noc
