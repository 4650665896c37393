// SPDX-License-Identifier: Apache-2.0
// The chip as SystemC sees it: its tree, its time and its waveforms. Every test is a process of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/error.hpp"
#include "sim/chip/systemc_chip.hpp"
#include "tests/unit/sim/chip/one_neuron.hpp"

namespace loom {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::vector<std::string> children(const sc_core::sc_object& parent) {
    std::vector<std::string> names;
    for (const auto* child : parent.get_child_objects()) names.emplace_back(child->basename());
    return names;
}

TEST(SystemCChip, ItsTreeIsTheChip) {
    arch::ChipSpec spec = spec_of(3, 0);
    spec.noc.size = {2, 1};
    spec.noc.cores_per_router = 2;
    const arch::Program program = one_neuron(1, 0);
    chip::ChipModel model(spec, program, {}, 1);
    const chip::SystemCChip chip("chip", spec, model);
    EXPECT_THAT(children(chip), UnorderedElementsAre("clock", "host", "tile_0_0", "tile_1_0"));
    EXPECT_THAT(children(*sc_core::sc_find_object("chip.tile_1_0")),
                UnorderedElementsAre("router", "core_0", "core_1"));
}

TEST(SystemCChip, GivesTheTimesOfThePlainLoop) {
    const arch::ChipSpec spec = spec_of(1000, 11);
    const arch::Program program = one_neuron(4, 15);
    chip::ChipModel with(spec, program, {}, 3), without(spec, program, {}, 3);
    chip::SystemCChip chip("chip", spec, with);
    PlainLoop loop(without.scheduler());
    for (int sample = 0; sample < 3; ++sample) {
        const auto a = with.run_sample(chip.time_loop(), Input(3), {});
        const auto b = without.run_sample(loop, Input(3), {});
        EXPECT_EQ(a.cycles, b.cycles);
        ASSERT_EQ(a.steps.size(), b.steps.size());
        for (std::size_t s = 0; s < a.steps.size(); ++s) EXPECT_EQ(a.steps[s].cycles, b.steps[s].cycles);
    }
    EXPECT_EQ(with.scheduler().now(), without.scheduler().now());
    EXPECT_EQ(with.scheduler().evaluations(), without.scheduler().evaluations());
}

/// A waveform read back: [signal] -> (time in ps, value), in the order of the file.
using Changes = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
std::map<std::string, Changes> read_vcd(const std::string& path) {
    std::map<std::string, Changes> out;
    std::map<std::string, std::string> names;
    std::vector<std::string> scope;
    std::ifstream in(path);
    std::uint64_t time = 0;
    for (std::string line; std::getline(in, line);) {
        std::stringstream words(line);
        std::string first, kind, width, code, name;
        words >> first;
        if (first == "$scope" && words >> kind >> name) scope.push_back(name);
        if (first == "$upscope") scope.pop_back();
        if (first == "$var" && words >> kind >> width >> code >> name) {
            std::string path_of;
            for (const std::string& s : scope) path_of += s == "SystemC" ? "" : s + ".";
            names[code] = path_of + name;
            out[path_of + name];
        }
        if (first.starts_with("#")) time = std::stoull(first.substr(1));
        if (first.starts_with("b") && words >> code)
            out[names[code]].emplace_back(time, std::stoull(first.substr(1), nullptr, 2));
    }
    return out;
}

TEST(SystemCChip, WaveformsShowTheSignalsAskedForInTheirCycles) {
    const std::string file = (std::filesystem::temp_directory_path() / "systemc_chip_test_wave").string();
    arch::ChipSpec spec = spec_of(20, 0);
    spec.clock.period = 2500;
    const arch::Program program = one_neuron(2, 5);
    Cycle begin = 0;
    chip::SampleTiming timing;
    {
        chip::ChipModel model(spec, program, {}, 2);
        chip::SystemCChip chip("chip", spec, model, {file, "timestep,*.core_0.busy,host.p*"});
        timing = model.run_sample(chip.time_loop(), Input(2), {});
        begin = model.controller().timings()[1].begin;
        EXPECT_EQ(model.host_packets(), 4u);
    }
    const auto waves = read_vcd(file + ".vcd");
    std::filesystem::remove(file + ".vcd");
    std::vector<std::string> names;
    for (const auto& [name, changes] : waves) names.push_back(name.substr(0, name.find('[')));
    EXPECT_THAT(names,
                UnorderedElementsAre("chip.host.packets", "chip.tile_1_1.core_0.busy", "chip.timestep"));
    for (const auto& [name, changes] : waves) {
        if (name.find("timestep") != std::string::npos) {
            ASSERT_GE(changes.size(), 3u);
            EXPECT_EQ(changes[0].second, 0u);
            // the step's number goes up when the one before has drained, which is a barrier before its begin
            EXPECT_EQ(changes[1].second, 1u);
            EXPECT_LE(changes[1].first, begin * 2500);
            EXPECT_GT(changes[1].first, (begin - 20) * 2500);
        }
        if (name.find("packets") != std::string::npos) {
            EXPECT_EQ(changes.back().second, 4u);
        }
        if (name.find("busy") != std::string::npos) {
            EXPECT_EQ(changes.back().second, 0u);
            EXPECT_GE(changes.size(), 3u);
        }
        for (const auto& [time, value] : changes) EXPECT_EQ(time % 2500, 0u) << name;
    }
}

TEST(SystemCChip, AWaveformOfNoSignalIsAnError) {
    const std::string file = (std::filesystem::temp_directory_path() / "systemc_chip_test_none").string();
    const arch::ChipSpec spec = spec_of(3, 0);
    const arch::Program program = one_neuron(1, 0);
    chip::ChipModel model(spec, program, {}, 1);
    try {
        const chip::SystemCChip chip("chip", spec, model, {file, "core_9.*"});
        FAIL() << "nothing thrown";
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), ExitCode::Usage);
        EXPECT_THAT(e.what(), HasSubstr("no signal matches 'core_9.*'"));
    }
    std::filesystem::remove(file + ".vcd");
}

TEST(SystemCChip, FaultsOfTheModelComeOutAsTheyAre) {
    const arch::ChipSpec spec = spec_of(3, 0);
    arch::Program program = one_neuron(1, 0);
    program.input_fanout.entries[0].core = EndpointId{3};
    chip::ChipModel model(spec, program, {}, 2);
    chip::SystemCChip chip("chip", spec, model);
    EXPECT_THROW(model.run_sample(chip.time_loop(), Input(1), {}), ModelError);
}

}  // namespace
}  // namespace loom
