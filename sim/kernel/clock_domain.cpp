// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/clock_domain.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"

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

Cycle ClockDomain::cycle() const {
    const auto now = sc_core::sc_time_stamp();
    auto c = static_cast<Cycle>(now.to_seconds() * 1e12 / period_ps_);
    while (time_of(c + 1) <= now) ++c;
    while (c != 0 && time_of(c) > now) --c;
    return c;
}

void ClockDomain::wake(Scheduler::ComponentId id, sc_core::sc_time delay) {
    const auto now = sc_core::sc_time_stamp();
    Cycle at = std::max(cycle(), scheduler_.now()) + 1;
    if (delay > sc_core::SC_ZERO_TIME) {
        at = std::max(at, cycle() + static_cast<Cycle>(delay.to_seconds() * 1e12 / period_ps_));
        while (time_of(at) < now + delay) ++at;
    }
    wake_at(id, at);
}

void ClockDomain::wake_at(Scheduler::ComponentId id, Cycle at) {
    scheduler_.wake(id, at);
    const auto now = sc_core::sc_time_stamp(), then = time_of(at);
    work_.notify(then > now ? then - now : sc_core::SC_ZERO_TIME);
}

void ClockDomain::resume() {
    const Cycle next = scheduler_.next();
    if (next == kNever) return;
    const auto now = sc_core::sc_time_stamp(), at = time_of(next);
    work_.notify(at > now ? at - now : sc_core::SC_ZERO_TIME);
}

void ClockDomain::serve(std::function<void()> idle, std::function<void(std::exception_ptr)> failed) {
    serves_ = true;
    idle_ = std::move(idle);
    failed_ = std::move(failed);
}

void ClockDomain::run_until_idle() {
    if (scheduler_.next() == kNever) return;
    resume();
    started_ = true;
    try {
        sc_core::sc_start();
    } catch (const sc_core::sc_report& report) {
        if (!failure_) throw ModelError(report.what());
    }
    started_ = false;
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ClockDomain::advance() {
    try {
        if (!act()) return;
        evaluate_due();
    } catch (...) {
        if (failed_ && !started_) return failed_(std::current_exception());
        failure_ = std::current_exception();  // SystemC would turn it into a report
        if (started_ && sc_core::sc_pending_activity()) sc_core::sc_pause();
    }
}

void ClockDomain::evaluate_due() {
    const auto now = sc_core::sc_time_stamp();
    const bool alone = !serves_ && keepers_ == 0 && !observer_ && !sc_core::sc_pending_activity();
    if (!alone) {
        const Cycle next = scheduler_.next();
        if (next != kNever && time_of(next) > now) return wait_until(next);  // woken too early
    }
    for (int i = 0; i < (alone ? kRunAhead : 1); ++i) {
        if (!scheduler_.run_next()) return rest();
        watch(scheduler_.now());
        if (!acting_.empty()) {
            if (!act()) return;
            break;
        }
    }
    if (observer_) observer_(scheduler_.now());
    const Cycle next = scheduler_.next();
    if (next == kNever) return rest();
    wait_until(next);
}

/// Returns false when it is not yet time.
bool ClockDomain::act() {
    if (acting_.empty()) return true;
    const Cycle now = scheduler_.now();
    if (time_of(now) > sc_core::sc_time_stamp()) {
        wait_until(now);
        return false;
    }
    std::vector<OnTime*> acting;
    acting.swap(acting_);
    for (OnTime* who : acting) who->act(now);
    return true;
}

void ClockDomain::wait_until(Cycle c) {
    const auto now = sc_core::sc_time_stamp(), at = time_of(c);
    next_trigger(at > now ? at - now : sc_core::SC_ZERO_TIME, work_);
}

void ClockDomain::rest() {
    if (keepers_ != 0) return;
    if (idle_) idle_();
    if (started_ && scheduler_.next() == kNever && sc_core::sc_pending_activity()) sc_core::sc_pause();
}

}  // namespace loom::kernel
