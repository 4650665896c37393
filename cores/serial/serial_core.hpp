// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/fields.hpp"
#include "cores/core.hpp"
#include "cores/near_memory/delay_ring.hpp"
#include "cores/near_memory/neuron_stage.hpp"

/// A core without a pipeline: the smallest kind, and the one to copy.
///
/// **What it is.** One adder and one memory port. A packet is looked up in the axon table, then its synapses
/// are worked off one after the other; only when the last one is done is the next packet taken from the input
/// FIFO. Spikes, sums and neurons are those of near_memory: the same program gives the same spikes.
///
/// **Its law of time.** A packet that is at the head of the FIFO in cycle t, with s synapses on this core,
/// holds the core for
///
///     axon_in.lookup + max(s * serial.cycles, 1)
///
/// cycles, and the next one enters in that cycle. n packets with s synapses each that wait together are done
/// n * (lookup + s * serial.cycles) cycles after the first. Sweep and axon-out are the common ones
/// (docs/concepts/timing-model.md) and go on beside it.
///
/// **What it counts.** axon_in.packets and axon_in.lookups once a packet; dendrite.ac (graded input:
/// dendrite.mac) and its own serial.steps once a synapse. There are no words and no groups of accumulators,
/// so synapse.word_reads and dendrite.accesses never happen.
namespace loom::cores {

/// The section `serial` of a core.
struct SerialSpec {
    std::uint64_t cycles = 1;
};
template <class V>
void fields(V& v, SerialSpec& s) {
    v("cycles", s.cycles, {.doc = "cycles per synapse", .unit = Unit::CycleCount, .min = 1});
}

/// Events that only serial cores count.
struct SerialCounters {
    std::uint64_t steps = 0;
    std::uint64_t busy = 0;
};
template <class V>
void fields(V&& v, SerialCounters& c) {
    v("serial.steps", c.steps, true, "synapses worked off one by one: weight read, sum read and written");
    v("serial.busy_cycles", c.busy, false, "cycles in which a packet held the core");
}

class SerialCore final : public Core {
  public:
    SerialCore(const arch::ChipSpec& chip, std::shared_ptr<const arch::CoreImage> image, CoreContext context,
               CoreSchedule schedule)
        : spec_(chip.kind(image->kind)),
          cycles_(spec_.section<SerialSpec>().cycles),
          image_(std::move(image)),
          context_(context),
          ring_(static_cast<std::uint32_t>(spec_.dendrite.max_delay) + 1, image_->n_neurons),
          neurons_(chip, *image_, context, schedule),
          own_(neurons_.layers().size()) {}

    void set_component(Scheduler::ComponentId id) override { id_ = id; }

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

  private:
    void take(Cycle now) {
        const Packet p = context_.in->take(now);
        const std::size_t k = axon_group(*image_, p.axon);
        const arch::AxonGroup& g = image_->axons[k];
        const std::uint32_t axon = p.axon - g.first;
        const std::uint64_t synapses = row_cost(g, axon, spec_).synapses;
        ring_.deliver(g, axon, p.payload, step_ + g.delay);
        end_ = now + spec_.axon_in.lookup + std::max<Cycles>(synapses * cycles_, 1);
        busy_ = true;
        CoreCounters& c = neurons_.of_axons(k);
        ++c.packets_in;
        ++c.axon_lookups;
        (g.analogue ? c.mac : c.ac) += synapses;
        SerialCounters& own = own_[neurons_.layer_of_axons(k)];
        own.steps += synapses;
        own.busy += end_ - now;
    }

    arch::CoreSpec spec_;
    Cycles cycles_;
    std::shared_ptr<const arch::CoreImage> image_;
    CoreContext context_;
    Scheduler::ComponentId id_ = 0;
    DelayRing<std::int64_t> ring_;
    NeuronStage<std::int64_t> neurons_;
    std::vector<SerialCounters> own_;  ///< [layers]
    Cycle end_ = 0;                    ///< when the packet is worked off
    bool busy_ = false;
    Step step_ = 0;
};

}  // namespace loom::cores
