// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "arch/chip_spec.hpp"
#include "arch/program.hpp"
#include "base/clocking/link.hpp"
#include "base/clocking/packet.hpp"
#include "cores/core_counters.hpp"

namespace loom::cores {

/// When a core's layers run (chip timesteps).
struct CoreSchedule {
    bool free_start = false;         ///< from the first timestep on, without end
    std::uint32_t reset_every = 0;   ///< clear a layer's state every so many of its timesteps; 0: never
    std::uint32_t active_steps = 0;  ///< timesteps after its start in which a layer runs; 0: no end
};

class NeuronModels;

/// What a core is built from; no globals.
struct CoreContext {
    Scheduler* scheduler = nullptr;
    Activity* activity = nullptr;
    Link<Packet>* in = nullptr;                   ///< network -> core; its slots are the input FIFO
    Link<Packet>* out = nullptr;                  ///< core -> network
    const NeuronModels* neuron_models = nullptr;  ///< null: those that come with the library
};

/// A core of any kind. Packets in, packets out, timesteps announced from outside.
class Core : public Clocked {
  public:
    /// Starts timestep `step` (chip time) at cycle `now`; the inputs delivered for it are complete.
    /// The core raises the activity until its sweep and all its packets are out.
    virtual void begin_step(Cycle now, Step step) = 0;
    /// Clears all state for a new sample. Returns the cycles the hardware needs for it.
    virtual Cycles reset_state() = 0;
    /// The number of the sample that begins: keys random draws. Before reset_state().
    virtual void set_sample(std::uint64_t sample) { (void)sample; }
    /// Sets the host-computed current of a neuron, in force until set again or reset_state().
    /// fixed: membrane LSB; float64: the bits of a double.
    virtual void set_host_current(std::uint32_t neuron, std::int64_t value) = 0;

    /// Neurons (within the core) that fired in the current step, ascending, with multiplicity 1, and
    /// the number of spikes of each (1 unless multispike). Valid until the next begin_step.
    virtual std::span<const std::uint32_t> spikes() const = 0;
    virtual std::span<const std::int64_t> spike_counts() const = 0;
    /// Membrane (after reset) and input current of a neuron after the current step. fixed: integer LSB.
    virtual double membrane(std::uint32_t neuron) const = 0;
    virtual double current(std::uint32_t neuron) const = 0;

    /// Its number in the scheduler, before the first step.
    virtual void set_component(Scheduler::ComponentId id) = 0;
    virtual bool quiescent() const = 0;
    /// One set per distinct layer of the image: layers()[i] <-> counters()[i].
    virtual std::span<const LayerId> layers() const = 0;
    virtual std::span<const CoreCounters> counters() const = 0;
    /// Adds what layers()[layer] counted beside that, in the order of its kind's own events; sums grow to
    /// them.
    virtual void add_own(std::size_t layer, std::vector<std::uint64_t>& sums) const {
        (void)layer, (void)sums;
    }

    /// All counters of a layer.
    CoreTotals totals(std::size_t layer) const {
        CoreTotals t{counters()[layer], {}};
        add_own(layer, t.own);
        return t;
    }
};

}  // namespace loom::cores
