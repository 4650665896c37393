// SPDX-License-Identifier: Apache-2.0
// A platform that drives the chip through a socket. Every test is a process of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <cstring>

#include "tests/support/thread_faults.hpp"
#include "sim/foreign/host_target.hpp"
#include "tests/unit/sim/foreign/chains.hpp"

namespace loom {
namespace {
using foreign::HostTarget;
using foreign::InputEntry;
using foreign::OutputEntry;

/// A processor that runs a function.
class Processor : public sc_core::sc_module {
  public:
    tlm_utils::simple_initiator_socket<Processor> socket{"socket"};
    sc_core::sc_signal<bool> interrupt{"interrupt"};
    std::function<void(Processor&)> program;

    explicit Processor(sc_core::sc_module_name name) : sc_module(name) {
        SC_HAS_PROCESS(Processor);
        SC_THREAD(run);
    }
    tlm::tlm_response_status access(tlm::tlm_command command, std::uint64_t address, void* data, unsigned n) {
        tlm::tlm_generic_payload p;
        p.set_command(command);
        p.set_address(address);
        p.set_data_ptr(static_cast<unsigned char*>(data));
        p.set_data_length(n);
        p.set_streaming_width(n);
        p.set_byte_enable_ptr(nullptr);
        p.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
        sc_core::sc_time delay;
        socket->b_transport(p, delay);
        return p.get_response_status();
    }
    std::uint64_t read(std::uint64_t address) {
        std::uint64_t value = 0;
        EXPECT_EQ(access(tlm::TLM_READ_COMMAND, address, &value, 8), tlm::TLM_OK_RESPONSE);
        return value;
    }
    void write(std::uint64_t address, std::uint64_t value) {
        EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, address, &value, 8), tlm::TLM_OK_RESPONSE);
    }
    void sample() {
        write(HostTarget::kCommand, 1);
        while (read(HostTarget::kStatus) == HostTarget::kRunning) wait(interrupt.posedge_event());
    }
    std::vector<OutputEntry> output() {
        std::vector<OutputEntry> out(read(HostTarget::kOutputEntries));
        const auto bytes = static_cast<unsigned>(out.size() * sizeof out[0]);
        EXPECT_EQ(access(tlm::TLM_READ_COMMAND, HostTarget::kOutput, out.data(), bytes),
                  tlm::TLM_OK_RESPONSE);
        return out;
    }

  private:
    void run() { program(*this); }
};

struct Platform {
    explicit Platform(Step steps)
        : program(test::chain({0, 4}, {0, 0})),
          model(spec, program, {}, steps),
          clock("clock", model.scheduler(), spec.clock.period),
          target("target", model, clock, program) {
        processor.socket.bind(target.socket);
        target.interrupt(processor.interrupt);
    }
    arch::ChipSpec spec = [] {
        arch::ChipSpec s{support::core_kinds()};
        s.noc.size = {3, 3};
        return s;
    }();
    arch::Program program;
    chip::ChipModel model;
    kernel::ClockDomain clock;
    HostTarget target;
    Processor processor{"processor"};
};

void write_input(Processor& cpu, Step steps) {
    std::vector<InputEntry> in;
    SparseVector values;
    for (Step s = 0; s < steps; ++s) {
        test::Stripes().values(s, values);
        for (const auto& [element, value] : values)
            in.push_back({static_cast<std::uint32_t>(s), element, value});
    }
    const auto bytes = static_cast<unsigned>(in.size() * sizeof in[0]);
    EXPECT_EQ(cpu.access(tlm::TLM_WRITE_COMMAND, HostTarget::kInput, in.data(), bytes), tlm::TLM_OK_RESPONSE);
    cpu.write(HostTarget::kInputEntries, in.size());
}

/// Spikes of the last layer of a run without SystemC: (timestep of the layer, neuron).
std::vector<std::pair<std::uint32_t, std::uint32_t>> reference(const arch::ChipSpec& spec,
                                                               const arch::Program& p, Step steps) {
    const test::Outcome o = test::built_in(spec, p, steps);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> out;
    for (std::uint32_t s = 0; s < o.spikes.size(); ++s) {
        for (const auto& [layer, neuron] : o.spikes[s]) {
            if (layer == index(p.output)) out.emplace_back(s - p.layers[layer].skew, neuron);
        }
    }
    return out;
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs(const std::vector<OutputEntry>& entries) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> out;
    for (const auto& e : entries) out.emplace_back(e.step, e.neuron);
    return out;
}

TEST(HostTarget, ASampleByTheSocketGivesTheSpikesAndCyclesOfARun) {
    constexpr Step kSteps = 15;
    Platform platform(kSteps);
    const auto expected = reference(platform.spec, platform.program, kSteps);
    const Cycles cycles = test::built_in(platform.spec, platform.program, kSteps).timing.cycles;
    int samples = 0;
    platform.processor.program = [&](Processor& cpu) {
        EXPECT_EQ(cpu.read(HostTarget::kIdentity), 0x4D4F4F4Cu);
        EXPECT_EQ(cpu.read(HostTarget::kSteps), kSteps);
        EXPECT_EQ(cpu.read(HostTarget::kInputElements), test::kWidth);
        EXPECT_EQ(cpu.read(HostTarget::kOutputNeurons), test::kWidth);
        write_input(cpu, kSteps);
        for (; samples < 2; ++samples) {
            sc_core::wait(1234.5, sc_core::SC_NS);
            const auto begin = sc_core::sc_time_stamp();
            cpu.sample();
            EXPECT_EQ(cpu.read(HostTarget::kStatus), HostTarget::kDone);
            EXPECT_EQ(cpu.read(HostTarget::kCycles), cycles);
            const double ns = (sc_core::sc_time_stamp() - begin).to_seconds() * 1e9;
            EXPECT_NEAR(ns, static_cast<double>(cycles), 2 + static_cast<double>(platform.model.barrier()));
            EXPECT_EQ(pairs(cpu.output()), expected);
        }
    };
    sc_core::sc_start();
    EXPECT_EQ(samples, 2);
    EXPECT_GT(expected.size(), 5u);
}

TEST(HostTarget, CountersHaveNamesAndCountWhatTheChipCounts) {
    Platform platform(4);
    const auto names = HostTarget::counter_names();
    std::uint64_t packets = 0, injected = 0;
    platform.processor.program = [&](Processor& cpu) {
        EXPECT_EQ(cpu.read(HostTarget::kCounterCount), names.size());
        write_input(cpu, 4);
        cpu.sample();
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (names[i] == "axon_in.packets") packets = cpu.read(HostTarget::kCounters + 8 * i);
            if (names[i] == "noc.packets") injected = cpu.read(HostTarget::kCounters + 8 * i);
        }
    };
    sc_core::sc_start();
    EXPECT_EQ(injected, platform.model.totals().noc.packets);
    EXPECT_EQ(packets, injected);
    EXPECT_GE(packets, 16u);
}

TEST(HostTarget, WeightsOfTheProgramImageCanBeReadAndWritten) {
    Platform platform(4);
    std::size_t before = 0, after = 1;
    platform.processor.program = [&](Processor& cpu) {
        std::vector<std::uint8_t> image(cpu.read(HostTarget::kProgramBytes));
        const auto bytes = static_cast<unsigned>(image.size());
        EXPECT_EQ(cpu.access(tlm::TLM_READ_COMMAND, HostTarget::kProgram, image.data(), bytes),
                  tlm::TLM_OK_RESPONSE);
        const auto word = [&](std::size_t i) {
            std::uint32_t w = 0;
            std::memcpy(&w, image.data() + 4 * i, 4);
            return w;
        };
        EXPECT_EQ(word(0), foreign::ProgramImage::kMagic);
        EXPECT_EQ(word(1), 2u);
        EXPECT_EQ(word(2), 0u);   // endpoint of the first group
        EXPECT_EQ(word(9), 4u);   // and of the second
        EXPECT_EQ(word(6), 8u);   // bits of a weight
        EXPECT_EQ(word(8), 64u);  // bytes
        const std::uint32_t offset = word(7);
        EXPECT_EQ(static_cast<std::int8_t>(image[offset + 3]), (3 * 37 + 11) % 41 - 8);
        write_input(cpu, 4);
        cpu.sample();
        before = cpu.output().size();
        std::vector<std::uint8_t> none(64, 0);
        EXPECT_EQ(cpu.access(tlm::TLM_WRITE_COMMAND, HostTarget::kProgram + offset, none.data(), 64),
                  tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(cpu.access(tlm::TLM_WRITE_COMMAND, HostTarget::kProgram, none.data(), 8),
                  tlm::TLM_ADDRESS_ERROR_RESPONSE);  // the table is not to be changed
        cpu.sample();
        after = cpu.output().size();
    };
    sc_core::sc_start();
    EXPECT_GT(before, 0u);
    EXPECT_EQ(after, 0u);
}

TEST(HostTarget, RefusesWhatIsNotThereOrNotNow) {
    Platform platform(4);
    bool finished = false;
    platform.processor.program = [&](Processor& cpu) {
        std::uint64_t word = 1;
        EXPECT_EQ(cpu.access(tlm::TLM_READ_COMMAND, 0x60, &word, 8), tlm::TLM_ADDRESS_ERROR_RESPONSE);
        EXPECT_EQ(cpu.access(tlm::TLM_READ_COMMAND, 0x11, &word, 2), tlm::TLM_BURST_ERROR_RESPONSE);
        EXPECT_EQ(cpu.access(tlm::TLM_READ_COMMAND, 0x9000'0000, &word, 8), tlm::TLM_ADDRESS_ERROR_RESPONSE);
        EXPECT_EQ(cpu.access(tlm::TLM_WRITE_COMMAND, HostTarget::kOutput, &word, 8),
                  tlm::TLM_COMMAND_ERROR_RESPONSE);
        EXPECT_EQ(cpu.access(tlm::TLM_WRITE_COMMAND, HostTarget::kSteps, &word, 8),
                  tlm::TLM_COMMAND_ERROR_RESPONSE);
        InputEntry wrong{4, 0, 1.0};
        cpu.access(tlm::TLM_WRITE_COMMAND, HostTarget::kInput, &wrong, sizeof wrong);
        cpu.write(HostTarget::kInputEntries, 1);
        EXPECT_EQ(cpu.access(tlm::TLM_WRITE_COMMAND, HostTarget::kCommand, &word, 8),
                  tlm::TLM_COMMAND_ERROR_RESPONSE);
        wrong.step = 3;
        cpu.access(tlm::TLM_WRITE_COMMAND, HostTarget::kInput, &wrong, sizeof wrong);
        cpu.write(HostTarget::kCommand, 1);
        EXPECT_EQ(cpu.access(tlm::TLM_WRITE_COMMAND, HostTarget::kCommand, &word, 8),
                  tlm::TLM_COMMAND_ERROR_RESPONSE);
        EXPECT_EQ(cpu.access(tlm::TLM_WRITE_COMMAND, HostTarget::kInput, &wrong, sizeof wrong),
                  tlm::TLM_COMMAND_ERROR_RESPONSE);
        finished = true;
    };
    sc_core::sc_start();
    EXPECT_TRUE(finished);
    EXPECT_EQ(platform.target.status(), HostTarget::kDone);
}

TEST(HostTarget, AFaultOfTheModelIsAStatus) {
    LOOM_FAULT_IN_A_THREAD();
    Platform platform(4);
    platform.program.input_fanout.entries[0].core = EndpointId{7};  // nobody is there
    platform.processor.program = [&](Processor& cpu) {
        write_input(cpu, 4);
        cpu.sample();
        EXPECT_EQ(cpu.read(HostTarget::kStatus), HostTarget::kFault);
    };
    sc_core::sc_start();
    EXPECT_NE(platform.target.fault(), "");
}

}  // namespace
}  // namespace loom
