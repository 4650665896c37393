// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <systemc>
#include <vector>

#include "arch/chip_spec.hpp"
#include "arch/program.hpp"
#include "cores/core.hpp"
#include "sim/foreign/fifo_face.hpp"

namespace loom::foreign {

/// Where a module stands and what it has to do.
struct CoreSite {
    const arch::ChipSpec& chip;
    const arch::Program& program;
    const arch::CoreImage& image;  ///< neurons, axons with their weights, fan-out of this core
    cores::CoreSchedule schedule;
    const cores::NeuronModels* neuron_models = nullptr;  ///< null: those that come with the library
    /// The core as the chip file describes it.
    const arch::CoreSpec& core() const { return chip.kind(image.kind); }
    /// Whether a chip timestep is one of a group's; in others its neurons rest.
    bool active(const arch::NeuronGroup& g, Step step) const {
        return schedule.free_start ||
               (step >= g.start_step &&
                (schedule.active_steps == 0 || step < Step{g.start_step} + schedule.active_steps));
    }
};

/// A user's SystemC module in the place of a core: derive from FifoCore, TlmCore or PinCore.
///
/// A timestep begins with begin_step(): what came in before counts now, what comes in from now on counts
/// in a later one. The chip goes to the next timestep when no packet is on its way and no module is busy;
/// while a module is busy, time advances cycle by cycle, else the chip jumps and runs ahead.
/// A sample begins with reset(). All calls are made at the SystemC time of their cycle.
class CoreModule : public sc_core::sc_module {
  public:
    explicit CoreModule(sc_core::sc_module_name name) : sc_module(name) {}

    /// Fills the module's memories. Once, before SystemC starts; `site` outlives the module.
    virtual void load(const CoreSite& site) { (void)site; }
    virtual void begin_step(Step step) { (void)step; }
    /// Clears all state for a new sample; returns the cycles that takes. Before any timestep, and not
    /// necessarily at the SystemC time at which the sample begins.
    virtual Cycles reset() { return 0; }
    /// Holds the timestep open. Say so before the next wait() once something has been taken.
    virtual bool busy() const { return busy_; }
    /// State of a neuron after the current timestep, for decoding and records. fixed: membrane LSB.
    virtual double membrane(std::uint32_t neuron) const { return (void)neuron, 0; }
    virtual double current(std::uint32_t neuron) const { return (void)neuron, 0; }
    /// The module has nothing left to do: the last chance to fire() for what has happened since the call
    /// before. May come several times a timestep, as packets do.
    virtual void collect_spikes() {}
    virtual Face& face() = 0;

    /// A neuron without fan-out has fired `spikes` times in this timestep. Neurons with fan-out are known
    /// by their packets.
    struct Fired {
        std::uint32_t neuron = 0;
        std::int64_t spikes = 1;
    };
    std::vector<Fired>& fired() { return fired_; }
    /// For the border: called when it is to look at the module in the next cycle.
    void when_stirred(std::function<void()> f) { stirred_ = std::move(f); }

  protected:
    void set_busy(bool busy) {
        busy_ = busy;
        stir();
    }
    /// The border looks at the module in the next cycle.
    void stir() {
        if (stirred_) stirred_();
    }
    void fire(std::uint32_t neuron, std::int64_t spikes = 1) { fired_.push_back({neuron, spikes}); }

  private:
    std::function<void()> stirred_;
    std::vector<Fired> fired_;
    bool busy_ = false;
};

/// A core with packets by sc_fifo: `in` and `out`.
class FifoCore : public CoreModule, public FifoFace {
  public:
    explicit FifoCore(sc_core::sc_module_name name) : CoreModule(name) {}
    Face& face() override { return *this; }
};

}  // namespace loom::foreign
