// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <exception>
#include <functional>
#include <systemc>
#include <vector>

#include "base/clocking/time_loop.hpp"

namespace loom::kernel {

/// Something that has to act while SystemC's time is that of the cycle, because processes of others
/// look on.
class OnTime {
  public:
    virtual ~OnTime() = default;
    /// All components of cycle `now` have been evaluated; SystemC's time is now * period.
    virtual void act(Cycle now) = 0;
};

/// One clock domain as a SystemC module: the only process of the domain. It evaluates what the
/// scheduler has due, sets its next trigger to the next cycle with work (idle spans cost nothing) and
/// runs ahead while no other SystemC event is pending. Time: cycle c is at c * period.
///
/// Modules with processes of their own take part by on_time(), keep_time() and wake().
class ClockDomain : public sc_core::sc_module, public TimeLoop {
  public:
    /// period_ps > 0, in picoseconds.
    ClockDomain(sc_core::sc_module_name name, Scheduler& scheduler, double period_ps);

    /// Runs SystemC until nothing is due and nobody keeps time. Rethrows what components throw; what
    /// another process throws becomes a ModelError.
    void run_until_idle() override;
    /// Called after each evaluated cycle; makes time advance cycle by cycle, for waveforms.
    void observe(std::function<void(Cycle)> f) { observer_ = std::move(f); }

    double period_ps() const { return period_ps_; }
    sc_core::sc_time time_of(Cycle c) const;
    /// The cycle that SystemC's time lies in: cycle c lasts from c * period until (c + 1) * period.
    Cycle cycle() const;

    /// A component is due in the first cycle that begins `delay` from now or later, and not before the
    /// next. For other processes, and for those that act on time.
    void wake(Scheduler::ComponentId id, sc_core::sc_time delay = sc_core::SC_ZERO_TIME);
    /// A component is due in cycle `at`, which is not over.
    void wake_at(Scheduler::ComponentId id, Cycle at);
    /// Goes on after somebody has asked the scheduler for an evaluation from outside. Does not start
    /// SystemC: for platforms that do so themselves.
    void resume();
    /// `who` acts once after the cycle that is being evaluated, and before any later one is evaluated.
    /// Time waits for it when the domain has run ahead.
    void on_time(OnTime& who) { acting_.push_back(&who); }
    /// From now on cycles are evaluated at their own SystemC time, one by one, as long as anybody keeps
    /// time: every keep_time() needs its release_time().
    void keep_time() { ++keepers_; }
    void release_time() { --keepers_; }
    /// For platforms that start SystemC themselves: time is kept for good. `idle` is called whenever
    /// nothing is due any more and nobody keeps time, `failed` when a component throws.
    void serve(std::function<void()> idle, std::function<void(std::exception_ptr)> failed);

  private:
    void advance();
    void evaluate_due();
    bool act();
    void rest();
    void wait_until(Cycle c);

    Scheduler& scheduler_;
    double period_ps_;
    int keepers_ = 0;
    bool started_ = false;  ///< by run_until_idle: pause SystemC when idle
    bool serves_ = false;
    std::vector<OnTime*> acting_;
    sc_core::sc_event work_;
    std::exception_ptr failure_;
    std::function<void(Cycle)> observer_;
    std::function<void()> idle_;
    std::function<void(std::exception_ptr)> failed_;
};

}  // namespace loom::kernel
