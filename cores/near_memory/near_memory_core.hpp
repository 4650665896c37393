// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <memory>
#include <vector>

#include "cores/core.hpp"
#include "cores/near_memory/delay_ring.hpp"
#include "cores/near_memory/neuron_stage.hpp"
#include "cores/near_memory/row_pipeline.hpp"

namespace loom::cores {

/// Axon-in FIFO -> row fetch -> accumulators with delay ring -> soma -> axon-out (docs/concepts/timing-model.md).
template <class Acc>
class NearMemoryCore final : public Core {
  public:
    NearMemoryCore(const arch::ChipSpec& spec, std::shared_ptr<const arch::CoreImage> image,
                   CoreContext context, CoreSchedule schedule)
        : spec_(spec.kind(image->kind)),
          image_(std::move(image)),
          context_(context),
          pipeline_(spec_),
          ring_(static_cast<std::uint32_t>(spec_.dendrite.max_delay) + 1, image_->n_neurons),
          neurons_(spec, *image_, context, schedule) {}

    void set_component(Scheduler::ComponentId id) override { id_ = id; }

    void begin_step(Cycle now, Step step) override {
        step_ = step;
        neurons_.begin(step);
        Cycles time = 0;
        bool any = false;
        const Acc* sums = nullptr;
        for (std::size_t k = 0; k < image_->neurons.size(); ++k) {
            if (!neurons_.enter(k)) continue;
            any = true;
            if (sums == nullptr) sums = ring_.open(step);
            time += neurons_.sweep(k, 0, image_->neurons[k].count, sums, now + time);
        }
        ring_.close(step);
        if (!any) return;
        pipeline_.sweep_until(now + time);
        neurons_.run_until(now, now + spec_.soma.latency + time, id_);
    }

    Cycle evaluate(Cycle now) override {
        retire(now);
        const Cycle next = take_packets(now);
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
    bool quiescent() const override {
        return !neurons_.sweeping() && in_pipeline_ == 0 && context_.in->size() == 0;
    }
    std::span<const LayerId> layers() const override { return neurons_.layers(); }
    std::span<const CoreCounters> counters() const override { return neurons_.counters(); }

  private:
    /// Rows that have left the pipeline.
    void retire(Cycle now) {
        while (in_pipeline_ != 0 && ends_[first_end_] <= now) {
            first_end_ = (first_end_ + 1) % ends_.size();
            --in_pipeline_;
            context_.activity->lower(now);
        }
    }

    Cycle take_packets(Cycle now) {
        Link<Packet>& in = *context_.in;
        while (in.peek(now) != nullptr && now >= pipeline_.next_entry() && in_pipeline_ < ends_.size()) {
            const Packet p = in.take(now);
            const std::size_t k = axon_group(*image_, p.axon);
            const arch::AxonGroup& g = image_->axons[k];
            const std::uint32_t axon = p.axon - g.first;
            const RowCost cost = row_cost(g, axon, spec_);
            const auto t = pipeline_.enter(now, cost);
            CoreCounters& c = neurons_.of_axons(k);
            ++c.packets_in;
            ++c.axon_lookups;
            c.words_read += cost.words;
            (multiplies(g, p) ? c.mac : c.ac) += cost.synapses;
            c.accumulator_accesses += cost.groups;
            c.synapse_busy += t.fetch;
            c.dendrite_busy += t.accumulate;
            c.dendrite_stalls += t.waited;
            ring_.deliver(g, axon, p.payload, step_ + g.delay);
            ends_[(first_end_ + in_pipeline_) % ends_.size()] = t.end;
            ++in_pipeline_;
        }
        // A waiting packet holds the timestep open, so rows in front of it need no wake-up of their own.
        const Cycle arrival = in.next_ready();
        if (arrival != kNever && in_pipeline_ < ends_.size())
            return std::max({arrival, pipeline_.next_entry(), now + 1});
        return in_pipeline_ == 0 ? kNever : ends_[(first_end_ + in_pipeline_ - 1) % ends_.size()];
    }

    arch::CoreSpec spec_;
    std::shared_ptr<const arch::CoreImage> image_;
    CoreContext context_;
    Scheduler::ComponentId id_ = 0;
    RowPipeline pipeline_;
    DelayRing<Acc> ring_;
    NeuronStage<Acc> neurons_;
    std::array<Cycle, 8> ends_{};
    std::size_t first_end_ = 0, in_pipeline_ = 0;
    Step step_ = 0;
};

}  // namespace loom::cores
