// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign/host_target.hpp"

#include <algorithm>
#include <cstring>

#include "base/counter_math.hpp"

namespace loom::foreign {
namespace {
using tlm::tlm_response_status;
constexpr std::uint64_t kIdentityValue = 0x4D4F4F4C;
constexpr std::uint64_t kMostEntries = 0x1000'0000 / sizeof(InputEntry);
static_assert(sizeof(InputEntry) == 16 && sizeof(OutputEntry) == 16);

/// f(name, value) for every counter of the chip.
template <class F>
void for_each_counter(const chip::Totals& totals, F f) {
    cores::CoreCounters sum;
    for (const cores::CoreTotals& c : totals.core) sum = sum_of(sum, c.common);
    const auto visit = [&](const char* name, const auto& value, auto&&...) { f(name, value); };
    fields(visit, sum);
    fields(visit, totals.noc);
}

template <class T>
tlm_response_status read_list(const std::vector<T>& list, std::uint64_t at, std::span<std::uint8_t> bytes) {
    const std::uint64_t size = list.size() * sizeof(T);
    if (at > size || bytes.size() > size - at) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    if (!bytes.empty())
        std::memcpy(bytes.data(), reinterpret_cast<const std::uint8_t*>(list.data()) + at, bytes.size());
    return tlm::TLM_OK_RESPONSE;
}

}  // namespace

/// The sample that the input region holds, ordered by timestep.
class HostTarget::Input final : public chip::SampleInput {
  public:
    Input(std::span<const InputEntry> entries, std::uint64_t number, Step steps)
        : number_(number), by_step_(steps) {
        for (const InputEntry& e : entries) {
            if (e.value != 0) by_step_[e.step].emplace_back(e.element, e.value);
        }
        for (auto& step : by_step_) std::sort(step.begin(), step.end());
    }
    void values(Step step, SparseVector& out) const override { out = by_step_[step]; }
    std::uint64_t number() const override { return number_; }
    bool constant() const override { return false; }

  private:
    std::uint64_t number_;
    std::vector<SparseVector> by_step_;
};

HostTarget::HostTarget(sc_core::sc_module_name name, chip::ChipModel& model, kernel::ClockDomain& clock,
                       arch::Program& program)
    : sc_module(name), model_(model), clock_(clock), image_(program) {
    socket.register_b_transport(this, &HostTarget::b_transport);
    socket.register_transport_dbg(this, &HostTarget::transport_dbg);
    clock.serve([this] { end_sample(); }, [this](std::exception_ptr why) { fail(why); });
    SC_HAS_PROCESS(HostTarget);
    SC_METHOD(show_interrupt);
    sensitive << changed_;
}

void HostTarget::b_transport(tlm::tlm_generic_payload& p, sc_core::sc_time&) {
    p.set_response_status(access(p));
}

unsigned HostTarget::transport_dbg(tlm::tlm_generic_payload& p) {
    p.set_response_status(access(p));
    return p.is_response_ok() ? p.get_data_length() : 0;
}

tlm_response_status HostTarget::access(tlm::tlm_generic_payload& p) {
    const unsigned length = p.get_data_length();
    if (p.get_byte_enable_ptr() != nullptr) return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
    if (p.get_streaming_width() != 0 && p.get_streaming_width() < length)
        return tlm::TLM_BURST_ERROR_RESPONSE;
    if (p.is_read()) return read(p.get_address(), {p.get_data_ptr(), length});
    if (p.is_write()) return write(p.get_address(), {p.get_data_ptr(), length});
    return tlm::TLM_OK_RESPONSE;
}

tlm_response_status HostTarget::read(std::uint64_t address, std::span<std::uint8_t> bytes) const {
    const std::uint64_t region = address & ~std::uint64_t{0x0fff'ffff}, at = address - region;
    if (region == kProgram)
        return image_.read(at, bytes) ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE;
    if (region == kInput) return read_list(input_, at, bytes);
    if (region == kOutput) return read_list(output_, at, bytes);
    if (region == kCounters) return read_list(counters(), at, bytes);
    if (region != kControl || at >= kRegistersEnd) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    if ((bytes.size() != 4 && bytes.size() != 8) || at % bytes.size() != 0)
        return tlm::TLM_BURST_ERROR_RESPONSE;
    const std::uint64_t value = register_value(at / 8 * 8) >> (at % 8 * 8);
    std::memcpy(bytes.data(), &value, bytes.size());
    return tlm::TLM_OK_RESPONSE;
}

tlm_response_status HostTarget::write(std::uint64_t address, std::span<const std::uint8_t> bytes) {
    const std::uint64_t region = address & ~std::uint64_t{0x0fff'ffff}, at = address - region;
    if (region >= kRegions) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    if (region == kOutput || region == kCounters || status_ == kRunning)
        return tlm::TLM_COMMAND_ERROR_RESPONSE;
    if (region == kProgram)
        return image_.write(at, bytes) ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE;
    if (region == kInput) {
        const std::uint64_t end = at + bytes.size();
        if (end > kMostEntries * sizeof(InputEntry)) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
        if (end > input_.size() * sizeof(InputEntry))
            input_.resize((end + sizeof(InputEntry) - 1) / sizeof(InputEntry));
        if (!bytes.empty())
            std::memcpy(reinterpret_cast<std::uint8_t*>(input_.data()) + at, bytes.data(), bytes.size());
        return tlm::TLM_OK_RESPONSE;
    }
    if (at >= kRegistersEnd) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    if ((bytes.size() != 4 && bytes.size() != 8) || at % 8 != 0) return tlm::TLM_BURST_ERROR_RESPONSE;
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return write_register(at, value);
}

tlm_response_status HostTarget::write_register(std::uint64_t at, std::uint64_t value) {
    switch (at) {
        case kInputEntries:
            if (value > kMostEntries) return tlm::TLM_COMMAND_ERROR_RESPONSE;
            input_entries_ = value;
            return tlm::TLM_OK_RESPONSE;
        case kNumber:
            number_ = value;
            return tlm::TLM_OK_RESPONSE;
        case kCommand:
            if (value != 1 || status_ == kFault || !begin_sample()) return tlm::TLM_COMMAND_ERROR_RESPONSE;
            return tlm::TLM_OK_RESPONSE;
        default:
            return tlm::TLM_COMMAND_ERROR_RESPONSE;
    }
}

std::uint64_t HostTarget::register_value(std::uint64_t at) const {
    const arch::Program& program = model_.program();
    switch (at) {
        case kIdentity:
            return kIdentityValue;
        case kStatus:
            return status_;
        case kSteps:
            return model_.steps();
        case kInputElements:
            return program.layers[index(program.input)].count;
        case kOutputNeurons:
            return program.layers[index(program.output)].count;
        case kInputEntries:
            return input_entries_;
        case kOutputEntries:
            return output_.size();
        case kCycles:
            return timing_.cycles;
        case kNumber:
            return number_;
        case kCounterCount:
            return counter_names().size();
        case kProgramBytes:
            return image_.size();
        default:
            return 0;
    }
}

std::vector<std::string> HostTarget::counter_names() {
    std::vector<std::string> names;
    for_each_counter({}, [&](const char* name, std::uint64_t) { names.emplace_back(name); });
    return names;
}

std::vector<std::uint64_t> HostTarget::counters() const {
    std::vector<std::uint64_t> values;
    for_each_counter(model_.totals(), [&](const char*, std::uint64_t value) { values.push_back(value); });
    return values;
}

/// False: the input region is wrong.
bool HostTarget::begin_sample() {
    const arch::Program& program = model_.program();
    input_.resize(std::max<std::size_t>(input_.size(), input_entries_));
    const std::span entries(input_.data(), input_entries_);
    const std::uint64_t elements = program.layers[index(program.input)].count;
    for (const InputEntry& e : entries) {
        if (e.step >= model_.steps() || e.element >= elements) return false;
    }
    output_.clear();
    sample_ = std::make_unique<Input>(entries, number_, model_.steps());
    status_ = kRunning;
    changed_.notify(sc_core::SC_ZERO_TIME);
    model_.begin_sample(clock_.cycle() + 1, *sample_, [this](Step chip_step) {
        const LayerId out = model_.program().output;
        const std::int64_t step = model_.algorithmic_step(out, chip_step);
        model_.for_each_spike([&](LayerId layer, std::uint32_t neuron, std::int64_t spikes) {
            if (layer == out) output_.push_back({static_cast<std::uint32_t>(step), neuron, spikes});
        });
    });
    clock_.resume();
    return true;
}

void HostTarget::end_sample() {
    if (status_ != kRunning) return;
    try {
        timing_ = model_.end_sample();
    } catch (...) {
        return fail(std::current_exception());
    }
    status_ = kDone;
    changed_.notify(sc_core::SC_ZERO_TIME);
    ended.notify(sc_core::SC_ZERO_TIME);
}

void HostTarget::fail(std::exception_ptr why) {
    try {
        std::rethrow_exception(why);
    } catch (const std::exception& e) {
        fault_ = e.what();
    }
    status_ = kFault;
    changed_.notify(sc_core::SC_ZERO_TIME);
    ended.notify(sc_core::SC_ZERO_TIME);
}

void HostTarget::show_interrupt() {
    if (interrupt.size() != 0) interrupt->write(status_ == kDone || status_ == kFault);
}

}  // namespace loom::foreign
