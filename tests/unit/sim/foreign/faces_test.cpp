// SPDX-License-Identifier: Apache-2.0
// One core behind sockets of TLM-2.0 and behind pins. Every test is a process of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "sim/foreign/tlm_face.hpp"
#include "tests/unit/sim/foreign/rtl_core.hpp"

namespace loom {
namespace {
using test::Chip;
using test::Outcome;
using ::testing::HasSubstr;

/// How a TLM core ends its requests.
enum class Ends { AtOnce, Annotated, Later };

template <Ends kEnds>
class TlmIf final : public foreign::TlmCore {
  public:
    explicit TlmIf(sc_core::sc_module_name name) : TlmCore(name) {
        SC_HAS_PROCESS(TlmIf);
        SC_METHOD(taken);
        dont_initialize();
        sensitive << taken_;
    }
    void load(const foreign::CoreSite& site) override { neurons_.load(site); }
    Cycles reset() override { return neurons_.clear(), 8; }
    void begin_step(Step step) override {
        for (const std::uint32_t n : neurons_.step(step)) {
            if (!neurons_.has_fanout(n)) fire(n);
            neurons_.packets(n, [&](const Packet& p) { queue_.push_back(p); });
        }
        next();
    }
    bool receive(const Packet& p, sc_core::sc_time& delay) override {
        neurons_.add(p);
        if (kEnds == Ends::Annotated) delay = sc_core::sc_time(1700, sc_core::SC_PS);
        if (kEnds != Ends::Later) return true;
        taken_.notify(2300, sc_core::SC_PS);
        return false;
    }
    void sent() override { next(); }

  private:
    void taken() { done(); }
    void next() {
        if (queue_.empty() || !can_send()) return;
        send(queue_.front(), sc_core::sc_time(900, sc_core::SC_PS));
        queue_.pop_front();
    }
    test::Neurons neurons_;
    std::deque<Packet> queue_;
    sc_core::sc_event taken_;
};

template <class Core>
Outcome with_core(const arch::ChipSpec& spec, const arch::Program& program, Step steps) {
    foreign::Modules modules;
    modules.core<Core>("my_core");
    Chip chip(spec, program, modules, test::placed("my_core"), steps);
    const Outcome first = test::run(chip.model, chip.clock), second = test::run(chip.model, chip.clock);
    EXPECT_EQ(first.spikes, second.spikes);
    EXPECT_EQ(first.timing.cycles, second.timing.cycles);
    EXPECT_EQ(chip.model.activity().outstanding(), 0);
    return second;
}

template <class Core>
void expect_spikes_of_the_built_in_core() {
    const arch::ChipSpec spec = test::two_kinds();
    const arch::Program program = test::chain({0, 4, 8}, {0, 1, 0});
    EXPECT_EQ(with_core<Core>(spec, program, 12).spikes, test::built_in(spec, program, 12).spikes);
}

TEST(TlmFace, ACoreThatEndsRequestsAtOnce) {
    expect_spikes_of_the_built_in_core<TlmIf<Ends::AtOnce>>();
}
TEST(TlmFace, ACoreThatAnnotatesWhenRequestsEnd) {
    expect_spikes_of_the_built_in_core<TlmIf<Ends::Annotated>>();
}
TEST(TlmFace, ACoreThatEndsRequestsLater) {
    expect_spikes_of_the_built_in_core<TlmIf<Ends::Later>>();
}

TEST(TlmFace, ACreditThatComesLaterHoldsUpThePacketBehind) {
    const arch::ChipSpec spec = test::two_kinds();
    const arch::Program program = test::chain({0}, {1});
    const Outcome later = with_core<TlmIf<Ends::Later>>(spec, program, 2);
    // the four packets of a step leave the host in four cycles and take 2.3 ns each: cycles 0, 3, 6, 9 -> 12
    const Cycles way = 4;
    EXPECT_GE(later.timing.steps[0].cycles, 12u);
    EXPECT_LE(later.timing.steps[0].cycles, 12u + 2 * way + 4);
}

/// Sends twice without waiting for the credit.
class Hasty final : public foreign::TlmCore {
  public:
    using TlmCore::TlmCore;
    bool receive(const Packet&, sc_core::sc_time&) override { return true; }
    void begin_step(Step) override {
        Packet p;
        send(p);
        send(p);
    }
};

TEST(TlmFace, APacketBeforeTheCreditIsAFault) {
    const arch::ChipSpec spec = test::two_kinds();
    const arch::Program program = test::chain({0}, {1});
    foreign::Modules modules;
    modules.core<Hasty>("hasty");
    Chip chip(spec, program, modules, test::placed("hasty"), 2);
    try {
        test::run(chip.model, chip.clock);
        FAIL() << "nothing thrown";
    } catch (const ModelError& e) {
        EXPECT_THAT(e.what(), HasSubstr("before the credit"));
    }
}

TEST(PinFace, ARegisterTransferCoreGivesSpikesAndCyclesOfTheBuiltInOne) {
    const arch::ChipSpec spec = test::two_kinds();
    for (const auto& kinds : {std::vector<std::uint32_t>{0, 1, 0}}) {
        const arch::Program program = test::chain({0, 4, 8}, kinds);
        const Outcome got = with_core<test::PinIf>(spec, program, 12),
                      expected = test::built_in(spec, program, 12);
        EXPECT_EQ(got.spikes, expected.spikes);
        EXPECT_EQ(got.timing.reset_cycles, expected.timing.reset_cycles);
        EXPECT_EQ(got.timing.cycles, expected.timing.cycles);
        ASSERT_EQ(got.timing.steps.size(), expected.timing.steps.size());
        for (std::size_t s = 0; s < got.timing.steps.size(); ++s)
            EXPECT_EQ(got.timing.steps[s].cycles, expected.timing.steps[s].cycles) << "timestep " << s;
    }
}

TEST(PinFace, AChipOfRegisterTransferCoresOnlyGivesThemToo) {
    const arch::ChipSpec spec = test::two_kinds();
    const arch::Program program = test::chain({7, 1, 3, 2}, {1, 1, 1, 1});
    const Outcome got = with_core<test::PinIf>(spec, program, 15),
                  expected = test::built_in(spec, program, 15);
    EXPECT_EQ(got.spikes, expected.spikes);
    for (std::size_t s = 0; s < got.timing.steps.size(); ++s)
        EXPECT_EQ(got.timing.steps[s].cycles, expected.timing.steps[s].cycles) << "timestep " << s;
}

TEST(PinFace, TheClockStandsStillWhileTheCoreHasNothingToDo) {
    arch::ChipSpec spec = test::two_kinds();
    spec.timestep.latency = 100'000;
    const arch::Program program = test::chain({0}, {1});
    foreign::Modules modules;
    modules.core<test::PinIf>("my_core");
    Chip chip(spec, program, modules, test::placed("my_core"), 5);
    const auto t = test::run(chip.model, chip.clock);
    EXPECT_GT(t.timing.cycles, 500'000u);
    EXPECT_LT(chip.model.scheduler().cycles_evaluated(), 500u);
}

}  // namespace
}  // namespace loom
