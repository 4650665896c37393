// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "sim/foreign/core_module.hpp"

namespace loom::foreign {

/// What the program says that a core computes, without any timing: for modules that have their own time and
/// interfaces, but the built-in core's numbers. Sums and membranes are bit for bit those of near-memory
/// cores.
class CoreFunction {
  public:
    /// Throws UnsupportedError for programs in float64 and cores that exchange partial sums.
    explicit CoreFunction(const CoreSite& site);
    ~CoreFunction();
    CoreFunction(CoreFunction&&) noexcept;

    /// A packet has come in. Counts from the timestep on that its axon's delay says.
    void deliver(const Packet& packet);
    /// Updates all neurons; the ones that fire, ascending. Valid until the next step.
    std::span<const CoreModule::Fired> begin_step(Step step);
    /// The packets of a neuron that has fired, one per entry of its fan-out.
    std::vector<Packet> packets(const CoreModule::Fired& fired) const;
    bool has_fanout(std::uint32_t neuron) const;
    void reset();
    double membrane(std::uint32_t neuron) const;
    double current(std::uint32_t neuron) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace loom::foreign
