// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <exception>
#include <functional>
#include <systemc>

#include "base/clocking/time_loop.hpp"

namespace loom::kernel {

/// One clock domain as a SystemC module: the only process of the domain. It evaluates what the
/// scheduler has due, sets its next trigger to the next cycle with work (idle spans cost nothing) and
/// runs ahead while no other SystemC event is pending. Time: cycle c is at c * period.
class ClockDomain : public sc_core::sc_module, public TimeLoop {
  public:
    /// period_ps > 0, in picoseconds.
    ClockDomain(sc_core::sc_module_name name, Scheduler& scheduler, double period_ps);

    void run_until_idle() override;
    /// Called after each evaluated cycle; makes time advance cycle by cycle, for waveforms.
    void observe(std::function<void(Cycle)> f) { observer_ = std::move(f); }

  private:
    void advance();
    sc_core::sc_time time_of(Cycle c) const;

    Scheduler& scheduler_;
    double period_ps_;
    sc_core::sc_event work_;
    std::exception_ptr failure_;
    std::function<void(Cycle)> observer_;
};

}  // namespace loom::kernel
