// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "arch/chip_spec.hpp"
#include "arch/program.hpp"
#include "base/clocking/time_loop.hpp"
#include "cores/catalogue.hpp"
#include "noc/catalogue.hpp"
#include "sim/chip/host_port.hpp"
#include "sim/chip/sample_input.hpp"
#include "sim/chip/step_controller.hpp"
#include "sim/wiring/wiring.hpp"

namespace loom::chip {

/// How algorithmic time runs on the chip (the `schedule:` section of a run).
struct ScheduleSpec {
    bool free_start = false;
    std::uint64_t reset_every = 0;
};
template <class V>
void fields(V& v, ScheduleSpec& s) {
    v("free_start", s.free_start,
      {.doc = "all layers run from the first step on; records keep the pipeline's skew"});
    v("reset_every", s.reset_every,
      {.doc = "clear a layer's state every so many of its timesteps; 0: never"});
}

/// Everything counted on the chip, summed over cores, layers and tags.
struct Totals {
    std::vector<cores::CoreTotals> core;  ///< [kinds of cores]
    noc::NocCounters noc;
    std::uint64_t host_packets = 0;
    Totals operator-(const Totals& o) const;
    Totals& operator+=(const Totals& o);
    /// Whether a spike was fired or a packet sent, or a neuron had input.
    bool active() const;
};
/// Of one timestep.
struct StepTotals {
    Step step = 0;
    Cycles cycles = 0;  ///< drain and barrier
    Totals events;
};
/// Of all timesteps in which nothing was active.
struct QuietTotals {
    std::uint64_t steps = 0;
    Cycles cycles = 0;
    Totals events;
};

struct SampleTiming {
    Cycles cycles = 0;  ///< reset, all timesteps and their barriers
    Cycles reset_cycles = 0;
    Cycles barrier_cycles = 0;
    std::vector<StepTotals> steps;  ///< all of them; or those in which something was active: sum_quiet_steps()
    QuietTotals quiet;              ///< the others
};

/// What the chip is put together from: the built-in cores and networks, or what somebody puts in their
/// place.
struct Makers {
    std::function<std::unique_ptr<cores::Core>(const arch::ChipSpec&, std::shared_ptr<const arch::CoreImage>,
                                               const arch::Program&, cores::CoreContext, cores::CoreSchedule)>
        core = cores::make_core;
    std::function<std::unique_ptr<noc::Network>(const arch::ChipSpec&)> network = noc::make_network;
};

/// A chip with a program loaded: cores in use, network, host port and timestep control, as plain C++
/// objects. Idle cores have no object.
class ChipModel {
  public:
    /// steps: algorithmic timesteps of a sample.
    ChipModel(const arch::ChipSpec& spec, const arch::Program& program, const ScheduleSpec& schedule,
              Step steps, const Makers& makers = {});

    /// Called after each timestep's work; algorithmic_step() maps it to a layer's own timestep.
    using StepHook = std::function<void(Step chip_step)>;
    SampleTiming run_sample(TimeLoop& loop, const SampleInput& input, const StepHook& after_step);
    /// The same in two halves, for those whose time is passed by others: the sample begins in cycle `at`
    /// or in the first that is left; when nothing is due any more, its timing can be had. `input` and
    /// what the hook refers to live until then.
    void begin_sample(Cycle at, const SampleInput& input, StepHook after_step);
    /// Throws ModelError when the timesteps are not over.
    SampleTiming end_sample();

    /// f(neuron's element in its layer, spikes) for every neuron that fired in the current step.
    template <class F>
    void for_each_spike(F f) const {
        for (std::size_t c = 0; c < cores_.size(); ++c) {
            const auto neurons = cores_[c]->spikes();
            const auto counts = cores_[c]->spike_counts();
            for (std::size_t i = 0; i < neurons.size(); ++i) {
                f(layer_of_[c][neurons[i]], element_of_[c][neurons[i]], counts[i]);
            }
        }
    }
    enum class Quantity { Membrane, Current };
    /// One value per neuron of a layer: fixed, in integer LSB; float64, in the network's units.
    void read_layer(LayerId layer, Quantity quantity, std::vector<double>& out) const;
    /// Algorithmic timestep of a layer in a chip step; negative or >= steps(): not its time.
    std::int64_t algorithmic_step(LayerId layer, Step chip_step) const;

    Step steps() const { return steps_; }
    Step chip_steps() const { return schedule_.free_start ? steps_ : steps_ + program_.max_skew; }
    Cycles barrier() const { return barrier_; }
    const arch::Program& program() const { return program_; }
    const std::vector<std::unique_ptr<cores::Core>>& cores() const { return cores_; }
    const noc::Network& network() const { return wiring_.network(); }
    /// The network's number in the scheduler.
    Scheduler::ComponentId network_component() const { return wiring_.network_component(); }
    Scheduler& scheduler() { return scheduler_; }
    const Activity& activity() const { return activity_; }
    const StepController& controller() const { return *controller_; }
    std::uint64_t host_packets() const { return host_->packets(); }
    /// `observer` is told of every packet that a core or the host hands to the network.
    void observe_packets(LinkObserver<Packet>* observer);
    /// From the next sample on timesteps in which nothing is active have no entry of their own in its timing.
    void sum_quiet_steps() { sum_quiet_steps_ = true; }
    /// Values presented to the input layer so far.
    std::uint64_t input_events() const { return input_events_; }
    /// Of the values and of the currents that the host computes from them, those that no integer of the chip is.
    std::uint64_t input_rounded() const { return input_rounded_ + host_->rounded(); }
    /// Off-chip MACs executed so far, by layer.
    const std::vector<std::uint64_t>& offchip_macs() const { return offchip_macs_; }
    /// Packets waiting in front of a core.
    std::size_t queued(std::size_t core) const { return core_ends_[core].in->size(); }
    std::size_t routers_in_use() const { return routers_in_use_; }

    /// Everything counted so far.
    Totals totals() const;
    /// Throws ModelError when nothing has moved for `limit` cycles.
    void watch(Cycle now, Cycles limit) const;

  private:
    void begin_step(Cycle now, Step step);
    void end_step(Step step);
    void host_currents(Step chip_step);
    void send_host_currents(LayerId layer);
    [[noreturn]] void stuck(Cycle now, const char* what) const;

    const arch::ChipSpec& spec_;
    const arch::Program& program_;
    ScheduleSpec schedule_;
    Step steps_;
    Cycles barrier_ = 1;
    std::size_t routers_in_use_ = 0;
    Scheduler scheduler_;
    Activity activity_;
    Wiring wiring_;
    std::vector<Wiring::Ends> core_ends_;
    Wiring::Ends host_ends_;
    std::vector<std::unique_ptr<cores::Core>> cores_;
    std::unique_ptr<HostPort> host_;
    std::unique_ptr<StepController> controller_;
    std::vector<std::vector<std::uint32_t>> element_of_;
    std::vector<std::vector<LayerId>> layer_of_;
    std::vector<std::uint64_t> offchip_macs_;
    const SampleInput* input_ = nullptr;
    StepHook after_step_;
    SampleTiming timing_;
    Cycle sample_start_ = 0;
    Totals before_;  ///< at the end of the timestep before
    bool sum_quiet_steps_ = false;
    /// What the host computed last for each of the program's currents; empty before its first timestep.
    std::vector<std::vector<double>> host_values_;
    SparseVector values_;  ///< of the current timestep
    std::uint64_t input_events_ = 0;
    std::uint64_t input_rounded_ = 0;
};

}  // namespace loom::chip
