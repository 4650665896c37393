// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/error.hpp"
#include "base/clocking/time_loop.hpp"
#include "base/clocking/link.hpp"
#include "base/clocking/packet.hpp"

namespace loom {
namespace {

/// Notes when it is evaluated, and asks for the given cycles one after the other.
class Noting final : public Clocked {
  public:
    explicit Noting(std::vector<Cycle> wishes = {}) : wishes_(std::move(wishes)) {}
    Cycle evaluate(Cycle now) override {
        at.push_back(now);
        return next_ < wishes_.size() ? wishes_[next_++] : kNever;
    }
    std::vector<Cycle> at;

  private:
    std::vector<Cycle> wishes_;
    std::size_t next_ = 0;
};

TEST(Scheduler, JumpsToWhatIsDueNearAndFar) {
    Scheduler s;
    Noting a({7, 2000, 5'000'000'000, 5'000'000'001});
    const auto id = s.add(a);
    EXPECT_EQ(s.next(), kNever);
    s.wake(id, 3);
    s.wake(id, 3);
    PlainLoop(s).run_until_idle();
    EXPECT_THAT(a.at, ::testing::ElementsAre(3, 7, 2000, 5'000'000'000, 5'000'000'001));
    EXPECT_EQ(s.cycles_evaluated(), 5u);
    EXPECT_THROW(s.wake(id, 4), InternalError);
}

TEST(Scheduler, RandomWakesComeOnceAndInOrder) {
    std::mt19937_64 rng(1);
    for (int round = 0; round < 50; ++round) {
        Scheduler s;
        Noting a;
        const auto id = s.add(a);
        std::set<Cycle> want;
        for (int i = 0; i < 300; ++i) {
            const Cycle c = rng() % (round % 2 == 0 ? 900 : 100000);
            want.insert(c);
            s.wake(id, c);
        }
        PlainLoop(s).run_until_idle();
        EXPECT_EQ(a.at, std::vector<Cycle>(want.begin(), want.end()));
    }
}

TEST(Link, LatencyCreditsAndOrder) {
    Link<int> link(3, 2, 4);
    ASSERT_TRUE(link.can_send(10));
    link.send(10, 1);
    link.send(10, 2);
    EXPECT_FALSE(link.can_send(10));
    EXPECT_THROW(link.send(10, 3), ModelError);
    EXPECT_EQ(link.peek(12), nullptr);
    EXPECT_EQ(link.next_ready(), 13u);
    EXPECT_EQ(link.take(13), 1);
    EXPECT_FALSE(link.can_send(16)) << "the slot is back after 4 cycles";
    EXPECT_TRUE(link.can_send(17));
    EXPECT_EQ(link.take(17), 2);
    EXPECT_THROW(link.take(17), ModelError);
    EXPECT_THROW(Link<int>(0, 1), InternalError);
    EXPECT_THROW(Link<int>(1, 0), InternalError);
}

TEST(Link, AStarvedSenderIsWokenWhenACreditIsBack) {
    for (const bool asks_first : {true, false}) {
        Scheduler s;
        Noting sender, receiver;
        const auto a = s.add(sender), b = s.add(receiver);
        Link<int> link(1, 1, 5);
        link.connect_producer(s, a, sender);
        link.connect_consumer(s, b, receiver);
        link.send(0, 1);
        // both orders of evaluation within cycle 2
        if (asks_first) {
            EXPECT_FALSE(link.can_send(2));
        }
        link.take(2);
        if (!asks_first) {
            EXPECT_FALSE(link.can_send(2));
        }
        PlainLoop(s).run_until_idle();
        EXPECT_THAT(sender.at, ::testing::ElementsAre(7));
        EXPECT_THAT(receiver.at, ::testing::ElementsAre(1));
        EXPECT_TRUE(link.can_send(7));
    }
    // a sender that never asks is left alone
    Scheduler s;
    Noting sender;
    const auto a = s.add(sender);
    Link<int> link(1, 2, 5);
    link.connect_producer(s, a, sender);
    link.send(0, 1);
    link.take(1);
    PlainLoop(s).run_until_idle();
    EXPECT_TRUE(sender.at.empty());
}

TEST(Activity, TheWatcherIsWokenWhenAllIsDone) {
    Scheduler s;
    Noting w;
    Activity activity;
    activity.watch(s, s.add(w));
    activity.raise(2);
    activity.lower(4);
    activity.raise();
    activity.lower(9, 2);
    PlainLoop(s).run_until_idle();
    EXPECT_THAT(w.at, ::testing::ElementsAre(10));
    EXPECT_EQ(activity.last_change(), 9u);
}

TEST(TimeLoop, TheWatchdogIsAskedNowAndThen) {
    class Forever final : public Clocked {
      public:
        Cycle evaluate(Cycle now) override { return now + 1; }
    } forever;
    Scheduler s;
    s.wake(s.add(forever), 0);
    PlainLoop loop(s);
    loop.watchdog([](Cycle now) {
        if (now > 200'000) throw ModelError("stop");
    });
    EXPECT_THROW(loop.run_until_idle(), ModelError);
    EXPECT_LT(s.now(), 400'000u);
}

}  // namespace
}  // namespace loom
