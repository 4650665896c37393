// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cores/near_memory/memory_kind.hpp"
#include "noc/router_kind.hpp"
#include "sim/foreign/modules.hpp"

namespace loom::foreign {

/// foreign: a module of the user's, which `core.module` names. What fits on it is said by the common blocks
/// (axon_in, synapse, soma, axon_out), as for near-memory cores. Its border counts packets and spikes; what
/// happens inside has no price.
class ForeignKind final : public cores::MemoryKind {
  public:
    /// modules: what `module` can name; they outlive the kind.
    explicit ForeignKind(const Modules& modules) : modules_(modules) {}

    std::string_view name() const override { return "foreign"; }
    std::optional<arch::KindSection> section() const override;
    /// Throws ConfigError for a module that is not registered, and for arithmetic in float64.
    void check(const arch::CoreSpec& core, const arch::ChipSpec& chip, const std::string& key) const override;
    void expect(const arch::ChipSpec& chip, std::size_t kind, const arch::ExpectedInput& in, double steps,
                const AddEvent& add) const override;
    bool counts(std::string_view event, const arch::CoreSpec& core) const override;
    /// Throws UnsupportedError: modules are made by a Boundary, in SystemC.
    std::unique_ptr<cores::Core> make(const arch::ChipSpec& chip,
                                      std::shared_ptr<const arch::CoreImage> image,
                                      const arch::Program& program, cores::CoreContext context,
                                      cores::CoreSchedule schedule) const override;

  private:
    const Modules& modules_;
};

/// A network module as a kind of router, for the catalogue of networks; what is made of it is made by a
/// Boundary: make_network() throws UnsupportedError.
noc::RouterKind router_kind(const std::string& name);

/// The modules of a chip file: those of its cores of kind foreign, and the network when `noc.router.kind` is
/// the name of a network module.
Placement placement_of(const arch::ChipSpec& chip, const Modules& modules);

}  // namespace loom::foreign
