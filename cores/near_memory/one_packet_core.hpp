// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "cores/core.hpp"
#include "cores/near_memory/delay_ring.hpp"
#include "cores/near_memory/neuron_stage.hpp"
#include "cores/near_memory/synapse_rows.hpp"

namespace loom::cores {

/// A core in integers that works off one packet at a time: the next one is taken when the last one is done. A kind
/// that derives from it says how long a packet holds the core.
///
/// Own: what only the kind counts, a struct of integers with a `fields` function.
template <class Own>
class OnePacketCore : public Core {
  public:
    OnePacketCore(const arch::ChipSpec& chip, std::shared_ptr<const arch::CoreImage> image, CoreContext context,
                  CoreSchedule schedule)
        : spec_(chip.kind(image->kind)),
          image_(std::move(image)),
          context_(context),
          ring_(static_cast<std::uint32_t>(spec_.dendrite.max_delay) + 1, image_->n_neurons),
          neurons_(chip, *image_, context, schedule),
          own_(neurons_.layers().size()) {}

    void set_component(Scheduler::ComponentId id) override { id_ = id; }

    /// The sums of this timestep go through the neurons, layer by layer; the common stage sends the spikes.
    void begin_step(Cycle now, Step step) override {
        step_ = step;
        neurons_.begin(step);
        Cycles time = 0;
        const std::int64_t* sums = nullptr;
        for (std::size_t k = 0; k < image_->neurons.size(); ++k) {
            if (!neurons_.enter(k)) continue;
            if (sums == nullptr) sums = ring_.open(step);
            time += neurons_.sweep(k, 0, image_->neurons[k].count, sums, now + time);
        }
        ring_.close(step);
        if (sums != nullptr) neurons_.run_until(now, now + spec_.soma.latency + time, id_);
    }

    /// Called in a cycle in which something may happen; returns the next such cycle.
    Cycle evaluate(Cycle now) override {
        if (busy_ && now >= end_) {
            busy_ = false;
            context_.activity->lower(now);
        }
        if (!busy_ && context_.in->peek(now) != nullptr) take(now);
        Cycle next = busy_ ? end_ : context_.in->next_ready();
        if (next != kNever) next = std::max(next, now + 1);
        return std::min(next, neurons_.evaluate(now));
    }

    Cycles reset_state() override {
        ring_.reset();
        return neurons_.reset();
    }
    void set_host_current(std::uint32_t neuron, std::int64_t value) override {
        neurons_.set_host_current(neuron, value);
    }

    std::span<const std::uint32_t> spikes() const override { return neurons_.spikes(); }
    std::span<const std::int64_t> spike_counts() const override { return neurons_.spike_counts(); }
    double membrane(std::uint32_t n) const override { return neurons_.membrane(n); }
    double current(std::uint32_t n) const override { return neurons_.current(n); }
    bool quiescent() const override { return !neurons_.sweeping() && !busy_ && context_.in->size() == 0; }
    std::span<const LayerId> layers() const override { return neurons_.layers(); }
    std::span<const CoreCounters> counters() const override { return neurons_.counters(); }
    void add_own(std::size_t layer, std::vector<std::uint64_t>& sums) const override {
        add_counters(own_[layer], sums);
    }

  protected:
    const arch::CoreSpec& spec() const { return spec_; }

    /// Cycles for which a packet of so many synapses holds the core, its look-up included. Counts in `own` what the
    /// kind counts. Called once a packet.
    virtual Cycles work_off(std::uint64_t synapses, Own& own) = 0;

  private:
    void take(Cycle now) {
        const Packet p = context_.in->take(now);
        const std::size_t k = axon_group(*image_, p.axon);
        const arch::AxonGroup& g = image_->axons[k];
        const std::uint32_t axon = p.axon - g.first;
        const std::uint64_t synapses = row_cost(g, axon, spec_).synapses;
        ring_.deliver(g, axon, p.payload, step_ + g.delay);
        end_ = now + work_off(synapses, own_[neurons_.layer_of_axons(k)]);
        busy_ = true;
        CoreCounters& c = neurons_.of_axons(k);
        ++c.packets_in;
        ++c.axon_lookups;
        (multiplies(g, p) ? c.mac : c.ac) += synapses;
    }

    arch::CoreSpec spec_;
    std::shared_ptr<const arch::CoreImage> image_;
    CoreContext context_;
    Scheduler::ComponentId id_ = 0;
    DelayRing<std::int64_t> ring_;
    NeuronStage<std::int64_t> neurons_;
    std::vector<Own> own_;  ///< [layers]
    Cycle end_ = 0;         ///< when the packet is worked off
    bool busy_ = false;
    Step step_ = 0;
};

}  // namespace loom::cores
