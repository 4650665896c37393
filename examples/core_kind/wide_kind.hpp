// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.hpp"
#include "cores/near_memory/memory_kind.hpp"
#include "wide_core.hpp"

namespace example {

/// `core: {kind: wide, wide: {cycles: 1}}`: what readers, compiler and reports ask about such a core.
class WideKind final : public cores::MemoryKind {
  public:
    std::string_view name() const override { return "wide"; }
    std::optional<arch::KindSection> section() const override {
        return arch::kind_section<WideSpec>("wide", "kind wide: an adder for every neuron");
    }
    void check(const arch::CoreSpec& core, const arch::ChipSpec&, const std::string& key) const override {
        if (core.find<WideSpec>() == nullptr)
            throw ConfigError(key + ".wide: a core of kind wide needs this section");
        if (core.soma.arithmetic != arch::Arithmetic::Fixed)
            throw ConfigError(key + ".soma.arithmetic: cores of kind wide compute in integers (fixed)");
    }
    /// What the compiler expects when it compares kinds of cores for a layer.
    void expect(const arch::ChipSpec&, std::size_t, const arch::ExpectedInput& in, double,
                const AddEvent& add) const override {
        add("axon_in.packets", in.events);
        add("axon_in.lookups", in.events);
        add(in.graded ? multiply_event() : accumulate_event(), in.synops);
        add("wide.rows", in.events);
    }
    std::vector<arch::EventInfo> own_events() const override {
        std::vector<arch::EventInfo> events;
        arch::append_events<WideCounters>(events);
        return events;
    }
    bool counts(std::string_view event, const arch::CoreSpec&) const override {
        return event != "synapse.word_reads" && event != "dendrite.accesses";
    }
    std::unique_ptr<cores::Core> make(const arch::ChipSpec& chip,
                                      std::shared_ptr<const arch::CoreImage> image, const arch::Program&,
                                      cores::CoreContext context,
                                      cores::CoreSchedule schedule) const override {
        return std::make_unique<WideCore>(chip, std::move(image), context, schedule);
    }
};

}  // namespace example
