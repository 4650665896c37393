// SPDX-License-Identifier: Apache-2.0
// The border between the plain scheduler and SystemC's time. Every test is a process of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "tests/support/thread_faults.hpp"
#include "base/error.hpp"
#include "sim/kernel/clock_domain.hpp"

namespace loom {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kPeriod = 1000;  // ps

double ns() {
    return static_cast<double>(sc_core::sc_time_stamp().value()) / 1000;  // resolution: 1 ps
}

/// Notes when it is evaluated, in cycles and in SystemC's time.
struct Note {
    Cycle cycle;
    double ns;
    bool operator==(const Note&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Note& n) {
    return out << n.cycle << " at " << n.ns << " ns";
}

/// Is due every `stride` cycles, `times` times.
class Beat : public Clocked {
  public:
    Beat(Scheduler& s, Cycles stride, int times) : id(s.add(*this)), stride_(stride), left_(times) {}
    Cycle evaluate(Cycle now) override {
        notes.push_back({now, ns()});
        if (then) then(now);
        return --left_ > 0 ? now + stride_ : kNever;
    }
    Scheduler::ComponentId id;
    std::vector<Note> notes;
    std::function<void(Cycle)> then;

  private:
    Cycles stride_;
    int left_;
};

/// A process of somebody else.
class Outside : public sc_core::sc_module {
  public:
    Outside(sc_core::sc_module_name name, std::function<void()> run) : sc_module(name), run_(std::move(run)) {
        SC_HAS_PROCESS(Outside);
        SC_THREAD(thread);
    }

  private:
    void thread() { run_(); }
    std::function<void()> run_;
};

void pass(double ns) {
    sc_core::wait(ns, sc_core::SC_NS);
}

TEST(ClockDomain, JumpsOverIdleSpans) {
    Scheduler scheduler;
    kernel::ClockDomain clock("clock", scheduler, kPeriod);
    Beat beat(scheduler, 1'000'000, 5);
    scheduler.wake(beat.id, 7);
    clock.run_until_idle();
    ASSERT_EQ(beat.notes.size(), 5u);
    EXPECT_EQ(beat.notes[4].cycle, 4'000'007u);
    EXPECT_EQ(scheduler.cycles_evaluated(), 5u);
    EXPECT_EQ(beat.notes[0], (Note{7, 7}));
}

TEST(ClockDomain, RunsAheadOfSystemCWhenAloneButNotWithoutEnd) {
    Scheduler scheduler;
    kernel::ClockDomain clock("clock", scheduler, kPeriod);
    Beat beat(scheduler, 2, 5000);
    scheduler.wake(beat.id, 1);
    clock.run_until_idle();
    ASSERT_EQ(beat.notes.size(), 5000u);
    EXPECT_EQ(beat.notes[4095], (Note{8191, 1}));     // 4096 cycles in one go
    EXPECT_EQ(beat.notes[4096], (Note{8193, 8193}));  // then SystemC's time catches up
}

TEST(ClockDomain, KeepsSystemCsTimeWhileOtherEventsArePending) {
    Scheduler scheduler;
    kernel::ClockDomain clock("clock", scheduler, kPeriod);
    Beat beat(scheduler, 2, 6);
    scheduler.wake(beat.id, 1);
    Outside other("other", [] { pass(5.5); });
    clock.run_until_idle();
    EXPECT_THAT(beat.notes,
                ElementsAre(Note{1, 1}, Note{3, 3}, Note{5, 5}, Note{7, 7}, Note{9, 7}, Note{11, 7}));
}

TEST(ClockDomain, KeepsSystemCsTimeWhileSomebodyAsksForIt) {
    Scheduler scheduler;
    kernel::ClockDomain clock("clock", scheduler, kPeriod);
    Beat beat(scheduler, 2, 5);
    beat.then = [&](Cycle now) {
        if (now == 5) clock.release_time();
    };
    clock.keep_time();
    scheduler.wake(beat.id, 1);
    clock.run_until_idle();
    EXPECT_THAT(beat.notes, ElementsAre(Note{1, 1}, Note{3, 3}, Note{5, 5}, Note{7, 7}, Note{9, 7}));
}

TEST(ClockDomain, AnObserverSeesEveryCycleAtItsTime) {
    Scheduler scheduler;
    kernel::ClockDomain clock("clock", scheduler, kPeriod);
    Beat beat(scheduler, 3, 3);
    std::vector<Note> seen;
    clock.observe([&](Cycle now) { seen.push_back({now, ns()}); });
    scheduler.wake(beat.id, 2);
    clock.run_until_idle();
    EXPECT_THAT(seen, ElementsAre(Note{2, 2}, Note{5, 5}, Note{8, 8}));
}

TEST(ClockDomain, IsWokenFromOutsideInTheNextCycle) {
    Scheduler scheduler;
    kernel::ClockDomain clock("clock", scheduler, kPeriod);
    Beat far(scheduler, 1, 1), beat(scheduler, 1, 0);
    scheduler.wake(far.id, 100);
    Outside other("other", [&] {
        pass(10);
        clock.wake(beat.id);  // at the very time of a cycle: the one after
        pass(7.25);
        clock.wake(beat.id);
        pass(10);
        clock.wake(beat.id, {2.75, sc_core::SC_NS});  // 30: exactly a cycle
        clock.wake(beat.id, {2.76, sc_core::SC_NS});
    });
    clock.keep_time();
    clock.run_until_idle();
    EXPECT_THAT(beat.notes, ElementsAre(Note{11, 11}, Note{18, 18}, Note{30, 30}, Note{31, 31}));
    EXPECT_THAT(far.notes, ElementsAre(Note{100, 100}));
}

TEST(ClockDomain, KnowsTheCycleOfAnyTime) {
    Scheduler scheduler;
    std::deque<kernel::ClockDomain> clocks;
    for (const double period : {1000.0, 333.0, 1.0, 7.0}) {
        clocks.emplace_back(sc_core::sc_gen_unique_name("clock"), scheduler, period);
    }
    for (int i = 0; i < 20; ++i) {
        for (const kernel::ClockDomain& clock : clocks) {
            EXPECT_LE(clock.time_of(clock.cycle()), sc_core::sc_time_stamp());
            EXPECT_GT(clock.time_of(clock.cycle() + 1), sc_core::sc_time_stamp());
        }
        sc_core::sc_start(i % 2 == 0 ? 333.0 : 6.0, sc_core::SC_PS);
    }
    EXPECT_EQ(clocks[0].cycle(), 3u);  // at 3390 ps
    EXPECT_EQ(clocks[2].cycle(), 3390u);
}

/// Acts at the end of a cycle.
struct Actor : kernel::OnTime {
    void act(Cycle now) override { notes.push_back({now, ns()}); }
    std::vector<Note> notes;
};

TEST(ClockDomain, TimeCatchesUpWithADomainThatRanAheadBeforeSomebodyActs) {
    Scheduler scheduler;
    kernel::ClockDomain clock("clock", scheduler, kPeriod);
    Beat beat(scheduler, 10, 6), witness(scheduler, 10, 6);
    Actor actor;
    beat.then = [&](Cycle now) {
        if (now == 31) clock.on_time(actor);
    };
    scheduler.wake(beat.id, 1);
    scheduler.wake(witness.id, 1);
    clock.run_until_idle();
    EXPECT_THAT(actor.notes, ElementsAre(Note{31, 31}));
    EXPECT_EQ(witness.notes[3], (Note{31, 1}));   // evaluated ahead of time
    EXPECT_EQ(witness.notes[4], (Note{41, 31}));  // but nothing later before the actor's turn
}

TEST(ClockDomain, CarriesOverWhatComponentsThrow) {
    Scheduler scheduler;
    kernel::ClockDomain clock("clock", scheduler, kPeriod);
    Beat beat(scheduler, 1, 3);
    beat.then = [](Cycle now) {
        if (now == 4) throw ModelError("a fault of the model");
    };
    scheduler.wake(beat.id, 3);
    try {
        clock.run_until_idle();
        FAIL() << "nothing thrown";
    } catch (const ModelError& e) {
        EXPECT_STREQ(e.what(), "a fault of the model");
    }
}

TEST(ClockDomain, CarriesOverWhatTheWatchdogAndOtherProcessesThrow) {
    Scheduler scheduler;
    kernel::ClockDomain clock("clock", scheduler, kPeriod);
    Beat beat(scheduler, 1, 1 << 17);
    scheduler.wake(beat.id, 1);
    clock.watchdog([](Cycle now) { throw ModelError("stuck at " + std::to_string(now)); });
    try {
        clock.run_until_idle();
        FAIL() << "nothing thrown";
    } catch (const ModelError& e) {
        EXPECT_STREQ(e.what(), "stuck at 65536");
    }
}

TEST(ClockDomain, AFaultOfAnotherProcessIsAModelError) {
    LOOM_FAULT_IN_A_THREAD();
    Scheduler scheduler;
    kernel::ClockDomain clock("clock", scheduler, kPeriod);
    Beat beat(scheduler, 10, 100);
    scheduler.wake(beat.id, 1);
    Outside other("other", [] {
        pass(20);
        throw std::runtime_error("the user's own fault");
    });
    try {
        clock.run_until_idle();
        FAIL() << "nothing thrown";
    } catch (const ModelError& e) {
        EXPECT_THAT(e.what(), HasSubstr("the user's own fault"));
    }
}

TEST(ClockDomain, EndsAlthoughAClockOfSomebodyElseRunsOnAndGoesOnLater) {
    Scheduler scheduler;
    kernel::ClockDomain clock("clock", scheduler, kPeriod);
    sc_core::sc_clock other("other", 0.7, sc_core::SC_NS);
    Beat beat(scheduler, 5, 4);
    scheduler.wake(beat.id, 1);
    clock.run_until_idle();
    EXPECT_EQ(beat.notes.size(), 4u);
    scheduler.wake(beat.id, 30);
    clock.run_until_idle();
    EXPECT_EQ(beat.notes.back(), (Note{30, 30}));
}

TEST(ClockDomain, ServesAPlatformThatStartsSystemCItself) {
    LOOM_FAULT_IN_A_THREAD();
    Scheduler scheduler;
    kernel::ClockDomain clock("clock", scheduler, kPeriod);
    Beat beat(scheduler, 5, 4);
    beat.then = [](Cycle now) {
        if (now == 45) throw ModelError("a fault of the model");
    };
    std::vector<double> idle;
    std::string failure;
    clock.serve([&] { idle.push_back(ns()); },
                [&](std::exception_ptr e) {
                    try {
                        std::rethrow_exception(e);
                    } catch (const ModelError& error) {
                        failure = error.what();
                    }
                });
    Outside host("host", [&] {
        pass(12);
        scheduler.wake(beat.id, clock.cycle() + 3);
        clock.resume();
        pass(28);
        scheduler.wake(beat.id, clock.cycle() + 5);
        clock.resume();
    });
    sc_core::sc_start();
    EXPECT_THAT(beat.notes,
                ElementsAre(Note{15, 15}, Note{20, 20}, Note{25, 25}, Note{30, 30}, Note{45, 45}));
    EXPECT_THAT(idle, ElementsAre(30));
    EXPECT_EQ(failure, "a fault of the model");
}

}  // namespace
}  // namespace loom
