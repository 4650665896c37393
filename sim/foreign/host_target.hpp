// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <tlm_utils/simple_target_socket.h>
#include <span>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

#include "sim/chip/chip_model.hpp"
#include "sim/foreign/program_image.hpp"
#include "sim/kernel/clock_domain.hpp"

namespace loom::foreign {

/// One entry of the input region: a value of an input element in a timestep.
struct InputEntry {
    std::uint32_t step = 0, element = 0;
    double value = 1.0;
};
/// One entry of the output region: spikes of a neuron of the output layer in its timestep.
struct OutputEntry {
    std::uint32_t step = 0, neuron = 0;
    std::int64_t spikes = 1;
};

/// The chip as a target of TLM-2.0 with the generic payload: another virtual platform loads it, runs samples
/// and reads what came out, while SystemC is started by that platform. Blocking, non-blocking and debug
/// transport; no DMI. Accesses take no time of their own: what the host port costs is in the chip
/// (io.interval). Bytes are little-endian. Registers are 64 bits wide and read and written by 4 or 8
/// aligned bytes; the other regions by any number of bytes. What is not there is an address error, what
/// cannot be done now a command error.
class HostTarget : public sc_core::sc_module {
  public:
    /// First addresses of the regions.
    enum Region : std::uint64_t {
        kControl = 0,             ///< registers, see Register
        kProgram = 0x1000'0000,   ///< ProgramImage; weights can be written between samples
        kInput = 0x2000'0000,     ///< InputEntry; can be written between samples
        kOutput = 0x3000'0000,    ///< OutputEntry, read only
        kCounters = 0x4000'0000,  ///< 64 bits each, as counter_names() says, read only
        kRegions = 0x5000'0000
    };
    /// Offsets in the control region.
    enum Register : std::uint64_t {
        kIdentity = 0x00,       ///< 0x4D4F4F4C
        kCommand = 0x08,        ///< write 1: a sample begins in the next cycle; an error when an entry
                                ///< of the input is of a timestep or element that is not there
        kStatus = 0x10,         ///< Status
        kSteps = 0x18,          ///< timesteps of a sample
        kInputElements = 0x20,  ///< elements of the input
        kOutputNeurons = 0x28,  ///< neurons of the output layer
        kInputEntries = 0x30,   ///< entries of the input region that count; written by the host
        kOutputEntries = 0x38,  ///< entries of the output region after a sample
        kCycles = 0x40,         ///< cycles of the last sample
        kNumber = 0x48,         ///< number of the sample, keys random draws; written by the host
        kCounterCount = 0x50,   ///< counters
        kProgramBytes = 0x58,   ///< bytes of the program image
        kRegistersEnd = 0x60
    };
    enum Status : std::uint64_t { kIdle = 0, kRunning = 1, kDone = 2, kFault = 3 };

    tlm_utils::simple_target_socket<HostTarget> socket{"socket"};
    /// High from the end of a sample to the next command; need not be bound.
    sc_core::sc_port<sc_core::sc_signal_inout_if<bool>, 1, sc_core::SC_ZERO_OR_MORE_BOUND> interrupt{
        "interrupt"};
    /// Notified when a sample has ended, well or not.
    sc_core::sc_event ended;

    /// The clock drives the model's scheduler. program: what the model was built from; its weights become
    /// the program region's. All outlive the target.
    HostTarget(sc_core::sc_module_name name, chip::ChipModel& model, kernel::ClockDomain& clock,
               arch::Program& program);

    /// Names of the counters, in order: those that all kinds of cores have, summed over all cores, then those
    /// of the network.
    static std::vector<std::string> counter_names();
    Status status() const { return status_; }
    /// What went wrong, when the status is kFault.
    const std::string& fault() const { return fault_; }
    const chip::SampleTiming& timing() const { return timing_; }

  private:
    class Input;
    void b_transport(tlm::tlm_generic_payload& p, sc_core::sc_time& delay);
    unsigned transport_dbg(tlm::tlm_generic_payload& p);
    tlm::tlm_response_status access(tlm::tlm_generic_payload& p);
    tlm::tlm_response_status read(std::uint64_t address, std::span<std::uint8_t> bytes) const;
    tlm::tlm_response_status write(std::uint64_t address, std::span<const std::uint8_t> bytes);
    tlm::tlm_response_status write_register(std::uint64_t at, std::uint64_t value);
    std::uint64_t register_value(std::uint64_t at) const;
    std::vector<std::uint64_t> counters() const;
    bool begin_sample();
    void end_sample();
    void fail(std::exception_ptr why);
    void show_interrupt();

    chip::ChipModel& model_;
    kernel::ClockDomain& clock_;
    ProgramImage image_;
    Status status_ = kIdle;
    std::string fault_;
    std::vector<InputEntry> input_;
    std::uint64_t input_entries_ = 0, number_ = 0;
    std::vector<OutputEntry> output_;
    std::unique_ptr<chip::SampleInput> sample_;
    chip::SampleTiming timing_;
    sc_core::sc_event changed_;
};

}  // namespace loom::foreign
