// SPDX-License-Identifier: Apache-2.0
// What every kind of core promises, whatever it costs and counts: a kind joins with its line in kContract.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "arch/core_kinds.hpp"
#include "base/config/located_yaml.hpp"
#include "tests/support/core_kinds.hpp"
#include "tests/support/program_builder.hpp"
#include "tests/unit/cores/core_fixture.hpp"

namespace loom {
namespace {

using support::ProgramBuilder;

/// A kind, and a chip file with such cores that compute without noise.
struct Contract {
    const char* kind;
    const char* chip;
};
constexpr Contract kContract[] = {
    {"near_memory", "mesh45"},
    {"cim", "cim_sram_digital"},
    {"serial", "serial"},
};

arch::ChipSpec chip_file(const std::string& name) {
    return arch::with_derived_prices(support::read_chip(
        config::load_tree(std::string(LOOM_SOURCE_DIR) + "/configs/chips/" + name + ".yaml")));
}

constexpr std::uint32_t kInputs = 24, kNeurons = 6, kEntries = 2;

/// Weights of both signs; neurons that fire now and then.
ProgramBuilder builder(const arch::ChipSpec& chip) {
    ProgramBuilder b(chip);
    b.inputs(kInputs).neurons(kNeurons).threshold(7).fanout(kEntries);
    b.weight([](std::uint32_t i, std::uint32_t n) { return static_cast<int>((3 * i + 5 * n) % 7) - 2; });
    return b;
}

/// What a core did, seen from outside; times count from the start.
struct Seen {
    std::vector<std::vector<std::uint32_t>> spikes;  ///< [timesteps]
    std::vector<std::vector<double>> membranes;      ///< [timesteps][neurons]
    std::vector<std::pair<Cycle, std::uint32_t>> packets;
    std::map<std::string, std::uint64_t> events;
    bool operator==(const Seen&) const = default;
};

/// A core of a chip with the program, between links.
class Bench {
  public:
    Bench(const arch::ChipSpec& spec, arch::Program program, std::uint64_t shuffle = 0)
        : spec_(spec), program_(std::move(program)), in_(1, 64), out_(1, 2) {
        if (shuffle != 0) scheduler_.shuffle(shuffle);
        cores::CoreContext context;
        context.scheduler = &scheduler_;
        context.activity = &activity_;
        context.in = &in_;
        context.out = &out_;
        core_ = cores::make_core(spec_, std::make_shared<const arch::CoreImage>(program_.cores[0]), program_,
                                 context, {});
        id_ = scheduler_.add(*core_);
        core_->set_component(id_);
        in_.connect_consumer(scheduler_, id_, *core_, 0);
        out_.connect_producer(scheduler_, id_, *core_, 1);
        peer_ = std::make_unique<testing::Peer>(scheduler_, activity_, in_, out_);
    }

    cores::Core& core() { return *core_; }
    testing::Peer& peer() { return *peer_; }
    const Activity& activity() const { return activity_; }
    Scheduler& scheduler() { return scheduler_; }
    void drain() {
        while (scheduler_.run_next()) {
        }
    }
    std::map<std::string, std::uint64_t> events() const {
        std::vector<arch::EventInfo> names;
        arch::append_events<cores::CoreCounters>(names);
        std::map<std::string, std::uint64_t> out;
        for (std::size_t layer = 0; layer < core_->layers().size(); ++layer) {
            const cores::CoreTotals t = core_->totals(layer);
            std::vector<std::uint64_t> common;
            cores::add_counters(t.common, common);
            for (std::size_t i = 0; i < common.size(); ++i) out[names[i].name] += common[i];
            const auto own = spec_.core.type().own_events();
            for (std::size_t i = 0; i < t.own.size(); ++i) out[own.at(i).name] += t.own[i];
        }
        return out;
    }

    /// A sample: every input at most once a timestep, by chance. Starts at the first cycle that is free.
    Seen run(std::uint64_t seed, Step steps = 8) {
        std::mt19937_64 rng(seed);
        const auto before = events();
        const std::size_t first = peer_->received.size();
        core_->set_sample(0);
        const Cycle start = scheduler_.now() + 1 + core_->reset_state();
        Seen seen;
        Cycle at = start;
        for (Step t = 0; t < steps; ++t, at += 4000) {
            core_->begin_step(at, t);
            for (std::uint32_t i = 0; i < kInputs; ++i) {
                if (rng() % 3 == 0) peer_->send(at + 1, i);
            }
            drain();
            EXPECT_LT(scheduler_.now(), at + 4000) << "the timestep of the test is too short";
            seen.spikes.emplace_back(core_->spikes().begin(), core_->spikes().end());
            seen.membranes.emplace_back();
            for (std::uint32_t n = 0; n < kNeurons; ++n) seen.membranes.back().push_back(core_->membrane(n));
        }
        for (std::size_t i = first; i < peer_->received.size(); ++i)
            seen.packets.emplace_back(peer_->received[i].first - start, peer_->received[i].second.axon);
        for (const auto& [name, n] : events()) {
            const auto had = before.find(name);
            seen.events[name] = n - (had == before.end() ? 0 : had->second);
        }
        return seen;
    }

  private:
    arch::ChipSpec spec_;
    arch::Program program_;
    Scheduler scheduler_;
    Activity activity_;
    Link<Packet> in_, out_;
    std::unique_ptr<cores::Core> core_;
    std::unique_ptr<testing::Peer> peer_;
    Scheduler::ComponentId id_ = 0;
};

class CoreContract : public ::testing::TestWithParam<Contract> {
  protected:
    arch::ChipSpec chip = chip_file(GetParam().chip);
    const arch::CoreKind& kind() const { return chip.core.type(); }
};

TEST_P(CoreContract, TheChipFileHasCoresOfTheKind) {
    EXPECT_EQ(chip.core.kind, GetParam().kind);
    EXPECT_EQ(kind().name(), GetParam().kind);
    EXPECT_NO_THROW(arch::check_kinds(chip));
}

TEST_P(CoreContract, ALoadedCoreKnowsItsLayerAndHasCountedNothing) {
    Bench b(chip, builder(chip).build());
    ASSERT_EQ(b.core().layers().size(), 1u);
    EXPECT_EQ(b.core().layers()[0], LayerId{1});
    EXPECT_EQ(b.core().counters().size(), b.core().layers().size());
    EXPECT_EQ(b.core().totals(0).own.size(), kind().own_events().size());
    for (const auto& [name, n] : b.events()) EXPECT_EQ(n, 0u) << name;
    EXPECT_TRUE(b.core().quiescent());
}

TEST_P(CoreContract, NoPacketIsLost) {
    Bench b(chip, builder(chip).threshold(1 << 20).build());
    b.core().reset_state();
    std::vector<double> want(kNeurons, 0.0);
    b.core().begin_step(1, 0);
    for (std::uint32_t i = 0; i < kInputs; ++i) {
        b.peer().send(2, i);
        for (std::uint32_t n = 0; n < kNeurons; ++n) want[n] += static_cast<int>((3 * i + 5 * n) % 7) - 2;
    }
    b.drain();
    b.core().begin_step(100'000, 1);
    b.drain();
    EXPECT_EQ(b.events()["axon_in.packets"], kInputs);
    EXPECT_EQ(b.events()[std::string(kind().accumulate_event())], kInputs * kNeurons);
    for (std::uint32_t n = 0; n < kNeurons; ++n) EXPECT_EQ(b.core().membrane(n), want[n]) << n;
    EXPECT_EQ(b.activity().outstanding(), 0);
}

TEST_P(CoreContract, EverySpikeLeavesOncePerFanoutEntry) {
    Bench b(chip, builder(chip).build());
    const Seen seen = b.run(1);
    std::size_t spikes = 0;
    for (const auto& s : seen.spikes) spikes += s.size();
    EXPECT_GT(spikes, 0u);
    EXPECT_EQ(seen.packets.size(), spikes * kEntries);
    EXPECT_EQ(seen.events.at("soma.spikes"), spikes);
    EXPECT_EQ(seen.events.at("axon_out.packets"), spikes * kEntries);
    EXPECT_EQ(b.activity().outstanding(), 0);
}

/// A core that says that it is quiescent counts nothing more and sends nothing more until it is asked to.
TEST_P(CoreContract, QuiescentMeansQuiescent) {
    Bench b(chip, builder(chip).build());
    b.run(2);
    b.core().reset_state();
    b.core().begin_step(b.scheduler().now() + 1, 0);
    for (std::uint32_t i = 0; i < kInputs; ++i) b.peer().send(b.scheduler().now() + 1, i);
    bool busy = false;
    std::map<std::string, std::uint64_t> at_rest;
    while (b.scheduler().run_next()) {
        busy |= !b.core().quiescent();
        if (!at_rest.empty() && b.core().quiescent()) {
            EXPECT_EQ(b.events(), at_rest);
        }
        at_rest.clear();
        if (b.core().quiescent() && b.events()["axon_in.packets"] % kInputs == 0) at_rest = b.events();
    }
    EXPECT_TRUE(busy);
    EXPECT_TRUE(b.core().quiescent());
    EXPECT_EQ(b.activity().outstanding(), 0);
}

TEST_P(CoreContract, WhatItCountsItSaysAndThePriceListKnows) {
    Bench b(chip, builder(chip).build());
    for (const auto& [name, n] : b.run(3).events) {
        EXPECT_TRUE(n == 0 || kind().counts(name, chip.core)) << name;
    }
    std::vector<arch::EventInfo> all = kind().own_events();
    arch::append_events<cores::CoreCounters>(all);
    for (const arch::EventInfo& e : all) {
        const bool needed = e.priced && kind().counts(e.name, chip.core);
        EXPECT_TRUE(!needed || arch::price_of(chip, 0, e.name).known()) << e.name;
    }
    for (const std::string_view operation : {kind().accumulate_event(), kind().multiply_event()}) {
        EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const auto& e) { return e.name == operation; }));
        EXPECT_TRUE(kind().counts(operation, chip.core)) << operation;
    }
}

TEST_P(CoreContract, WhatIsExpectedCanBeCounted) {
    arch::ExpectedInput in;
    in.events = 100;
    in.synops = 1000;
    in.run = 10;
    in.matrix = {64, 10, 1};
    std::map<std::string, double> expected;
    kind().expect(chip, 0, in, 8,
                  [&](std::string_view event, double n) { expected[std::string(event)] += n; });
    EXPECT_EQ(expected["axon_in.packets"], 100);
    for (const auto& [name, n] : expected) {
        EXPECT_GE(n, 0) << name;
        EXPECT_TRUE(n == 0 || kind().counts(name, chip.core)) << name;
    }
}

TEST_P(CoreContract, TheStoreHoldsAMatrixAndMoreTakesMore) {
    const arch::WeightStore store = kind().weight_store(chip.core);
    EXPECT_GT(store.capacity, 0u);
    EXPECT_FALSE(store.resource.empty());
    const auto need = [&](std::uint64_t rows, std::uint64_t outputs) {
        return kind().need(chip.core, {rows * outputs, false, {rows, outputs, 1}, 1});
    };
    EXPECT_GT(need(1, 1), 0u);
    EXPECT_LE(need(kInputs, kNeurons), store.capacity);
    EXPECT_GT(need(1 << 16, 1 << 10), need(kInputs, kNeurons));
    EXPECT_GT(kind().weight_format(chip.core).bits, 1u);
}

TEST_P(CoreContract, ResetIsComplete) {
    Bench b(chip, builder(chip).build());
    b.run(4, 3);  // leaves membranes, sums that have not counted yet, a position in the pipeline
    b.core().begin_step(b.scheduler().now() + 1, 3);
    for (std::uint32_t i = 0; i < kInputs; ++i) b.peer().send(b.scheduler().now() + 1, i);
    b.drain();
    const Seen second = b.run(5);
    Bench fresh(chip, builder(chip).build());
    EXPECT_EQ(second, fresh.run(5));
}

TEST_P(CoreContract, TheOrderOfEvaluationDoesNotMatter) {
    Bench plain(chip, builder(chip).build());
    const Seen want = plain.run(6);
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Bench b(chip, builder(chip).build(), seed);
        EXPECT_EQ(b.run(6), want) << seed;
    }
}

/// Chips differ in what a program costs, not in what it computes.
TEST_P(CoreContract, TheProgramGivesTheSpikesOfNearMemoryCores) {
    for (const std::uint8_t delay : {std::uint8_t{1}, std::uint8_t{3}}) {
        arch::ChipSpec reference = chip_file("mesh45");
        reference.core.soma.decay_bits = chip.core.soma.decay_bits;
        Bench a(reference, builder(reference).delay(delay).build());
        Bench b(chip, builder(chip).delay(delay).build());
        const Seen want = a.run(7, 12), got = b.run(7, 12);
        EXPECT_EQ(got.spikes, want.spikes);
        EXPECT_EQ(got.membranes, want.membranes);
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, CoreContract, ::testing::ValuesIn(kContract),
                         [](const auto& param) { return std::string(param.param.kind); });

/// No kind comes with the program without its line above.
TEST(CoreContracts, EveryKindOfTheCatalogueHasItsLine) {
    for (const auto& kind : support::core_kinds().all()) {
        EXPECT_TRUE(std::any_of(std::begin(kContract), std::end(kContract), [&](const Contract& c) {
            return c.kind == kind->name();
        })) << kind->name();
    }
}

}  // namespace
}  // namespace loom
