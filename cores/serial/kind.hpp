// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <array>

#include "base/key_error.hpp"
#include "cores/near_memory/memory_kind.hpp"
#include "cores/serial/serial_core.hpp"

namespace loom::cores {

/// serial: no pipeline, section `serial` (serial_core.hpp).
class SerialKind final : public MemoryKind {
  public:
    std::string_view name() const override { return "serial"; }
    std::optional<arch::KindSection> section() const override {
        return arch::kind_section<SerialSpec>("serial", "kind serial: its only stage");
    }
    void check(const arch::CoreSpec& core, const arch::ChipSpec&, const std::string& key) const override {
        if (core.find<SerialSpec>() == nullptr)
            throw KeyError(key + ".serial", "a core of kind serial needs this section");
        if (core.soma.arithmetic != arch::Arithmetic::Fixed)
            throw KeyError(key + ".soma.arithmetic", "cores of kind serial compute in integers (fixed)");
    }
    void expect(const arch::ChipSpec&, std::size_t, const arch::ExpectedInput& in, double,
                const AddEvent& add) const override {
        add("axon_in.packets", in.events);
        add("axon_in.lookups", in.events);
        add(in.graded ? multiply_event() : accumulate_event(), in.synops);
        add("serial.steps", in.synops);
    }
    std::vector<arch::EventInfo> own_events() const override {
        std::vector<arch::EventInfo> events;
        arch::append_events<SerialCounters>(events);
        return events;
    }
    bool counts(std::string_view event, const arch::CoreSpec&) const override {
        static constexpr std::array<std::string_view, 5> never{"synapse.word_reads", "synapse.busy_cycles",
                                                               "dendrite.accesses", "dendrite.busy_cycles",
                                                               "dendrite.stall_cycles"};
        return std::find(never.begin(), never.end(), event) == never.end();
    }
    std::unique_ptr<Core> make(const arch::ChipSpec& chip, std::shared_ptr<const arch::CoreImage> image,
                               const arch::Program&, CoreContext context,
                               CoreSchedule schedule) const override {
        return std::make_unique<SerialCore>(chip, std::move(image), context, schedule);
    }
};

}  // namespace loom::cores
