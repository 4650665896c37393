// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <vector>

#include "sim/chip/chip_model.hpp"
#include "sim/foreign/foreign_core.hpp"
#include "sim/foreign/foreign_network.hpp"
#include "sim/foreign/modules.hpp"

namespace loom::foreign {

/// The foreign modules of one chip: makes them while the chip is put together and owns them. Outlives the
/// ChipModel.
///
///     Boundary boundary(modules, placement);
///     ChipModel model(spec, program, schedule, steps, boundary.makers());
///     SystemCChip chip("chip", spec, model);
///     boundary.bind(chip.clock(), model);
class Boundary {
  public:
    /// modules: outlives the boundary. base: makes what is not foreign.
    Boundary(const Modules& modules, Placement placement, chip::Makers base = {})
        : modules_(modules), placement_(std::move(placement)), base_(std::move(base)) {}

    /// Makers that refer to this object. Modules are called <module>_<endpoint>, networks by their name.
    chip::Makers makers();
    /// Joins what has been made to the clock domain of the chip; before the first sample.
    void bind(kernel::ClockDomain& domain, const chip::ChipModel& model);
    bool empty() const { return cores_.empty() && network_ == nullptr; }

  private:
    const Modules& modules_;
    Placement placement_;
    chip::Makers base_;
    std::vector<std::unique_ptr<CoreModule>> core_modules_;
    std::vector<std::unique_ptr<CoreSite>> sites_;
    std::unique_ptr<noc::Topology> topology_;
    std::unique_ptr<NetworkSite> network_site_;
    std::unique_ptr<NetworkModule> network_module_;
    std::vector<ForeignCore*> cores_;
    ForeignNetwork* network_ = nullptr;
};

}  // namespace loom::foreign
