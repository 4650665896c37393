// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign/foreign_kind.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/key_error.hpp"

namespace loom::foreign {

std::optional<arch::KindSection> ForeignKind::section() const {
    return arch::kind_section<std::string>(
        "module", "kind foreign: name of the SystemC module that stands in for the core");
}

void ForeignKind::check(const arch::CoreSpec& core, const arch::ChipSpec&, const std::string& key) const {
    const auto* name = core.find<std::string>();
    if (name == nullptr)
        throw KeyError(key + ".module", "a core of kind foreign needs the name of its module");
    modules_.find_core(key + ".module", *name);
    if (core.soma.arithmetic != arch::Arithmetic::Fixed)
        throw KeyError(key + ".soma.arithmetic", "cores of kind foreign compute in integers (fixed)");
}

void ForeignKind::expect(const arch::ChipSpec&, std::size_t, const arch::ExpectedInput& in, double,
                         const AddEvent& add) const {
    add("axon_in.packets", in.events);
}

bool ForeignKind::counts(std::string_view event, const arch::CoreSpec&) const {
    static constexpr std::array<std::string_view, 3> counted{"axon_in.packets", "axon_out.packets",
                                                             "soma.spikes"};
    return std::find(counted.begin(), counted.end(), event) != counted.end();
}

std::unique_ptr<cores::Core> ForeignKind::make(const arch::ChipSpec&, std::shared_ptr<const arch::CoreImage>,
                                               const arch::Program&, cores::CoreContext,
                                               cores::CoreSchedule) const {
    throw UnsupportedError("core.kind: cores of kind foreign run in SystemC only");
}

noc::RouterKind router_kind(const std::string& name) {
    noc::RouterKind kind;
    kind.name = name;
    kind.make = [](const arch::ChipSpec&, noc::Topology) -> std::unique_ptr<noc::Network> {
        throw UnsupportedError("noc.router.kind: a network of SystemC runs on a chip only");
    };
    return kind;
}

Placement placement_of(const arch::ChipSpec& chip, const Modules& modules) {
    Placement placement;
    for (std::size_t k = 0; k < chip.n_kinds(); ++k) {
        const arch::CoreSpec& core = chip.kind(k);
        const auto* name = core.kind == "foreign" ? core.find<std::string>() : nullptr;
        placement.cores.push_back(name == nullptr ? std::nullopt : std::optional(*name));
    }
    if (modules.has_network(chip.noc.router.kind)) placement.network = chip.noc.router.kind;
    return placement;
}

}  // namespace loom::foreign
