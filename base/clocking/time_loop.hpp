// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>

#include "base/clocking/scheduler.hpp"

namespace loom {

/// Makes a scheduler's time pass until nothing is due.
class TimeLoop {
  public:
    virtual ~TimeLoop() = default;
    /// Returns when nothing is due any more. Calls the watchdog now and then; rethrows what
    /// components throw.
    virtual void run_until_idle() = 0;
    /// Called every kWatchInterval evaluated cycles; throws to stop.
    void watchdog(std::function<void(Cycle)> f) { watchdog_ = std::move(f); }

  protected:
    static constexpr unsigned kWatchInterval = 1u << 16;
    void watch(Cycle now) {
        if (++since_ < kWatchInterval) return;
        since_ = 0;
        if (watchdog_) watchdog_(now);
    }

  private:
    std::function<void(Cycle)> watchdog_;
    unsigned since_ = 0;
};

/// The plain loop, without SystemC: oracle of the other one and driver of tests.
class PlainLoop final : public TimeLoop {
  public:
    explicit PlainLoop(Scheduler& scheduler) : scheduler_(scheduler) {}
    void run_until_idle() override {
        while (scheduler_.run_next()) watch(scheduler_.now());
    }

  private:
    Scheduler& scheduler_;
};

}  // namespace loom
