// SPDX-License-Identifier: Apache-2.0
// A platform of one's own, here a single processor, drives the chip through a socket of TLM-2.0: it writes
// the spikes of a sample, starts the chip, waits for the interrupt, and reads spikes, cycles and counters.
#include <tlm_utils/simple_initiator_socket.h>

#include <cstdio>
#include <map>

#include "app/run/prepared_run.hpp"
#include "sim/chip/systemc_chip.hpp"
#include "sim/foreign/host_target.hpp"

using namespace loom;
using foreign::HostTarget;

/// Runs the samples of a file, one after the other.
class Processor : public sc_core::sc_module {
  public:
    tlm_utils::simple_initiator_socket<Processor> bus{"bus"};
    sc_core::sc_signal<bool> interrupt{"interrupt"};

    Processor(sc_core::sc_module_name name, const traces::Stimulus& samples, std::size_t n)
        : sc_module(name), samples_(samples), n_(n) {
        SC_HAS_PROCESS(Processor);
        SC_THREAD(run);
    }

  private:
    void run() {
        for (std::size_t i = 0; i < n_; ++i) {
            write_input(i);
            write(HostTarget::kCommand, 1);
            wait(interrupt.posedge_event());
            std::map<std::uint32_t, std::int64_t> spikes;
            std::vector<foreign::OutputEntry> out(read(HostTarget::kOutputEntries));
            transfer(tlm::TLM_READ_COMMAND, HostTarget::kOutput, out.data(), out.size() * sizeof out[0]);
            for (const auto& entry : out) spikes[entry.neuron] += entry.spikes;
            std::uint32_t best = 0;
            for (const auto& [neuron, count] : spikes) best = count > spikes[best] ? neuron : best;
            std::printf("sample %zu: class %u, %zu output spikes, %llu cycles, done at %s\n", i, best,
                        out.size(), static_cast<unsigned long long>(read(HostTarget::kCycles)),
                        sc_core::sc_time_stamp().to_string().c_str());
        }
        const auto names = HostTarget::counter_names();
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (names[i] == "noc.packets")
                std::printf("packets on the network: %llu\n",
                            static_cast<unsigned long long>(read(HostTarget::kCounters + 8 * i)));
        }
    }
    void write_input(std::size_t sample) {
        std::vector<foreign::InputEntry> entries;
        SparseVector values;
        for (Step step = 0; step < read(HostTarget::kSteps); ++step) {
            samples_.values(sample, step, values);
            for (const auto& [element, value] : values)
                entries.push_back({static_cast<std::uint32_t>(step), element, value});
        }
        transfer(tlm::TLM_WRITE_COMMAND, HostTarget::kInput, entries.data(),
                 entries.size() * sizeof entries[0]);
        write(HostTarget::kInputEntries, entries.size());
    }
    std::uint64_t read(std::uint64_t address) {
        std::uint64_t word = 0;
        transfer(tlm::TLM_READ_COMMAND, address, &word, sizeof word);
        return word;
    }
    void write(std::uint64_t address, std::uint64_t word) {
        transfer(tlm::TLM_WRITE_COMMAND, address, &word, sizeof word);
    }
    void transfer(tlm::tlm_command command, std::uint64_t address, void* data, std::size_t bytes) {
        tlm::tlm_generic_payload payload;
        payload.set_command(command);
        payload.set_address(address);
        payload.set_data_ptr(static_cast<unsigned char*>(data));
        payload.set_data_length(static_cast<unsigned>(bytes));
        payload.set_streaming_width(static_cast<unsigned>(bytes));
        sc_core::sc_time delay;
        bus->b_transport(payload, delay);
        if (payload.is_response_error()) SC_REPORT_ERROR("processor", payload.get_response_string().c_str());
    }
    const traces::Stimulus& samples_;
    std::size_t n_;
};

int sc_main(int argc, char** argv) {
    if (argc != 2) return std::puts("usage: tlm_host RUN.yaml"), 2;
    try {
        app::PreparedRun prepared = app::prepare(app::load_run(argv[1], {}));
        const arch::ChipSpec& spec = prepared.run.spec.chip;
        arch::Program program = app::compile(prepared).program;
        chip::ChipModel model(spec, program, prepared.run.spec.schedule, prepared.stimulus.timesteps());
        chip::SystemCChip body("chip", spec, model);
        HostTarget target("target", model, body.clock(), program);
        Processor processor("processor", prepared.stimulus, 10);
        processor.bus.bind(target.socket);
        target.interrupt(processor.interrupt);
        sc_core::sc_start();
        if (target.status() != HostTarget::kFault) return 0;
        std::fprintf(stderr, "%s\n", target.fault().c_str());
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s\n", e.what());
    }
    return 1;
}
