// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "base/fields.hpp"
#include "cores/near_memory/delay_ring.hpp"
#include "cores/near_memory/memory_kind.hpp"
#include "cores/near_memory/neuron_stage.hpp"

/// A core with an adder for every neuron: all synapses of a packet are worked off at once, however many there
/// are. It bounds from above what more lanes can bring. Spikes, sums and neurons are those of near_memory.
///
/// A packet holds the core for axon_in.lookup + wide.cycles cycles, whatever its synapses.
namespace example {
using namespace loom;

/// The section `wide` of a core, with its documentation, unit and bounds.
struct WideSpec {
    std::uint64_t cycles = 1;
};
template <class V>
void fields(V& v, WideSpec& s) {
    v("cycles", s.cycles, {.doc = "cycles of a packet", .unit = Unit::CycleCount, .min = 1});
}

/// What only this kind counts: the name of each event, whether it needs a price, what it is.
struct WideCounters {
    std::uint64_t rows = 0;
};
template <class V>
void fields(V&& v, WideCounters& c) {
    v("wide.rows", c.rows, true,
      "packets worked off: a whole row of weights read, all sums read and written");
}

class WideCore final : public cores::Core {
  public:
    WideCore(const arch::ChipSpec& chip, std::shared_ptr<const arch::CoreImage> image,
             cores::CoreContext context, cores::CoreSchedule schedule)
        : spec_(chip.kind(image->kind)),
          cycles_(spec_.section<WideSpec>().cycles),
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
    void set_host_current(std::uint32_t n, std::int64_t value) override {
        neurons_.set_host_current(n, value);
    }
    std::span<const std::uint32_t> spikes() const override { return neurons_.spikes(); }
    std::span<const std::int64_t> spike_counts() const override { return neurons_.spike_counts(); }
    double membrane(std::uint32_t n) const override { return neurons_.membrane(n); }
    double current(std::uint32_t n) const override { return neurons_.current(n); }
    bool quiescent() const override { return !neurons_.sweeping() && !busy_ && context_.in->size() == 0; }
    std::span<const LayerId> layers() const override { return neurons_.layers(); }
    std::span<const cores::CoreCounters> counters() const override { return neurons_.counters(); }
    void add_own(std::size_t layer, std::vector<std::uint64_t>& sums) const override {
        cores::add_counters(own_[layer], sums);
    }

  private:
    void take(Cycle now) {
        const Packet p = context_.in->take(now);
        const std::size_t k = cores::axon_group(*image_, p.axon);
        const arch::AxonGroup& g = image_->axons[k];
        const std::uint32_t axon = p.axon - g.first;
        ring_.deliver(g, axon, p.payload, step_ + g.delay);
        end_ = now + spec_.axon_in.lookup + cycles_;
        busy_ = true;
        cores::CoreCounters& c = neurons_.of_axons(k);
        ++c.packets_in;
        ++c.axon_lookups;
        (g.analogue ? c.mac : c.ac) += cores::row_cost(g, axon, spec_).synapses;
        ++own_[neurons_.layer_of_axons(k)].rows;
    }

    arch::CoreSpec spec_;
    Cycles cycles_;
    std::shared_ptr<const arch::CoreImage> image_;
    cores::CoreContext context_;
    Scheduler::ComponentId id_ = 0;
    cores::DelayRing<std::int64_t> ring_;
    cores::NeuronStage<std::int64_t> neurons_;
    std::vector<WideCounters> own_;  ///< [layers]
    Cycle end_ = 0;                  ///< when the packet is worked off
    bool busy_ = false;
    Step step_ = 0;
};

}  // namespace example
