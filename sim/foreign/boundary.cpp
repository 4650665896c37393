// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign/boundary.hpp"

#include <fmt/format.h>

#include "cores/kind.hpp"

namespace loom::foreign {

chip::Makers Boundary::makers() {
    if (placement_.empty()) return base_;
    chip::Makers makers;
    makers.core = [this](const arch::ChipSpec& spec, std::shared_ptr<const arch::CoreImage> image,
                         const arch::Program& program, cores::CoreContext context,
                         cores::CoreSchedule schedule) -> std::unique_ptr<cores::Core> {
        const bool foreign = image->kind < placement_.cores.size() && placement_.cores[image->kind];
        if (!foreign) return base_.core(spec, std::move(image), program, context, schedule);
        const std::string& name = *placement_.cores[image->kind];
        const auto& entry = modules_.find_core("core.module", name);
        sites_.push_back(std::make_unique<CoreSite>(
            CoreSite{spec, program, *image, schedule, cores::kind_of(spec, image->kind).neuron_models()}));
        core_modules_.push_back(
            entry.make(fmt::format("{}_{}", name, index(image->endpoint)).c_str(), *sites_.back()));
        auto made = std::make_unique<ForeignCore>(*core_modules_.back(), *sites_.back(), context);
        cores_.push_back(made.get());
        return made;
    };
    makers.network = [this](const arch::ChipSpec& spec) -> std::unique_ptr<noc::Network> {
        if (!placement_.network) return base_.network(spec);
        const std::string& name = *placement_.network;
        const auto& entry = modules_.find_network("noc.router.kind", name);
        topology_ =
            std::make_unique<noc::Topology>(noc::make_topology(spec.noc, spec.clock.period, spec.io.router));
        network_site_ = std::make_unique<NetworkSite>(NetworkSite{spec, *topology_});
        network_module_ = entry.make(name.c_str(), *network_site_);
        auto made = std::make_unique<ForeignNetwork>(*network_module_, *topology_);
        network_ = made.get();
        return made;
    };
    return makers;
}

void Boundary::bind(kernel::ClockDomain& domain, const chip::ChipModel& model) {
    for (ForeignCore* core : cores_) core->bind(domain);
    if (network_ != nullptr) network_->bind(domain, model.network_component());
}

}  // namespace loom::foreign
