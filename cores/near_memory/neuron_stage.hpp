// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "cores/core.hpp"
#include "cores/near_memory/axon_out.hpp"
#include "cores/near_memory/soma.hpp"

namespace loom::cores {

/// The back half of a core of any kind: soma, axon-out, what the current step's neurons did, and the counters
/// of each layer.
template <class Acc>
class NeuronStage {
  public:
    using Value = typename Soma<Acc>::Value;

    NeuronStage(const arch::ChipSpec& spec, const arch::CoreImage& image, const CoreContext& context,
                CoreSchedule schedule)
        : spec_(spec.kind(image.kind)),
          image_(image),
          context_(context),
          schedule_(schedule),
          flits_plain_(checked_cast<std::uint16_t>(spec.packet_flits(image.kind, false), kFlits)),
          flits_graded_(sends_payload(image)
                            ? checked_cast<std::uint16_t>(spec.packet_flits(image.kind, true), kFlits)
                            : flits_plain_),
          most_spikes_(Soma<Acc>::kFloat ? kMostSpikes
                                         : std::max<std::int64_t>((std::int64_t{1} << spec_.axon_in.payload_bits) - 1, 1)),
          soma_(spec_, image,
                context.neuron_models == nullptr ? builtin_neuron_models() : *context.neuron_models),
          axon_out_(spec_, image.fanout, image.endpoint, *context.out, *context.activity) {
        for (const auto& g : image.neurons) neuron_slot_.push_back(slot_of(g.layer));
        for (const auto& g : image.axons) axon_slot_.push_back(slot_of(g.target));
        for (const auto& g : image.psums_out) psum_slot_.push_back(slot_of(g.layer));
    }

    /// Counters of the layer that an axon group leads to.
    CoreCounters& of_axons(std::size_t group) { return counters_[axon_slot_[group]]; }
    CoreCounters& of_neurons(std::size_t group) { return counters_[neuron_slot_[group]]; }
    CoreCounters& of_psums(std::size_t group) { return counters_[psum_slot_[group]]; }
    /// The same as numbers in layers(), for counters of a kind's own.
    std::size_t layer_of_axons(std::size_t group) const { return axon_slot_[group]; }
    std::size_t layer_of_neurons(std::size_t group) const { return neuron_slot_[group]; }
    std::size_t layer_of_psums(std::size_t group) const { return psum_slot_[group]; }
    std::span<const LayerId> layers() const { return layers_; }
    const std::vector<CoreCounters>& counters() const { return counters_; }

    void begin(Step step) {
        step_ = step;
        spikes_.clear();
        spike_counts_.clear();
        axon_out_.begin_sweep();
    }
    /// Whether it is the time of a layer that starts in `start`.
    bool active(std::uint32_t start) const {
        return schedule_.free_start || (step_ >= start && (schedule_.active_steps == 0 ||
                                                           step_ < Step{start} + schedule_.active_steps));
    }
    /// Whether it is a group's time; clears its state when the schedule says so.
    bool enter(std::size_t k) {
        const arch::NeuronGroup& g = image_.neurons[k];
        const bool active = this->active(g.start_step);
        if (active && schedule_.reset_every != 0 &&
            step_ % schedule_.reset_every == g.start_step % schedule_.reset_every) {
            soma_.reset(k);
        }
        return active;
    }
    /// Sweeps neurons [from, to) of group k from cycle `start` on. sums: of the core's neurons. Returns the
    /// cycles.
    Cycles sweep(std::size_t k, std::uint32_t from, std::uint32_t to, const Acc* sums, Cycle start) {
        const arch::NeuronGroup& g = image_.neurons[k];
        const std::uint16_t slot = neuron_slot_[k];
        CoreCounters& c = counters_[slot];
        const Cycle offered = start + spec_.soma.latency;
        const auto tag = static_cast<std::uint16_t>(index(g.layer));
        const Cycles took = soma_.sweep(k, from, to, sums, host_.empty() ? nullptr : host_.data(), c);
        for (const auto& [neuron, z, at] : soma_.fired()) {
            spikes_.push_back(neuron);
            spike_counts_.push_back(z);
            c.spikes += static_cast<std::uint64_t>(z);
            send_spikes(neuron, z, offered + at, slot, tag);
        }
        if (g.rule.fires) return took;
        // an analogue layer sends its membranes (float64 only)
        for (std::uint32_t n = g.first + from; n < g.first + to; ++n) {
            if (!axon_out_.has_fanout(n) || membrane(n) == 0.0) continue;
            axon_out_.add({offered + took, n, Packet::from_double(membrane(n)), tag, flits_graded_, slot});
        }
        return took;
    }
    /// A packet of partial sums, which may leave from `ready` on: the entry of a row of the fan-out table.
    void send_psums(std::size_t group, Cycle ready, std::uint32_t row, std::int64_t payload,
                    std::uint64_t flits) {
        const auto tag = static_cast<std::uint16_t>(index(image_.psums_out[group].layer));
        axon_out_.add(
            {ready, row, payload, tag, static_cast<std::uint16_t>(flits), psum_slot_[group], false});
    }
    /// For sweeps in another order than that of the neurons.
    void sort_spikes() {
        if (std::is_sorted(spikes_.begin(), spikes_.end())) return;
        std::vector<std::pair<std::uint32_t, std::int64_t>> pairs;
        for (std::size_t i = 0; i < spikes_.size(); ++i) pairs.emplace_back(spikes_[i], spike_counts_[i]);
        std::sort(pairs.begin(), pairs.end());
        for (std::size_t i = 0; i < pairs.size(); ++i) std::tie(spikes_[i], spike_counts_[i]) = pairs[i];
    }
    /// The step's sweep ends at `end` when axon-out does not stall it; holds the timestep open until then.
    /// kNever: until end_at() says when.
    void run_until(Cycle now, Cycle end, Scheduler::ComponentId id) {
        sweep_end_ = end;
        sweeping_ = true;
        context_.activity->raise();
        context_.scheduler->wake(id, now + 1);
    }
    void end_at(Cycle end) { sweep_end_ = end; }
    /// Cycles by which full FIFOs have delayed the sweep.
    Cycles shift() const { return axon_out_.shift(); }
    /// Sends what is due; returns the next cycle with work.
    Cycle evaluate(Cycle now) {
        if (!sweeping_) return kNever;
        const Cycle out = axon_out_.evaluate(now, counters_);
        if (!axon_out_.done()) return out;
        if (sweep_end_ == kNever) return kNever;
        const Cycle end = sweep_end_ + axon_out_.shift();
        if (now < end) return end;
        sweeping_ = false;
        context_.activity->lower(now);
        return kNever;
    }
    bool sweeping() const { return sweeping_; }

    Cycles reset() {
        for (std::size_t k = 0; k < image_.neurons.size(); ++k) {
            soma_.reset(k);
            counters_[neuron_slot_[k]].state_resets += image_.neurons[k].count;
        }
        host_.clear();
        spikes_.clear();
        spike_counts_.clear();
        const std::uint64_t lanes = spec_.soma.lanes;
        return (image_.n_neurons + lanes - 1) / lanes * spec_.soma.reset_interval;
    }
    void set_host_current(std::uint32_t neuron, std::int64_t value) {
        host_.resize(image_.n_neurons, 0);
        if constexpr (Soma<Acc>::kFloat) {
            host_[neuron] = Packet::to_double(value);
        } else {
            host_[neuron] = value;
        }
    }

    std::span<const std::uint32_t> spikes() const { return spikes_; }
    std::span<const std::int64_t> spike_counts() const { return spike_counts_; }
    double membrane(std::uint32_t n) const { return static_cast<double>(soma_.membrane(n)); }
    double current(std::uint32_t n) const { return static_cast<double>(soma_.current(n)); }

  private:
    static constexpr std::string_view kFlits =
        "the number of flits of a packet (axon_out.packet_bits and axon_in.payload_bits over noc.flit_bits)";

    /// Whether any of the core's neurons sends anything but single spikes.
    static bool sends_payload(const arch::CoreImage& image) {
        return !image.psums_out.empty() || std::ranges::any_of(image.neurons, [](const arch::NeuronGroup& g) {
            return g.rule.multispike || !g.rule.fires;
        });
    }

    /// A spike to everywhere it goes. A count that a packet's payload does not hold goes out in several packets, the
    /// last of them with the rest; float64 is the reference and carries any count.
    void send_spikes(std::uint32_t neuron, std::int64_t count, Cycle ready, std::uint16_t slot, std::uint16_t tag) {
        if (count > kMostSpikes) refuse_count(count);
        if (!axon_out_.has_fanout(neuron)) return;
        for (; count > most_spikes_; count -= most_spikes_)
            axon_out_.add({ready, neuron, most_spikes_, tag, most_spikes_ == 1 ? flits_plain_ : flits_graded_, slot});
        axon_out_.add({ready, neuron, count, tag, count == 1 ? flits_plain_ : flits_graded_, slot});
    }
    [[noreturn]] static void refuse_count(std::int64_t count) {
        throw ModelError(fmt::format("a neuron fires {} times in a timestep (profile.multispike); at most {} are "
                                     "possible: are weights and threshold what is meant?",
                                     count, kMostSpikes));
    }

    std::uint16_t slot_of(LayerId layer) {
        const auto it = std::find(layers_.begin(), layers_.end(), layer);
        if (it != layers_.end()) return static_cast<std::uint16_t>(it - layers_.begin());
        layers_.push_back(layer);
        counters_.emplace_back();
        return static_cast<std::uint16_t>(layers_.size() - 1);
    }

    arch::CoreSpec spec_;
    const arch::CoreImage& image_;
    CoreContext context_;
    CoreSchedule schedule_;
    std::uint16_t flits_plain_, flits_graded_;
    static constexpr std::int64_t kMostSpikes = 1 << 20;  ///< of a neuron in a timestep
    std::int64_t most_spikes_;  ///< that one packet carries
    Soma<Acc> soma_;
    AxonOut axon_out_;
    std::vector<LayerId> layers_;
    std::vector<CoreCounters> counters_;
    std::vector<std::uint16_t> neuron_slot_, axon_slot_, psum_slot_;
    std::vector<Value> host_;
    std::vector<std::uint32_t> spikes_;
    std::vector<std::int64_t> spike_counts_;
    Step step_ = 0;
    Cycle sweep_end_ = 0;
    bool sweeping_ = false;
};

/// Whether weights are multiplied with a packet's payload: graded input, and a count of several spikes.
inline bool multiplies(const arch::AxonGroup& g, const Packet& p) {
    return g.analogue || p.payload != 1;
}

/// The group of a core's axon table that an axon belongs to. Throws ModelError when there is none.
inline std::size_t axon_group(const arch::CoreImage& image, std::uint32_t axon) {
    const auto& groups = image.axons;
    if (axon >= image.n_axons) throw ModelError("a packet for an axon that the core does not have");
    std::size_t k = groups.size() - 1;
    while (groups[k].first > axon) --k;
    return k;
}

}  // namespace loom::cores
