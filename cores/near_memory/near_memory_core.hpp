// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <memory>
#include <vector>

#include "cores/core.hpp"
#include "cores/near_memory/axon_out.hpp"
#include "cores/near_memory/delay_ring.hpp"
#include "cores/near_memory/row_pipeline.hpp"
#include "cores/near_memory/soma.hpp"

namespace loom::cores {

/// Axon-in FIFO -> row fetch -> accumulators with delay ring -> soma -> axon-out (docs/timing-model.md).
template <class Acc>
class NearMemoryCore final : public Core {
  public:
    NearMemoryCore(const arch::ChipSpec& spec, std::shared_ptr<const arch::CoreImage> image,
                   CoreContext context, CoreSchedule schedule)
        : spec_(spec.kind(image->kind)),
          image_(std::move(image)),
          context_(context),
          schedule_(schedule),
          flits_plain_(static_cast<std::uint16_t>(spec.packet_flits(image_->kind, false))),
          flits_graded_(static_cast<std::uint16_t>(spec.packet_flits(image_->kind, true))),
          pipeline_(spec_),
          ring_(static_cast<std::uint32_t>(spec_.dendrite.max_delay) + 1, image_->n_neurons),
          soma_(spec_, image_->n_neurons),
          axon_out_(spec_, image_->fanout, image_->endpoint, *context.out, *context.activity) {
        for (const auto& g : image_->neurons) neuron_slot_.push_back(slot_of(g.layer));
        for (const auto& g : image_->axons) axon_slot_.push_back(slot_of(g.target));
    }

    void set_component(Scheduler::ComponentId id) override { id_ = id; }

    void begin_step(Cycle now, Step step) override {
        step_ = step;
        spikes_.clear();
        spike_counts_.clear();
        axon_out_.begin_sweep();
        Cycles time = 0;
        bool any = false;
        const Acc* sums = nullptr;
        for (std::size_t k = 0; k < image_->neurons.size(); ++k) {
            const arch::NeuronGroup& g = image_->neurons[k];
            if (!active(g, step)) continue;
            any = true;
            if (sums == nullptr) sums = ring_.open(step);
            if (schedule_.reset_every != 0 &&
                step % schedule_.reset_every == g.start_step % schedule_.reset_every) {
                soma_.reset(g);
            }
            sweep(now, g, neuron_slot_[k], sums, time);
        }
        ring_.close(step);
        if (!any) return;
        sweep_end_ = now + spec_.soma.latency + time;
        pipeline_.sweep_until(now + time);
        sweeping_ = true;
        context_.activity->raise();
        context_.scheduler->wake(id_, now + 1);
    }

    Cycle evaluate(Cycle now) override {
        retire(now);
        Cycle next = take_packets(now);
        if (sweeping_) {
            const Cycle out = axon_out_.evaluate(now, counters_);
            const Cycle end = sweep_end_ + axon_out_.shift();
            if (axon_out_.done() && now >= end) {
                sweeping_ = false;
                context_.activity->lower(now);
            } else if (axon_out_.done()) {
                next = std::min(next, end);
            } else {
                next = std::min(next, out);
            }
        }
        return next;
    }

    Cycles reset_state() override {
        for (std::size_t k = 0; k < image_->neurons.size(); ++k) {
            soma_.reset(image_->neurons[k]);
            counters_[neuron_slot_[k]].state_resets += image_->neurons[k].count;
        }
        ring_.reset();
        host_.clear();
        spikes_.clear();
        spike_counts_.clear();
        const std::uint64_t lanes = spec_.soma.lanes;
        return (image_->n_neurons + lanes - 1) / lanes * spec_.soma.reset_interval;
    }

    void set_host_current(std::uint32_t neuron, std::int64_t value) override {
        host_.resize(image_->n_neurons, 0);
        if constexpr (Soma<Acc>::kFloat) {
            host_[neuron] = Packet::to_double(value);
        } else {
            host_[neuron] = value;
        }
    }

    std::span<const std::uint32_t> spikes() const override { return spikes_; }
    std::span<const std::int64_t> spike_counts() const override { return spike_counts_; }
    double membrane(std::uint32_t n) const override { return static_cast<double>(soma_.membrane(n)); }
    double current(std::uint32_t n) const override { return static_cast<double>(soma_.current(n)); }
    bool quiescent() const override { return !sweeping_ && in_pipeline_ == 0 && context_.in->size() == 0; }
    std::span<const LayerId> layers() const override { return layers_; }
    std::span<const CoreCounters> counters() const override { return counters_; }

  private:
    std::uint16_t slot_of(LayerId layer) {
        const auto it = std::find(layers_.begin(), layers_.end(), layer);
        if (it != layers_.end()) return static_cast<std::uint16_t>(it - layers_.begin());
        layers_.push_back(layer);
        counters_.emplace_back();
        return static_cast<std::uint16_t>(layers_.size() - 1);
    }
    bool active(const arch::NeuronGroup& g, Step step) const {
        if (schedule_.free_start) return true;
        return step >= g.start_step &&
               (schedule_.active_steps == 0 || step < Step{g.start_step} + schedule_.active_steps);
    }

    void sweep(Cycle now, const arch::NeuronGroup& g, std::uint16_t slot, const Acc* sums, Cycles& time) {
        CoreCounters& c = counters_[slot];
        const Cycle start = now + spec_.soma.latency + time;
        const auto tag = static_cast<std::uint16_t>(index(g.layer));
        const auto plain = flits_plain_;
        const auto graded = flits_graded_;
        const Cycles took =
            soma_.sweep(g, sums, host_.empty() ? nullptr : host_.data(), c,
                        [&](std::uint32_t neuron, std::int64_t z, Cycles at) {
                            spikes_.push_back(neuron);
                            spike_counts_.push_back(z);
                            c.spikes += static_cast<std::uint64_t>(z);
                            if (!axon_out_.has_fanout(neuron)) return;
                            axon_out_.add({start + at, neuron, z, tag, z == 1 ? plain : graded, slot});
                        });
        time += took;
        if (g.rule.fires) return;
        // an analogue layer sends its membranes (float64 only)
        for (std::uint32_t n = g.first; n < g.first + g.count; ++n) {
            if (!axon_out_.has_fanout(n) || membrane(n) == 0.0) continue;
            axon_out_.add({start + took, n, Packet::from_double(membrane(n)), tag, graded, slot});
        }
    }

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
            const std::size_t k = group_of(p.axon);
            const arch::AxonGroup& g = image_->axons[k];
            const std::uint32_t axon = p.axon - g.first;
            const RowCost cost = row_cost(g, axon, spec_);
            const auto t = pipeline_.enter(now, cost);
            CoreCounters& c = counters_[axon_slot_[k]];
            ++c.packets_in;
            ++c.axon_lookups;
            c.words_read += cost.words;
            (g.analogue ? c.mac : c.ac) += cost.synapses;
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

    std::size_t group_of(std::uint32_t axon) const {
        const auto& groups = image_->axons;
        if (axon >= image_->n_axons) throw ModelError("a packet for an axon that the core does not have");
        std::size_t k = groups.size() - 1;
        while (groups[k].first > axon) --k;
        return k;
    }

    arch::CoreSpec spec_;
    std::shared_ptr<const arch::CoreImage> image_;
    CoreContext context_;
    CoreSchedule schedule_;
    Scheduler::ComponentId id_ = 0;
    std::uint16_t flits_plain_, flits_graded_;
    RowPipeline pipeline_;
    DelayRing<Acc> ring_;
    Soma<Acc> soma_;
    AxonOut axon_out_;
    std::vector<LayerId> layers_;
    std::vector<CoreCounters> counters_;
    std::vector<std::uint16_t> neuron_slot_, axon_slot_;
    std::vector<typename Soma<Acc>::Value> host_;
    std::vector<std::uint32_t> spikes_;
    std::vector<std::int64_t> spike_counts_;
    std::array<Cycle, 8> ends_{};
    std::size_t first_end_ = 0, in_pipeline_ = 0;
    Step step_ = 0;
    Cycle sweep_end_ = 0;
    bool sweeping_ = false;
};

}  // namespace loom::cores
