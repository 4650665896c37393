// SPDX-License-Identifier: Apache-2.0
// The Verilog of examples/verilated_core, as Verilator translates it, against the built-in core on one
// program.
#include <gtest/gtest.h>

#include "examples/verilated_core/verilated_if.hpp"
#include "tests/unit/sim/foreign/chains.hpp"

namespace loom {
namespace {
using test::Outcome;

void expect_the_built_in_core(const std::vector<std::uint32_t>& endpoints,
                              const std::vector<std::uint32_t>& kinds) {
    const arch::ChipSpec spec = test::two_kinds();
    const arch::Program program = test::chain(endpoints, kinds);
    foreign::Modules modules;
    modules.core<VerilatedIf>("if_core");
    foreign::Boundary boundary(modules, test::placed("if_core"));
    chip::ChipModel model(spec, program, {}, 20, boundary.makers());
    chip::SystemCChip chip("chip", spec, model);
    boundary.bind(chip.clock(), model);
    const Outcome expected = test::built_in(spec, program, 20);
    for (int sample = 0; sample < 2; ++sample) {
        const Outcome got = test::run(model, chip.time_loop());
        EXPECT_TRUE(got.spikes == expected.spikes) << "sample " << sample;
        EXPECT_EQ(got.timing.cycles, expected.timing.cycles);
        ASSERT_EQ(got.timing.steps.size(), expected.timing.steps.size());
        for (std::size_t s = 0; s < got.timing.steps.size(); ++s)
            EXPECT_EQ(got.timing.steps[s].cycles, expected.timing.steps[s].cycles) << "timestep " << s;
    }
    std::size_t spikes = 0;
    for (const auto& step : expected.spikes) spikes += step.size();
    EXPECT_GT(spikes, 100u);
}

TEST(VerilatedCore, InTheMiddleOfAMeshGivesSpikesAndCyclesOfTheBuiltInCore) {
    expect_the_built_in_core({0, 4, 8}, {0, 1, 0});
}

TEST(VerilatedCore, AsEveryCoreOfAMeshGivesThemToo) {
    expect_the_built_in_core({7, 1, 3, 2}, {1, 1, 1, 1});
}

}  // namespace
}  // namespace loom
