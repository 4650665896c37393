// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cores/near_memory/memory_kind.hpp"

namespace loom::cores {

/// near_memory: rows of a synapse memory are read a word at a time and added by several lanes
/// (near_memory_core.hpp).
class NearMemoryKind final : public MemoryKind {
  public:
    std::string_view name() const override { return "near_memory"; }
    void check(const arch::CoreSpec&, const arch::ChipSpec&, const std::string&) const override {}
    void expect(const arch::ChipSpec& chip, std::size_t kind, const arch::ExpectedInput& in, double steps,
                const AddEvent& add) const override;
    bool counts(std::string_view event, const arch::CoreSpec& core) const override;
    arch::CoreTraining training() const override { return arch::CoreTraining::Lanes; }
    std::unique_ptr<Core> make(const arch::ChipSpec& chip, std::shared_ptr<const arch::CoreImage> image,
                               const arch::Program& program, CoreContext context,
                               CoreSchedule schedule) const override;
};

}  // namespace loom::cores
