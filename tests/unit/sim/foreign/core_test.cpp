// SPDX-License-Identifier: Apache-2.0
// Cores of the user among built-in ones. Every test is a process of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/thread_faults.hpp"
#include "base/config/reader.hpp"
#include "base/config/writer.hpp"
#include "base/error.hpp"
#include "sim/foreign/foreign_kind.hpp"
#include "tests/unit/sim/foreign/chains.hpp"

namespace loom {
namespace {
using test::Chip;
using test::Outcome;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two threads of its own: one takes packets, 2.5 ns each, the other sweeps, 1.3 ns a neuron.
class FifoIf final : public foreign::FifoCore {
  public:
    explicit FifoIf(sc_core::sc_module_name name) : FifoCore(name) {
        SC_HAS_PROCESS(FifoIf);
        SC_THREAD(take);
        SC_THREAD(sweep);
    }
    void load(const foreign::CoreSite& site) override { neurons_.load(site); }
    void begin_step(Step step) override {
        due_ = neurons_.step(step);
        work(1);
        begins_.notify();
    }
    Cycles reset() override { return neurons_.clear(), 8; }
    double membrane(std::uint32_t n) const override { return neurons_.membrane(n); }

  private:
    void work(int n) { set_busy((jobs_ += n) != 0); }
    void take() {
        while (true) {
            const Packet p = in.read();
            work(1);
            neurons_.add(p);
            wait(2.5, sc_core::SC_NS);
            work(-1);
        }
    }
    void sweep() {
        while (true) {
            wait(begins_);
            for (const std::uint32_t n : due_) {
                wait(1.3, sc_core::SC_NS);
                if (!neurons_.has_fanout(n)) fire(n);
                neurons_.packets(n, [&](const Packet& p) { out.write(p); });
            }
            work(-1);
        }
    }
    test::Neurons neurons_;
    std::vector<std::uint32_t> due_;
    sc_core::sc_event begins_;
    int jobs_ = 0;
};

TEST(ForeignCore, InTheMiddleGivesTheSpikesOfTheBuiltInOne) {
    const arch::ChipSpec spec = test::two_kinds();
    const arch::Program program = test::chain({0, 4, 8}, {0, 1, 0});
    foreign::Modules modules;
    modules.core<FifoIf>("my_core");
    Chip chip(spec, program, modules, test::placed("my_core"), 12);
    const Outcome expected = test::built_in(spec, program, 12);
    for (int sample = 0; sample < 2; ++sample) {
        const Outcome got = test::run(chip.model, chip.clock);
        EXPECT_EQ(got.spikes, expected.spikes) << "sample " << sample;
        std::size_t spikes = 0;
        for (const auto& step : got.spikes) spikes += step.size();
        EXPECT_GT(spikes, 40u);
        EXPECT_EQ(chip.model.activity().outstanding(), 0);
    }
    const auto& counters = chip.model.cores()[1]->counters();
    ASSERT_EQ(counters.size(), 1u);
    EXPECT_GT(counters[0].packets_in, 0u);
    EXPECT_EQ(counters[0].packets_out, counters[0].spikes);
}

TEST(ForeignCore, AtTheEndReportsSpikesAndMembranesOfTheReadOut) {
    const arch::ChipSpec spec = test::two_kinds();
    const arch::Program program = test::chain({3, 5}, {1, 1});
    foreign::Modules modules;
    modules.core<FifoIf>("my_core");
    Chip chip(spec, program, modules, test::placed("my_core"), 10);
    EXPECT_EQ(test::run(chip.model, chip.clock).spikes, test::built_in(spec, program, 10).spikes);
    chip::ChipModel reference(spec, program, {}, 10);
    PlainLoop loop(reference.scheduler());
    test::run(reference, loop);
    std::vector<double> v, w;
    chip.model.read_layer(LayerId{2}, chip::ChipModel::Quantity::Membrane, v);
    reference.read_layer(LayerId{2}, chip::ChipModel::Quantity::Membrane, w);
    EXPECT_EQ(v, w);
}

TEST(ForeignCore, ItsTimeCountsInTheTimestep) {
    const arch::ChipSpec spec = test::two_kinds();
    const arch::Program program = test::chain({0}, {1});
    foreign::Modules modules;
    modules.core<FifoIf>("my_core");
    Chip chip(spec, program, modules, test::placed("my_core"), 4);
    const Outcome got = test::run(chip.model, chip.clock);
    // four packets of a step one after the other, 2.5 ns of 1 ns cycles each
    EXPECT_GE(got.timing.steps[0].cycles, 4 * 2.5);
    EXPECT_LE(got.timing.steps[0].cycles, 4 * 3 + 12);
    EXPECT_EQ(got.timing.reset_cycles, 8u);
}

/// Takes nothing.
class Deaf final : public foreign::FifoCore {
  public:
    using FifoCore::FifoCore;
};

TEST(ForeignCore, ThatTakesNothingIsFoundAsADeadlock) {
    const arch::ChipSpec spec = test::two_kinds();
    const arch::Program program = test::chain({0}, {1});
    foreign::Modules modules;
    modules.core<Deaf>("deaf");
    Chip chip(spec, program, modules, test::placed("deaf"), 4);
    try {
        test::run(chip.model, chip.clock);
        FAIL() << "nothing thrown";
    } catch (const ModelError& e) {
        EXPECT_THAT(e.what(), HasSubstr("deadlock in timestep 0"));
    }
}

/// Sends where nobody expects it.
class Stray final : public foreign::FifoCore {
  public:
    explicit Stray(sc_core::sc_module_name name) : FifoCore(name) {
        SC_HAS_PROCESS(Stray);
        SC_THREAD(run);
    }

  private:
    void run() {
        in.read();
        Packet p;
        p.destination = Destination::endpoint(EndpointId{1});
        p.axon = 77;
        out.write(p);
    }
};

TEST(ForeignCore, AStrayPacketIsAFaultThatNamesTheModule) {
    LOOM_FAULT_IN_A_THREAD();
    const arch::ChipSpec spec = test::two_kinds();
    const arch::Program program = test::chain({2}, {1});
    foreign::Modules modules;
    modules.core<Stray>("stray");
    Chip chip(spec, program, modules, test::placed("stray"), 4);
    try {
        test::run(chip.model, chip.clock);
        FAIL() << "nothing thrown";
    } catch (const ModelError& e) {
        EXPECT_THAT(e.what(), HasSubstr("stray_2: sends a packet to axon 77 of core 1"));
    }
}

TEST(Modules, UnknownNamesAreErrorsThatNameTheNearest) {
    foreign::Placement place = test::placed("my_cor");
    foreign::Modules modules;
    const auto message = [&] {
        try {
            modules.check(place);
        } catch (const ConfigError& e) {
            return std::string(e.what());
        }
        return std::string("fine");
    };
    EXPECT_THAT(message(), HasSubstr("cores.1.module: unknown 'my_cor'; this program has no core modules"));
    modules.core<FifoIf>("my_core").core<Deaf>("deaf");
    EXPECT_EQ(message(),
              "cores.1.module: unknown `my_cor`; did you mean 'my_core'? (registered: deaf, my_core)");
    place.cores[1] = "my_core";
    EXPECT_EQ(message(), "fine");
    place.network = "my_net";
    EXPECT_THAT(message(), HasSubstr("noc.router.kind: unknown 'my_net'"));
    place = {{"de"}, std::nullopt};
    EXPECT_THAT(message(), HasSubstr("core.module: unknown"));
    EXPECT_THROW(modules.core<Deaf>("deaf"), ConfigError);
}

TEST(Modules, SamplesAreDividedAmongProcessesOnlyWhenAModuleAllowsIt) {
    const foreign::Placement place = test::placed("deaf");
    foreign::Modules no, yes;
    no.core<Deaf>("deaf");
    yes.core<Deaf>("deaf", {.samples_in_processes = true});
    EXPECT_EQ(no.needs_one_process(place), "deaf");
    EXPECT_EQ(yes.needs_one_process(place), "");
    EXPECT_FALSE(place.empty());
    EXPECT_TRUE((foreign::Placement{{std::nullopt}, std::nullopt}.empty()));
}

/// A chip file's core, read with the kind `foreign` in the catalogue.
arch::ChipSpec read(const std::string& core, const arch::CoreKinds& kinds) {
    arch::ChipSpec chip(kinds);
    config::read_into(config::load_text("{name: c, core: " + core + "}", "chip.yaml"), "", chip);
    return chip;
}

TEST(ForeignKind, IsChosenInYamlByTheModulesName) {
    foreign::Modules modules;
    modules.core<Deaf>("deaf");
    arch::CoreKinds kinds;
    cores::add_builtin(kinds);
    kinds.add(std::make_unique<foreign::ForeignKind>(modules));
    const auto refusal = [&](const std::string& core) {
        try {
            arch::check_kinds(read(core, kinds));
        } catch (const ConfigError& e) {
            return std::string(e.what());
        }
        return std::string("fine");
    };
    EXPECT_EQ(refusal("{kind: foreign, module: deaf}"), "fine");
    EXPECT_THAT(refusal("{kind: foreign, module: def}"),
                HasSubstr("core.module: unknown `def`; did you mean 'deaf'"));
    EXPECT_THAT(refusal("{kind: foreign}"), HasSubstr("core.module: a core of kind foreign needs"));
    const auto place = foreign::placement_of(read("{kind: foreign, module: deaf}", kinds), modules);
    ASSERT_EQ(place.cores.size(), 1u);
    EXPECT_EQ(place.cores[0], "deaf");
    EXPECT_FALSE(place.network);
    const arch::ChipSpec plain = read("{kind: near_memory}", kinds);
    EXPECT_TRUE(foreign::placement_of(plain, modules).empty());
    EXPECT_EQ(config::emit(config::to_node(plain)).find("module"), std::string::npos);
}

}  // namespace
}  // namespace loom
