// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "arch/cim_core_spec.hpp"
#include "cores/kind.hpp"

namespace loom::cores {

/// cim: weights in compute-in-memory arrays, section `cim` (cim_core.hpp).
class CimKind final : public Kind {
  public:
    std::string_view name() const override { return "cim"; }
    std::optional<arch::KindSection> section() const override {
        return arch::kind_section<arch::CimCoreSpec>("cim", "kind cim: compute-in-memory arrays");
    }
    void check(const arch::CoreSpec& core, const arch::ChipSpec& chip, const std::string& key) const override;

    arch::WeightFormat weight_format(const arch::CoreSpec& core) const override;
    arch::WeightStore weight_store(const arch::CoreSpec& core) const override;
    std::uint64_t need(const arch::CoreSpec& core, const arch::StoredMatrix& matrix) const override;
    /// Arrays read a kernel once per output position.
    bool keeps_kernels(const arch::CoreSpec&) const override { return true; }
    bool copies_kernels() const override { return true; }
    std::optional<arch::PartialSums> partial_sums(const arch::CoreSpec& core) const override;
    std::string rows_stay_because(const arch::CoreSpec& core) const override;
    std::optional<arch::RowInputs> row_inputs(const arch::CoreSpec& core) const override;
    void expect(const arch::ChipSpec& chip, std::size_t kind, const arch::ExpectedInput& in, double steps,
                const AddEvent& add) const override;

    std::vector<arch::EventInfo> own_events() const override;
    bool counts(std::string_view event, const arch::CoreSpec& core) const override;
    std::string_view accumulate_event() const override { return "cim.ac"; }
    std::string_view multiply_event() const override { return "cim.mac"; }
    void add_own_prices(arch::EnergySpec& list, const arch::EnergySpec& chip_list, const arch::CoreSpec& core,
                        double period_ps) const override;

    void add_area(arch::AreaParts& to, const arch::CoreSpec& core,
                  const arch::EnergySpec& prices) const override;
    std::optional<arch::ArrayUsage> array_usage(const arch::CoreSpec& core, const arch::CoreImage& image,
                                                const arch::AxonGroup& group) const override;
    arch::CoreTraining training() const override { return arch::CoreTraining::InPlace; }

    std::unique_ptr<Core> make(const arch::ChipSpec& chip, std::shared_ptr<const arch::CoreImage> image,
                               const arch::Program& program, CoreContext context,
                               CoreSchedule schedule) const override;
    WeightLoad load(const arch::ChipSpec& chip, const arch::Program& program,
                    std::uint32_t kind) const override;
};

}  // namespace loom::cores
