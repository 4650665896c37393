// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/clock_domain.hpp"

#include <utility>

namespace loom::kernel {
namespace {
/// Cycles evaluated in one go before other processes get a chance.
constexpr int kRunAhead = 4096;
}  // namespace

ClockDomain::ClockDomain(sc_core::sc_module_name name, Scheduler& scheduler, double period_ps)
    : sc_module(name), scheduler_(scheduler), period_ps_(period_ps) {
    SC_HAS_PROCESS(ClockDomain);
    SC_METHOD(advance);
    dont_initialize();
    sensitive << work_;
}

sc_core::sc_time ClockDomain::time_of(Cycle c) const {
    return sc_core::sc_time(static_cast<double>(c) * period_ps_, sc_core::SC_PS);
}

void ClockDomain::run_until_idle() {
    const Cycle next = scheduler_.next();
    if (next == kNever) return;
    const auto now = sc_core::sc_time_stamp(), at = time_of(next);
    work_.notify(at > now ? at - now : sc_core::SC_ZERO_TIME);
    sc_core::sc_start();
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ClockDomain::advance() {
    try {
        const auto now = sc_core::sc_time_stamp();
        const bool alone = !observer_ && !sc_core::sc_pending_activity();
        for (int i = 0; i < (alone ? kRunAhead : 1); ++i) {
            if (!scheduler_.run_next()) return;
            watch(scheduler_.now());
        }
        if (observer_) observer_(scheduler_.now());
        const Cycle next = scheduler_.next();
        if (next == kNever) return;
        const auto at = time_of(next);
        next_trigger(at > now ? at - now : sc_core::SC_ZERO_TIME);
    } catch (...) {
        failure_ = std::current_exception();  // SystemC would turn it into a report
    }
}

}  // namespace loom::kernel
