// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "training/accelerator/task.hpp"
#include "base/clocking/scheduler.hpp"

namespace loom::training {

/// What units wait for of each other. A token given in a cycle is seen in the next.
class Tokens {
  public:
    Tokens(Scheduler& scheduler, std::size_t count) : scheduler_(scheduler), from_(count, kNever) {}
    void add_waiter(Scheduler::ComponentId id) { waiters_.push_back(id); }
    void give(Cycle now, std::uint32_t token) {
        from_[token] = now + 1;
        for (const auto id : waiters_) scheduler_.wake(id, now + 1);
    }
    /// Cycle from which the task's tokens are all there, or kNever.
    Cycle ready(const Task& task) const {
        Cycle at = 0;
        for (const std::uint32_t t : task.waits)
            if (t != kNoToken) at = std::max(at, from_[t]);
        return at;
    }

  private:
    Scheduler& scheduler_;
    std::vector<Cycle> from_;
    std::vector<Scheduler::ComponentId> waiters_;
};

}  // namespace loom::training
